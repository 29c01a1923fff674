"""How soft a camera's picture of a face is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.softness import SoftWatch, blurred, softness
from tests.realtime.toons.conftest import SIDE

Face = tuple[Image, NDArray[np.float32]]


def soft(image: Image, deviation: float) -> Image:
    return as_uint8(cv2.GaussianBlur(image, (0, 0), deviation))


def test_a_sharp_picture_is_not_soft(face_crop: Face) -> None:
    image, points = face_crop
    assert softness(image, points) == 0
    half = as_uint8(cv2.resize(image, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA))
    assert softness(half, points) == 0  # of fewer pixels, and as sharp as those can be
    noise = np.random.default_rng(3).normal(0, 8, image.shape)
    assert softness(np.clip(image + noise, 0, 255).astype(np.uint8), points) == 0


@pytest.mark.parametrize("noise", [0.0, 6.0])
@pytest.mark.parametrize("deviation", [2.0, 2.5, 3.0])
def test_the_blur_of_a_soft_picture_is_measured(
    face_crop: Face, deviation: float, noise: float
) -> None:
    image, points = face_crop
    grain = np.random.default_rng(3).normal(0, noise, image.shape)
    grainy = np.clip(soft(image, deviation) + grain, 0, 255).astype(np.uint8)
    assert softness(grainy, points) * SIDE == pytest.approx(deviation, rel=0.3)


def test_a_heavy_blur_is_not_overrated(face_crop: Face) -> None:
    image, points = face_crop
    assert 2.3 < softness(soft(image, 6.0), points) * SIDE < 6


def test_a_tiny_face_one_beside_the_picture_and_a_plain_one_say_nothing(face_crop: Face) -> None:
    image, points = face_crop
    tiny = as_uint8(cv2.resize(image, (24, 24), interpolation=cv2.INTER_AREA))
    assert softness(tiny, points) == 0
    assert softness(image, points + np.float32(2)) == 0
    assert softness(np.full_like(image, 90), points) == 0


def test_what_is_known_follows_what_is_seen_slowly(face_crop: Face) -> None:
    image, points = face_crop
    watch, blurry = SoftWatch(), soft(image, 3.0)
    whole = softness(blurry, points)
    assert watch.see(1, 0.0, blurry, points) == whole
    assert watch.see(1, 0.1, image, points) == whole  # it is not looked at yet
    assert 0.6 * whole < watch.see(1, 1.0, image, points) < whole
    assert watch.see(1, 30.0, image, points) < 0.01 * whole
    assert watch.see(2, 30.0, blurry, points) == whole  # somebody else
    watch.forget(but=[2])
    assert watch.see(1, 31.0, blurry, points) == whole


def test_a_blur_that_nobody_sees_is_none() -> None:
    picture = np.zeros((9, 9, 3), np.float32)
    picture[4, 4] = 1
    assert blurred(picture, 0.1) is picture
    assert blurred(picture, 1.0)[4, 4, 0] < 0.3
