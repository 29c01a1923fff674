"""The window in which a face is followed."""

from __future__ import annotations

import numpy as np

from realtime.faces.follower import choose_window, window_fits


def test_windows_hold_faces_with_room() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    for box in ([600, 300, 680, 400], [0, 0, 80, 90], [1200, 600, 1280, 720], [300, 50, 800, 700]):
        window = choose_window(np.array(box, np.float32), image)
        assert window_fits(window, np.array(box, np.float32), image)
        assert 0 <= window[0] < window[2] <= 1280
        assert 0 <= window[1] < window[3] <= 720
    assert choose_window(np.array([300.0, 50, 800, 700]), image) == (0, 0, 1280, 720)
    assert not window_fits((0, 0, 400, 400), np.array([330.0, 100, 430, 200]), image)
    assert not window_fits((0, 0, 1280, 720), np.array([600.0, 300, 680, 400]), image)
