"""The shape of a style, from landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import LOWER_LID, UPPER_LID
from engines.faces.head import CHIN, MOUTH_CORNERS
from engines.training.artist.geometry import least_stretch
from engines.training.own.shape import (
    EYES,
    FEWEST_FACES,
    LEAST_STRETCH,
    in_sides,
    learn_shape,
    plate,
)
from engines.training.pairs.pair_set import WARP_GRID
from tests.engines.training.factory import tiny_pairs

Floats = NDArray[np.float32]
WIDER, TALLER, SHORTER = 1.3, 1.5, 0.02


@pytest.fixture(scope="module")
def people(measured_faces: dict[str, Floats]) -> Floats:
    """Landmarks of aligned portraits, 1 = the picture's side."""
    return measured_faces["people"][:, :, :2] / 512


@pytest.fixture(scope="module")
def style(people: Floats) -> Floats:
    """Faces with larger eyes and a shorter chin."""
    out = people.copy()
    for ids in EYES:
        centre = out[:, ids].mean(1, keepdims=True)
        out[:, ids] = centre + (out[:, ids] - centre) * np.float32([WIDER, TALLER])
    out[:, CHIN, 1] -= SHORTER
    return out


def width(faces: Floats) -> Floats:
    return np.linalg.norm(faces[..., UPPER_LID[0][0], :] - faces[..., UPPER_LID[0][-1], :], axis=-1)


def opening(faces: Floats) -> Floats:
    upper, lower = (faces[..., lids[0][4], :] for lids in (UPPER_LID, LOWER_LID))
    return np.linalg.norm(upper - lower, axis=-1)


def test_people_take_the_features_of_the_style(people: Floats, style: Floats) -> None:
    shape = learn_shape(style, people)
    assert shape is not None
    moved = np.stack([shape.apply(face) for face in people])
    assert np.median(width(moved) / width(people)) == pytest.approx(WIDER, rel=0.08)
    assert np.median(opening(moved) / opening(people)) == pytest.approx(TALLER, rel=0.12)
    assert np.median(people[:, CHIN, 1] - moved[:, CHIN, 1]) == pytest.approx(SHORTER, abs=0.005)
    mouths = [np.ptp(faces[:, MOUTH_CORNERS, 0], axis=1) for faces in (people, moved)]
    assert mouths[1] == pytest.approx(mouths[0], rel=0.05)  # as the style's, which are people's


def test_closed_eyes_stay_closed(people: Floats, style: Floats) -> None:
    shape = learn_shape(style, people)
    assert shape is not None
    asleep = people[0].copy()
    for upper, lower in zip(UPPER_LID, LOWER_LID, strict=True):
        asleep[upper] = asleep[lower]
    moved = shape.apply(asleep)
    assert opening(moved) < 0.15 * opening(shape.apply(people[0]))


def test_the_picture_is_bent_to_where_the_landmarks_go(people: Floats, style: Floats) -> None:
    """At the place of a moved landmark, the warp leads back to where it was."""
    shape = learn_shape(style, people)
    assert shape is not None
    for face in people[:8]:
        warp, moved = shape.bend(face), shape.apply(face)
        for point in (CHIN, UPPER_LID[0][4], MOUTH_CORNERS[1]):
            column, row = (moved[point] * 64).astype(int)
            back = moved[point] + warp[row, column]
            assert back == pytest.approx(face[point], abs=0.012)
        assert np.abs(warp[[0, -1]]).max() < 0.01  # the picture's edge stays


def test_nothing_folds(people: Floats) -> None:
    """Not even by a style as far from people as is allowed."""
    wild = people.copy()
    for ids in EYES:
        centre = wild[:, ids].mean(1, keepdims=True)
        wild[:, ids] = centre + (wild[:, ids] - centre) * 3
    wild[:, CHIN, 1] -= 0.2
    shape = learn_shape(wild, people)
    assert shape is not None
    warps = [shape.bend(face) for face in people[:12]]
    assert min(least_stretch(warp * WARP_GRID) for warp in warps) >= LEAST_STRETCH
    assert max(float(np.abs(warp).max()) for warp in warps) > 0.02


def test_a_style_like_people_changes_nothing(people: Floats) -> None:
    shape = learn_shape(people[::2], people[::2])
    assert shape is not None
    assert shape.apply(people[1]) == pytest.approx(people[1], abs=1e-5)


def test_without_enough_faces_there_is_no_shape(people: Floats) -> None:
    unknown = np.full_like(people, np.nan)
    unknown[: FEWEST_FACES - 1] = people[: FEWEST_FACES - 1]
    assert learn_shape(unknown, people) is None


def test_landmarks_are_told_in_sides(people: Floats) -> None:
    pairs = replace(tiny_pairs(2), landmarks=people[:2] * 32)
    assert in_sides(pairs) == pytest.approx(people[:2], abs=1e-6)


def test_a_plate_leads_from_one_face_to_another_or_says_that_it_folds(people: Floats) -> None:
    other = (0.7 * people[0] + 0.3 * people[1]).astype(np.float32)
    warp = plate(people[0], other)
    assert warp is not None
    column, row = (other[CHIN] * WARP_GRID).astype(int)
    assert other[CHIN] + warp[row, column] == pytest.approx(people[0, CHIN], abs=0.012)
    upside_down = people[1] * [1, -1] + [0, 1]
    assert plate(people[0], upside_down.astype(np.float32)) is None
