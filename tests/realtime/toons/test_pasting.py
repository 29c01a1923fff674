from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.faces.alignment import pixel_matrix
from realtime.compositing import GRID, toon_mask
from realtime.toons.pasting import coverage, paste
from tests.realtime.test_compositing import oval_face


def place(scale: float, x: float, y: float, degrees: float = 0) -> np.ndarray:
    """Crop of GRID pixels -> frame, about the crop's centre at (x, y)."""
    a = np.radians(degrees)
    matrix = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0]]) * scale
    matrix[:, 2] = (x, y) - matrix[:, :2] @ (GRID / 2, GRID / 2)
    return matrix


@pytest.mark.parametrize(("scale", "degrees"), [(0.3, 0), (1.0, 15), (2.6, -40)])
def test_paste_puts_the_toon_where_the_transform_says(scale: float, degrees: float) -> None:
    toon = np.zeros((256, 256, 3), np.uint8)
    cv2.circle(toon, (96, 150), 22, (0, 200, 255), cv2.FILLED)
    frame, alpha = np.zeros((360, 640, 3), np.uint8), np.zeros((360, 640), np.uint8)
    transform = place(scale, 300, 180, degrees)
    paste(frame, alpha, toon, np.ones((GRID, GRID), np.float32), transform)
    weight = frame[..., 2].astype(float)
    rows, columns = np.mgrid[0:360, 0:640] + 0.5
    centre = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
    expected = transform[:, :2] @ (96.5 / 2, 150.5 / 2) + transform[:, 2]
    assert np.allclose(centre, expected, atol=0.35)


def test_paste_touches_only_the_mask_and_blends_by_it() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (300, 400, 3), np.uint8)
    before, alpha = frame.copy(), np.zeros((300, 400), np.uint8)
    mask = toon_mask("face", oval_face(), None)
    transform = place(1.7, 210, 140, 10)
    paste(frame, alpha, np.full((256, 256, 3), 90, np.uint8), mask, transform)
    weight = cv2.warpAffine(mask, pixel_matrix(transform), (400, 300))[..., None]
    assert np.array_equal(frame[alpha == 0], before[alpha == 0])
    assert np.abs(frame - (before * (1 - weight) + 90 * weight)).max() < 6
    assert np.abs(alpha / 255 - weight[..., 0]).max() < 0.02


@pytest.mark.parametrize("at", [(-20, 100), (390, 290), (200, -15), (5000, 5000)])
def test_paste_at_and_beyond_the_border(at: tuple) -> None:
    frame, alpha = np.zeros((300, 400, 3), np.uint8), np.zeros((300, 400), np.uint8)
    paste(frame, alpha, np.full((64, 64, 3), 255, np.uint8),
          toon_mask("crop", oval_face(), None), place(1.0, *at))  # fmt: skip
    assert (alpha.max() > 0) == (at != (5000, 5000))
    assert np.abs(frame.max(2).astype(int) - alpha).max() <= 1


def test_alpha_keeps_the_strongest_toon() -> None:
    frame, alpha = np.zeros((200, 200, 3), np.uint8), np.full((200, 200), 77, np.uint8)
    mask = np.full((GRID, GRID), 0.5, np.float32)
    mask[: GRID // 2] = 0.1
    paste(frame, alpha, np.zeros((64, 64, 3), np.uint8), mask, place(1.0, 100, 100))
    assert alpha.min() == 77
    assert int(alpha.max()) == pytest.approx(128, abs=1)


def test_a_mask_without_visible_pixels_changes_nothing() -> None:
    frame, alpha = np.full((200, 200, 3), 9, np.uint8), np.zeros((200, 200), np.uint8)
    toon = np.full((64, 64, 3), 255, np.uint8)
    paste(frame, alpha, toon, np.full((GRID, GRID), 0.001, np.float32), place(1.0, 100, 100))
    assert not alpha.any()
    assert (frame == 9).all()


def test_coverage_counts_landmarks_in_the_picture() -> None:
    alpha = np.zeros((100, 100), np.uint8)
    alpha[:, 50:] = 255
    points = np.array([[10, 10], [60, 10], [99.5, 99.5], [90, 50], [120, 50], [-3, 5]])
    assert coverage(alpha, points) == 0.75
    assert coverage(alpha, points[-2:]) == 1.0
