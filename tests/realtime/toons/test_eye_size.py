"""Eyes larger or smaller than the network draws them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import EYE_OUTLINE
from engines.pictures import Image
from realtime.settings import EYE_SIZES
from realtime.toons.eye_size import resized_eyes
from realtime.toons.places import moves, shifted, toon_points

Points = NDArray[np.float32]


def plan(right: float = 0.0) -> NDArray[np.float32]:
    """Of a toon that shows everything so far to the left of where the photo does."""
    field = np.zeros((3, 64, 64), np.float32)
    field[0], field[2] = right, np.linspace(0, 1, 64)
    return field


def widths(points: Points, where: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of both eyes in the toon."""
    return np.array([np.ptp(toon_points(points[ids], where)[:, 0]) for ids in EYE_OUTLINE])


@pytest.mark.parametrize("right", [0.0, 0.06])
@pytest.mark.parametrize("size", [0.8, 0.9, 1.2, 1.4])
def test_eyes_grow_about_their_middles_and_nothing_else_moves(
    face_crop: tuple[Image, Points], right: float, size: float
) -> None:
    image, points = face_crop
    toon = shifted(image, moves(plan(right), image.shape[0]))
    drawn, moved = resized_eyes(toon, plan(right), points, size)
    grown = widths(points, moved) / widths(points, plan(right))
    assert ((grown - 1) * np.sign(size - 1)).min() > 0.6 * abs(size - 1)
    assert ((grown - 1) * np.sign(size - 1)).max() < 1.05 * abs(size - 1)
    for ids in EYE_OUTLINE:
        middles = [toon_points(points[ids], where).mean(0) for where in (plan(right), moved)]
        assert np.abs(middles[1] - middles[0]).max() < 0.006
    far = np.array([[0.5, 0.9], [0.1, 0.1]], np.float32)
    assert np.abs(toon_points(far, moved) - toon_points(far, plan(right))).max() < 1e-4
    rows = slice(int(0.75 * image.shape[0]), None)
    assert np.array_equal(drawn[rows], toon[rows])


def test_the_picture_goes_where_the_plan_says(face_crop: tuple[Image, Points]) -> None:
    image, points = face_crop
    drawn, moved = resized_eyes(image, plan(), points, 1.3)
    expected = shifted(image, moves(moved, image.shape[0]))
    assert np.abs(drawn.astype(int) - expected).mean() < 0.5
    assert np.abs(drawn.astype(int) - image).mean() > 0.5
    assert np.abs(moved[2] - plan()[2]).max() > 0.01  # detail is taken along


def least_area(field: NDArray[np.float32]) -> float:
    """Of a place of a toon in the photo, in shares of its own; below 0 it is folded over."""
    across, down = (np.gradient(field[:2], 1 / field.shape[1], axis=axis) for axis in (2, 1))
    return float(((1 + across[0]) * (1 + down[1]) - across[1] * down[0]).min())


@pytest.mark.parametrize("size", EYE_SIZES)
@pytest.mark.parametrize("kind", ["people", "turned", "sample"])
def test_no_face_is_folded(
    measured_faces: dict[str, NDArray[np.float32]], size: float, kind: str
) -> None:
    still, folded = np.zeros((128, 128, 3), np.uint8), []
    for number, face in enumerate(measured_faces[kind]):
        _, moved = resized_eyes(still, np.zeros((3, 128, 128), np.float32), face / 512, size)
        if least_area(moved) < 0.1:
            folded.append(number)
    assert folded == []


def test_the_size_it_has_changes_nothing(face_crop: tuple[Image, Points]) -> None:
    image, points = face_crop
    drawn, moved = resized_eyes(image, plan(), points, 1.0)
    assert np.array_equal(drawn, image)
    assert np.array_equal(moved, plan())
