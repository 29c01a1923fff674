"""Where faces are searched for."""

from __future__ import annotations

import numpy as np

from realtime.faces.search import box_size, patrol, sight, tiles, window_around


def test_tiles_cover_the_picture_with_overlap() -> None:
    for shape in ((720, 1280, 3), (600, 512, 3), (90, 2000, 3)):
        covered = np.zeros(shape[:2], int)
        for left, top, right, bottom in tiles(np.zeros(shape, np.uint8), 0.75):
            covered[top:bottom, left:right] += 1
        assert covered.min() >= 1
        assert covered.max() >= 2


def test_a_patrol_of_about_a_second_covers_the_picture_with_windows_of_every_size() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    seen: dict[int, np.ndarray] = {}
    for turn in range(48):
        left, top, right, bottom = patrol(image, turn)
        covered = seen.setdefault(bottom - top, np.zeros((720, 1280), bool))
        covered[top:bottom, left:right] = True
    assert sorted(seen) == [288, 540, 720]
    assert all(covered.all() for covered in seen.values())


def test_sight_returns_to_the_picture_and_hides_known_faces() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[210:230, 150:170, 0] = 255  # blue in BGR
    view = sight(image, (100, 200, 301, 401), 2, [np.array([200, 300, 240, 340])])
    rows, columns = np.nonzero(view.image[..., 2] == 255)
    assert columns.min() * view.scale + view.origin[0] == 150
    assert rows.min() * view.scale + view.origin[1] == 210
    assert (view.image[55:65, 55:65] == 128).all()


def test_window_around_stays_square_inside_the_picture() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    window = window_around(np.array([1200, 20, 1270, 90]), 300, image)
    assert window == (980, 0, 1280, 300)
    assert box_size(np.array(window)) == 300
