"""A face's surface, by its landmarks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import EYE
from engines.faces.head import LIPS, NOSE_TIP
from engines.pictures import Image
from realtime.toons.finish.colour import COARSE, as_lab
from realtime.toons.finish.surface import SPOTS, Surface, skin_of, surface_of
from tests.realtime.toons.finish.test_relief import Points, ball, drawn, even, places, still


def surface(points: Points, plan: NDArray[np.float32] | None = None) -> Surface:
    return surface_of(drawn(points), still() if plan is None else plan)


def test_normals_are_those_of_the_surface() -> None:
    facing = surface(ball()).facing
    assert np.allclose(np.linalg.norm(facing, axis=2), 1, atol=1e-3)
    at = (np.array([[0.5, 0.5], [0.62, 0.5], [0.38, 0.5], [0.5, 0.65]]) * COARSE).astype(int)
    found = facing[at[:, 1], at[:, 0]]
    for (x, y), normal in zip((at + 0.5) / COARSE, found, strict=True):
        right, down = (x - 0.5) / 0.3, (y - 0.5) / 0.3
        assert normal[:2] == pytest.approx([right, down], abs=0.09)
        assert normal[2] > 0.8


def test_a_surface_lies_where_the_toon_shows_it(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    plan = still()
    plan[0] = 0.1  # each place of the toon comes from further right
    here, there = surface(points), surface(points, plan)
    step = round(0.1 * COARSE)
    assert np.abs(there.face[:, 10:40] - here.face[:, 10 + step : 40 + step]).max() < 0.25
    assert np.array_equal(there.photo, here.photo)
    assert here.face[places(points, (NOSE_TIP,))] == pytest.approx(1, abs=0.05)
    for ids in (LIPS, *EYE):
        middle = points[list(ids), :2].mean(0) * COARSE
        assert here.bare[int(middle[1]), int(middle[0])] < 0.1


def test_the_colour_of_skin_is_that_of_most_spots(face_crop: tuple[Image, Points]) -> None:
    _, points = face_crop
    toon, skin = even(), as_lab(even())[0, 0]
    found = surface(points).colour(as_lab(toon))
    assert found == pytest.approx(skin, abs=0.1)
    toon[int(points[118, 1] * COARSE) :] = (220, 200, 90)  # a mask below the eyes
    assert surface(points).colour(as_lab(toon)) == pytest.approx(skin, abs=0.1)
    away = points + np.array([2, 0, 0], np.float32)
    assert surface(away).colour(as_lab(toon)) is None


@pytest.mark.parametrize(("aside", "front"), [(0.0, 1.0), (0.6, 0.5), (1.0, 0.0)])
def test_a_turned_head_is_less_in_front(
    face_crop: tuple[Image, Points], aside: float, front: float
) -> None:
    _, points = face_crop
    turned = points.copy()
    left, right = points[[234, 454], 0]
    turned[NOSE_TIP, 0] = (left + right) / 2 + aside * (right - left) / 2
    assert surface(turned).front == pytest.approx(front, abs=0.15)


def test_skin_is_what_most_spots_show() -> None:
    toon = np.full((64, 96, 3), (120, 150, 200), np.uint8)
    toon[:, 60:] = (90, 160, 60)  # a hedge beside the face
    points = np.full((478, 3), 30.0, np.float32)
    points[list(SPOTS[:4]), 0] = (70, 80, 95, 400)
    assert skin_of(toon, points).tolist() == [120, 150, 200]
