"""How soft a camera's picture of a face is: what is painted sharper than it looks pasted on."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, step
from engines.pictures import Image
from realtime.toons.memory import Memory, lately, share_of

INTERVAL, MEMORY = 1.0, 3.0  # seconds between two looks, and in which what is known follows them
SMOOTHED = 1.0  # pixels of a crop: noise has steeper edges than anything in it
NEAR = 9  # side of the window in which an edge's range of light is looked for, pixels
STEEPEST = 0.03  # share of a face's pixels that count as edges
SHARP = 1.65  # width of edges in a sharp picture, pixels: lids and lips are no steps of light
SOFT = (1.85, 2.05)  # the same that is sharp .. soft: portraits have 1.4 to 1.9
UNSEEN = 0.2  # pixels of blur that nobody sees
SMALLEST = 2 * NEAR  # pixels of a face below which this says nothing


class SoftWatch(Memory[tuple[float, float]]):
    """How soft everybody's picture is, over time. It is looked at once a second."""

    def see(self, identity: int, time: float, crop: Image, points: NDArray[np.floating]) -> float:
        """How soft one person's picture is, as `softness` says; arguments as there."""
        known = self._known.get(identity)
        if known is not None and lately(time - known[0], INTERVAL):
            return known[1]
        soft = softness(crop, points)
        if known is not None:
            soft = known[1] + share_of(time - known[0], MEMORY) * (soft - known[1])
        self._known[identity] = time, soft
        return soft


def softness(crop: Image, points: NDArray[np.floating]) -> float:
    """By how much a face is blurred in a picture, as the deviation of a Gaussian.

    A step of light that is blurred by s has its range of light over s times the root of 2 pi as
    its steepest slope. The steepest edges of a face are looked at.

    Args:
        crop: uint8 [S, S, 3] BGR.
        points: [478, >=2], the face's landmarks in it, 0..1.

    Returns:
        In shares of the crop's side; 0 for a sharp one. More than about 2.5 pixels of the crop are
        taken for so many.
    """
    side = len(crop)
    at = np.clip(np.asarray(points[:, :2]) * side, 0, side).astype(int)
    (left, top), (right, bottom) = at.min(0), at.max(0)
    if min(right - left, bottom - top) < SMALLEST:
        return 0.0
    grey = cv2.cvtColor(crop[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    light = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), SMOOTHED)
    across, down = (
        cv2.Sobel(light, cv2.CV_32F, *d, ksize=3, scale=1 / 8) for d in ((1, 0), (0, 1))
    )
    slope = cv2.magnitude(across, down)
    window = np.ones((NEAR, NEAR), np.uint8)
    edges = slope >= max(float(np.quantile(slope, 1 - STEEPEST)), 1e-3)
    if not edges.any():
        return 0.0
    reach = (cv2.dilate(light, window) - cv2.erode(light, window))[edges]
    width = float(np.median(reach / slope[edges])) / math.sqrt(2 * math.pi)
    return step(*SOFT, width) * math.sqrt(max(width**2 - SHARP**2, 0.0)) / side


def blurred(painted: Floats, deviation: float) -> Floats:
    """Something painted, float32 [h, w] or [h, w, 3], blurred by a Gaussian of so many pixels."""
    if deviation < UNSEEN:
        return painted
    return cv2.GaussianBlur(painted, (0, 0), deviation)
