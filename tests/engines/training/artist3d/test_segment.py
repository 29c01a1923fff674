"""The parts of a portrait: shapes, sums, and where hair and skin are on a real one."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from engines.faces.landmarker import Landmarker
from engines.faces.people import people
from engines.pictures import read_picture
from engines.training.artist3d.segment import WEIGHTS, FaceParts, landmark_maps, segment

PORTRAIT = 3  # a woman with short red hair before a dark wall


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return read_picture(people()[PORTRAIT]).rgb


@pytest.fixture(scope="module")
def landmarks(photo: np.ndarray) -> np.ndarray:
    with Landmarker() as landmarker:
        (face,) = landmarker.detect(photo)
    return face.points.astype(np.float32)


@pytest.fixture(scope="module")
def parts(photo: np.ndarray, landmarks: np.ndarray) -> FaceParts:
    return segment(photo, landmarks)


def test_weights_are_small() -> None:
    assert WEIGHTS.stat().st_size < 1_500_000


def test_masks_share_every_pixel(parts: FaceParts) -> None:
    masks = np.stack(astuple(parts))
    assert masks.shape == (7, 512, 512)
    assert masks.dtype == np.float32
    assert masks.min() >= 0
    np.testing.assert_allclose(masks.sum(0), 1, atol=1e-4)


def test_skin_and_hair_are_where_they_are(parts: FaceParts, landmarks: np.ndarray) -> None:
    for cheek in (50, 280, 4, 151):
        column, row = landmarks[cheek, :2].astype(int)
        assert parts.skin[row, column] > 0.9
    assert parts.other[20, 20] > 0.9
    assert parts.other[20, -20] > 0.9
    above = landmarks[10, :2] - 0.35 * (landmarks[152, :2] - landmarks[10, :2])
    assert parts.hair[int(above[1]), int(above[0])] > 0.8
    assert parts.headwear.mean() < 0.02
    assert parts.object.mean() < 0.02


def test_same_picture_same_masks(
    photo: np.ndarray, landmarks: np.ndarray, parts: FaceParts
) -> None:
    again = segment(photo, landmarks)
    np.testing.assert_array_equal(np.stack(astuple(again)), np.stack(astuple(parts)))


def test_landmark_maps_follow_the_face(landmarks: np.ndarray) -> None:
    maps = landmark_maps(landmarks / 2, 256)
    assert maps.shape == (5, 256, 256)
    assert maps.dtype == np.float32
    column, row = (landmarks[4, :2] / 2).astype(int)  # the tip of the nose
    assert maps[2, row, column] > 0.5
    assert maps[2, 0, 0] < -0.9
    assert abs(float(maps[0, row, column])) < 0.2
    assert float(maps[1, row, column]) > 0
