"""How a face has moved, on a portrait that is moved by known transforms."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality.scenes.moves import close_eyes, open_mouth
from engines.faces.alignment import pixel_matrix, transform_points
from engines.faces.landmarker import FaceLandmarks, Landmarker
from engines.pictures import Image
from realtime.faces import motion
from realtime.faces.motion import Anchor, likeness, similarity
from realtime.sources.sitters import portrait

SIDE = 512


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.ascontiguousarray(portrait()[:SIDE, :SIDE])


@pytest.fixture(scope="module")
def face(picture: np.ndarray) -> FaceLandmarks:
    with Landmarker(blendshapes=False) as landmarker:
        return landmarker.detect(np.ascontiguousarray(picture[:, :, ::-1]))[0]


def moved(picture: np.ndarray, move: np.ndarray, light: float = 1.0) -> np.ndarray:
    """The picture moved (about pixels as landmarks count them), lit otherwise and noisy."""
    image = cv2.warpAffine(
        picture, pixel_matrix(move), (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE
    )
    grain = np.random.default_rng(1).normal(0, 4, image.shape)
    return np.clip(image * light + grain, 0, 255).astype(np.uint8)


def turn(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    move = cv2.getRotationMatrix2D((256.0, 220.0), degrees, scale).astype(np.float64, copy=False)
    move[:, 2] += np.array([x, y])
    return move


def size(face: FaceLandmarks) -> float:
    return float(np.ptp(face.points[:, :2], axis=0).max())


@pytest.mark.parametrize("shrunk", [1.0, 0.3])
@pytest.mark.parametrize(
    "move", [turn(0, 1, 0, 0), turn(0, 1, 9.3, -4.7), turn(2, 1.02, 3, 2), turn(-3, 0.97, -12, 5)]
)
def test_a_face_is_carried_to_where_it_is(
    picture: Image, face: FaceLandmarks, move: NDArray[np.float64], shrunk: float
) -> None:
    shrink = np.diag([shrunk, shrunk, 1.0])
    start = moved(picture, shrink[:2])
    there = FaceLandmarks(transform_points(face.points, shrink[:2]))
    both = shrink @ np.vstack([move, [0, 0, 1]])
    carried = Anchor.of(there, start).moved(moved(picture, both[:2], light=0.9), there)
    assert carried is not None
    off = np.hypot(*(carried.face.points - transform_points(face.points, both[:2]))[:, :2].T)
    assert off.max() < 0.007 * size(there)


@pytest.mark.parametrize("move", [turn(0, 1.05, 0, 0), turn(3, 0.97, -9, 5)])
def test_landmarks_are_carried_exactly_as_the_picture_moves(
    picture: Image, face: FaceLandmarks, move: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = Anchor.of(face, picture)
    assert anchor.factor > 1
    left, top = anchor.window[:2]
    small = np.array([[anchor.factor, 0, left], [0, anchor.factor, top], [0, 0, 1.0]])
    seen = np.linalg.inv(small) @ np.vstack([move, [0, 0, 1]]) @ small  # by the shrunk window
    monkeypatch.setattr(motion, "similarity", lambda *_: pixel_matrix(seen[:2]))
    carried = anchor.moved(moved(picture, move), face)
    assert carried is not None
    np.testing.assert_allclose(carried.face.points, transform_points(face.points, move), atol=2e-3)


def test_it_goes_on_from_where_the_face_was_last(picture: Image, face: FaceLandmarks) -> None:
    anchor, last = Anchor.of(face, picture), face
    for step in range(1, 6):
        carried = anchor.moved(moved(picture, turn(0, 1, 4.0 * step, 0)), last)
        assert carried is not None
        last = carried.face
    off = last.points[:, :2] - face.points[:, :2] - (20, 0)
    assert np.abs(off).max() < 1


@pytest.mark.parametrize(
    "move", [turn(0, 1, 60, 0), turn(0, 1, 0, -200), turn(12, 1, 0, 0), turn(0, 1.2, 0, 0)]
)
def test_a_large_motion_must_be_looked_at(
    picture: Image, face: FaceLandmarks, move: NDArray[np.float64]
) -> None:
    assert Anchor.of(face, picture).moved(moved(picture, move), face) is None


def test_a_face_that_is_gone_or_hidden_is_not_carried(picture: Image, face: FaceLandmarks) -> None:
    anchor = Anchor.of(face, picture)
    left, top = face.points[:, :2].min(0).astype(int)
    right, bottom = face.points[:, :2].max(0).astype(int)
    flat = picture.copy()
    flat[top - 40 : bottom + 40, left - 40 : right + 40] = 120
    hand = picture.copy()
    hand[(top + bottom) // 2 : bottom + 40, left:right] = (120, 140, 190)
    for other in (flat, hand, np.zeros_like(picture), picture[::-1].copy(), picture[:, ::-1]):
        assert anchor.moved(np.ascontiguousarray(other), face) is None


def test_a_jaw_that_drops_must_be_looked_at_and_a_blink_need_not(
    picture: Image, face: FaceLandmarks
) -> None:
    anchor = Anchor.of(face, picture)
    rgb = np.ascontiguousarray(picture[:, :, ::-1])
    talking = open_mouth(rgb, face.points, 0.1)[:, :, ::-1]
    open_wide = open_mouth(rgb, face.points, 0.5)[:, :, ::-1]
    blink = close_eyes(rgb, face.points, 1.0)[:, :, ::-1]
    assert anchor.moved(np.ascontiguousarray(open_wide), face) is None
    for image in (talking, blink):
        carried = anchor.moved(np.ascontiguousarray(image), face)
        assert carried is not None
        assert np.abs(carried.face.points - face.points).max() < 0.01 * size(face)


def test_a_face_at_the_edge_of_the_picture(picture: Image, face: FaceLandmarks) -> None:
    left = int(face.points[:, 0].min()) + 25
    cut = np.ascontiguousarray(picture[:, left:])
    there = FaceLandmarks(face.points - np.array([left, 0, 0], np.float32))
    assert Anchor.of(there, cut).moved(cut, there) is not None
    outside = FaceLandmarks(face.points - np.array([SIDE, 0, 0], np.float32))
    assert Anchor.of(outside, picture).moved(picture, outside) is None


def test_a_similarity_leaves_out_what_does_not_agree() -> None:
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 100, (40, 2))
    move = turn(4, 1.03, 7, -2)
    end = start @ move[:, :2].T + move[:, 2]
    end[:12] += rng.uniform(-30, 30, (12, 2))
    found = similarity(start, end, 24, 0.5)
    assert found is not None
    np.testing.assert_allclose(found, move, atol=1e-6)
    end[:20] += rng.uniform(-30, 30, (20, 2))
    assert similarity(start, end, 24, 0.5) is None
    assert similarity(start[:2], end[:2], 2, 0.5) is None


def test_likeness() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 200, (30, 40), np.uint8)
    assert likeness(image, image // 2 + 20) > 0.99
    assert abs(likeness(image, rng.integers(0, 200, (30, 40), np.uint8))) < 0.3
    assert likeness(image, np.full_like(image, 9)) == 0
    assert likeness(image[:2, :2], image[:2, :2]) == 0
