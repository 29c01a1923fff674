"""Steadiness and sharpness: flicker on a still face, movement with the crop, fine detail."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.pictures import Image

WEBCAM_SIGMA = 3.0
"""Sensor noise of a webcam in a lit room, of 255."""


def noisy_copies(image: Image, count: int, seed: int = 0) -> NDArray[np.uint8]:
    """A still picture as a webcam sees it: uint8 [count, H, W, 3], fresh noise in each."""
    noise = np.random.default_rng(seed).normal(0, WEBCAM_SIGMA, (count, *image.shape))
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def flicker(frames: NDArray[np.uint8]) -> float:
    """Mean over pixels of the deviation over time, of 255: uint8 [T, H, W, 3]."""
    return float(frames.astype(np.float32).std(axis=0, ddof=1).mean())


def shifted(image: Image, dx: float, dy: float) -> Image:
    """The picture moved right by dx and down by dy pixels, edges mirrored."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    return cv2.warpAffine(
        image, matrix, image.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.uint8, copy=False)


def shift_error(still: Image, moved: Image, dx: float, dy: float) -> float:
    """What is left of a movement when the output should have moved by (dx, dy) output pixels.

    Mean difference between the output of the moved crop and the moved output, as a share of the
    difference that an output which did not move at all would show. 0: moves exactly with the
    crop; 1: stands still. The margin is ignored.
    """
    edge = int(np.ceil(max(abs(dx), abs(dy)))) + still.shape[0] // 16
    inner = np.s_[edge:-edge, edge:-edge]
    expected = shifted(still, dx, dy).astype(np.float32)
    stuck = np.abs(still.astype(np.float32) - expected)[inner].mean()
    left = np.abs(moved.astype(np.float32) - expected)[inner].mean()
    return float(left / max(stuck, 1e-6))


def measured_shift(still: Image, moved: Image) -> tuple[float, float]:
    """(dx, dy) by which the content of `moved` lies off `still`, by phase correlation, pixels."""
    a, b = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (still, moved))
    window = cv2.createHanningWindow(a.shape[::-1], cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(a, b, window)
    return float(dx), float(dy)


def detail(image: Image, where: NDArray[np.uint8]) -> float:
    """High-frequency energy: mean square of luminance minus itself blurred, scale-free.

    The blur is 1.5 px at 256 px and grows with the picture.

    Args:
        image: uint8 [S, S, 3] RGB.
        where: uint8 [S, S] of weights.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    soft = cv2.GaussianBlur(grey, (0, 0), 1.5 * image.shape[0] / 256)
    return float(np.average(np.square(grey - soft), weights=where))


def worst_first(values: Sequence[float]) -> list[int]:
    """Indices from the largest value to the smallest."""
    return [int(i) for i in np.argsort(values)[::-1]]
