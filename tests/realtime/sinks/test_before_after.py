from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime.sinks.before_after import BeforeAfter
from tests.pictures import read_bgr
from tests.realtime.media import RATE, read_movie
from tests.realtime.sinks.outputs import SIZE, output


def test_the_film_shows_the_camera_beside_the_toon(tmp_path: Path) -> None:
    (tmp_path / "demo.mp4").write_text("of an earlier demo")
    sink = BeforeAfter(tmp_path, SIZE, RATE, total=16)
    sink.open()
    for number in range(16):
        picture = output(number)
        sink.send(replace(picture, before=np.full_like(picture.image, 60)))
    sink.close()
    pictures = read_movie(tmp_path / "demo.mp4")[0]
    assert len(pictures) == 16
    assert pictures[0].shape == (90, 240, 3)
    assert abs(pictures[5][:, :110].astype(int) - 60).max() < 12  # before
    assert np.ptp(pictures[5][:, 130:]) > 150  # after
    sheet = read_bgr(tmp_path / "contact-sheet.png")
    assert sheet.shape == (4 * 270, 2 * 960, 3)  # eight pictures
