"""Where faces are searched for."""

from __future__ import annotations

import numpy as np
import pytest

from engines.faces.people import people
from realtime.faces.search import FaceSearch, box_size, patrol, sight, tiles, window_around
from tests.pictures import read_bgr


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


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_faces_that_lie_or_stand_on_their_heads_are_measured_like_upright_ones(turns: int) -> None:
    image = read_bgr(people()[0])
    search = FaceSearch(4, 0.5)
    try:
        (upright,) = search.everywhere(image)
        (turned,) = search.everywhere(np.ascontiguousarray(np.rot90(image, turns)))
    finally:
        search.close()
    points, width = turned.points[:, :2], image.shape[1]
    assert image.shape[0] == width
    for _ in range(turns):  # clockwise
        points = np.stack([width - points[:, 1], points[:, 0]], axis=1)
    apart = np.linalg.norm(points - upright.points[:, :2], axis=1)
    assert apart.mean() < 0.02 * box_size(upright.box)
    assert upright.angles is not None
    assert turned.angles is not None
    roll = (turned.angles[2] - upright.angles[2] + 90 * turns) % 360
    assert min(roll, 360 - roll) < 5
