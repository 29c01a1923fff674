from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.alignment import (
    LEFT_EYE,
    MOUTH_CORNERS,
    RIGHT_EYE,
    AlignmentError,
    crop_transform,
    extract_crop,
    ffhq_quad,
    invert,
    pixel_matrix,
    shrink,
    transform_points,
    transform_scale,
)


def face_at(left: tuple, right: tuple, mouth: tuple) -> np.ndarray:
    """Landmarks whose eye centres and mouth centre lie where they are told to."""
    points = np.zeros((478, 3))
    points[list(LEFT_EYE), :2] = left
    points[list(RIGHT_EYE), :2] = right
    points[list(MOUTH_CORNERS), :2] = mouth
    return points


def rotation(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    a = np.radians(degrees)
    return np.array(
        [
            [scale * np.cos(a), -scale * np.sin(a), x],
            [scale * np.sin(a), scale * np.cos(a), y],
        ]
    )


def test_quad_of_an_upright_face_follows_the_published_formula() -> None:
    # eyes 60 apart, mouth 70 below: half side max(60 * 2, 70 * 1.8) = 126, centre 7 below the eyes
    quad = ffhq_quad(face_at((70, 100), (130, 100), (100, 170)))
    assert np.allclose(quad, [[-26, -19], [-26, 233], [226, 233], [226, -19]])


def test_wide_set_eyes_decide_the_size() -> None:
    quad = ffhq_quad(face_at((60, 100), (140, 100), (100, 150)))
    assert np.isclose(np.hypot(*(quad[3] - quad[0])), 2 * 160)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1), (30, 0.5), (-75, 2.5), (179, 1.2)])
def test_quad_moves_with_the_face(degrees: float, scale: float) -> None:
    face = face_at((70, 100), (130, 104), (97, 170))
    move = rotation(degrees, scale, 40, -9)
    expected = transform_points(ffhq_quad(face), move)
    assert np.allclose(ffhq_quad(transform_points(face, move)), expected, atol=1e-3)


def test_transform_maps_crop_corners_to_the_quad() -> None:
    face = face_at((70, 90), (130, 110), (90, 170))
    transform = crop_transform(face, 256)
    corners = np.array([[0, 0], [0, 256], [256, 256], [256, 0]])
    assert transform.dtype == np.float32
    assert np.allclose(transform_points(corners, transform), ffhq_quad(face), atol=1e-3)
    wide = transform_points(corners, crop_transform(face, 256, scale=1.5))
    assert np.isclose(np.hypot(*(wide[3] - wide[0])), 384 * transform_scale(transform), rtol=1e-4)


def test_invert_undoes_a_transform_and_depth_is_scaled() -> None:
    points = np.random.default_rng(0).uniform(0, 100, (20, 3))
    move = rotation(25, 2.0, 5, 8)
    moved = transform_points(points, move)
    assert np.allclose(moved[:, 2], 2 * points[:, 2], rtol=1e-5)
    assert np.allclose(transform_points(moved, invert(move)), points, atol=1e-3)


def test_identity_crop_is_the_picture_itself() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(extract_crop(picture, rotation(0, 1, 0, 0), 32), picture)


@pytest.mark.parametrize("scale", [1.375, 2, 3, 5, 11])
def test_shrinking_is_an_area_average(scale: float) -> None:
    size = 32
    picture = np.random.default_rng(2).integers(0, 256, (int(size * scale),) * 2 + (3,), np.uint8)
    crop = extract_crop(picture, rotation(0, scale, 0, 0), size)
    expected = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    inner = np.s_[2:-2, 2:-2]
    error = np.abs(crop[inner].astype(int) - expected[inner])
    assert error.mean() < 0.2 * expected[inner].std()


def test_shrinking_averages_blocks() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 96, 3), dtype=np.uint8)
    for factor in (1, 2, 3, 4, 6):
        blocks = image.reshape(48 // factor, factor, 96 // factor, factor, 3).mean((1, 3))
        assert np.abs(shrink(image, factor) - blocks).max() <= 1.5


def test_fine_stripes_do_not_alias() -> None:
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[:, ::2] = 255
    crop = extract_crop(picture, rotation(3, 3.9, 60, 20), 64)[4:-4, 4:-4]
    assert abs(crop.mean() - 127.5) < 3
    assert crop.std() < 6


def test_content_lands_where_the_transform_says() -> None:
    picture = np.zeros((300, 300), np.uint8)
    cv2.circle(picture, (180, 120), 9, 255, cv2.FILLED)
    for scale in (0.5, 1.0, 2.3):
        move = rotation(20, scale, 0, 0)
        move[:, 2] = (180.5, 120.5) - move[:, :2] @ (50.3, 70.8)
        crop = extract_crop(picture, move, 128).astype(float)
        rows, columns = np.mgrid[0:128, 0:128] + 0.5
        centre = np.array([[(crop * columns).sum(), (crop * rows).sum()]]) / crop.sum()
        assert np.allclose(centre, [[50.3, 70.8]], atol=0.1)


@pytest.mark.parametrize("shape", [(50, 60, 3), (50, 1, 3), (2, 40, 3)])
def test_a_crop_may_lie_outside_the_picture(shape: tuple) -> None:
    picture = np.full(shape, 7, np.uint8)
    for scale in (0.7, 4.0, 40.0):
        crop = extract_crop(picture, rotation(0, scale, 500, -300), 32)
        assert crop.shape == (32, 32, 3)
        assert (crop == 7).all()


def test_pixel_matrix_shifts_by_half_a_pixel() -> None:
    assert np.allclose(pixel_matrix(rotation(0, 2, 0, 0))[:, 2], 0.5)


@pytest.mark.parametrize(
    "bad", [np.zeros((5, 2)), np.zeros((478,)), np.zeros((2, 478, 2)), np.zeros((478, 3))]
)
def test_landmarks_without_a_face_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(AlignmentError, match="Expected"):
        ffhq_quad(bad)


@pytest.mark.parametrize("bad", [np.zeros((2, 3)), np.full((2, 3), np.nan)])
def test_a_singular_transform_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(AlignmentError, match="invertible"):
        extract_crop(np.zeros((9, 9, 3), np.uint8), bad, 8)


@pytest.mark.parametrize("part", ["people", "sample"])
def test_training_crops_are_cut_alike(
    measured_faces: dict[str, NDArray[np.float32]], part: str
) -> None:
    """Landmarks measured on an aligned crop give a square that is nearly the crop itself."""
    landmarks = measured_faces[part].astype(np.float64)
    side = 512
    corners = np.array([[0, 0], [0, side], [side, side], [side, 0]])
    quads = np.stack([ffhq_quad(face) for face in landmarks])
    residual = np.hypot(*np.moveaxis(quads - corners, 2, 0)).mean(1)
    assert residual.mean() < 0.008 * side  # what MediaPipe's landmarks move when measured again
    assert np.abs(quads.mean(1).mean(0) - side / 2).max() < 0.001 * side
