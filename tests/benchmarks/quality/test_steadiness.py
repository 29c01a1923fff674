"""Flicker, shifts and detail of pictures whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.quality import steadiness
from benchmarks.quality.portraits import Portrait
from tests.benchmarks.conftest import SIDE


def test_flicker_is_that_of_the_noise() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    frames = steadiness.noisy_copies(grey, 12)
    assert steadiness.flicker(frames) == pytest.approx(steadiness.WEBCAM_SIGMA, rel=0.1)
    assert steadiness.flicker(np.stack([grey] * 4)) == 0


@pytest.mark.parametrize(("dx", "dy"), [(1, 0), (0, 2), (-3, 0), (4, 4)])
def test_shifts_are_followed_or_not(person: Portrait, dx: int, dy: int) -> None:
    still = person.crop(SIDE)
    moved = steadiness.shifted(still, dx, dy)
    assert steadiness.shift_error(still, moved, dx, dy) == pytest.approx(0, abs=0.02)
    assert steadiness.shift_error(still, still, dx, dy) == pytest.approx(1)
    assert steadiness.measured_shift(still, moved) == pytest.approx((dx, dy), abs=0.25)


def test_detail_falls_with_blur(person: Portrait) -> None:
    crop, left = person.crop(SIDE), np.zeros((SIDE, SIDE), np.uint8)
    left[:, : SIDE // 2] = 255
    blurred = crop.copy()
    blurred[:, : SIDE // 2] = cv2.GaussianBlur(crop, (0, 0), 2)[:, : SIDE // 2]
    assert steadiness.detail(blurred, left) < 0.4 * steadiness.detail(crop, left)
    right = 255 - left
    assert steadiness.detail(blurred, right) == pytest.approx(steadiness.detail(crop, right), 0.1)
