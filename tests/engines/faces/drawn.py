"""Landmarks of two eyes that look straight ahead, for pictures drawn to fit them, and paint."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.eyes.iris import iris_tones
from engines.faces.eyes.paint import EyePaint
from engines.faces.features import BROW, IRIS, LOWER_LID, UPPER_LID

SIZE = 240
SKIN = np.full((SIZE, SIZE, 3), (0.8, 0.62, 0.55), np.float32)
PAINT = EyePaint(
    tones=iris_tones(np.array([0.4, -1.5, -5.0]), 1.0, 1.0, 0.0),
    exposure=1.0,
    lash=np.array([0.1, 0.06, 0.05], np.float32),
    skin_shadow=np.array([0.5, 0.35, 0.3], np.float32),
    lashes=0.5,
    iris_scale=1.2,
    light_side=0.0,
    colour=1.0,
    unit=0.4 * SIZE,
)


def grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def eye_landmarks(size: int, *, gap: float = 0.35) -> NDArray[np.float32]:
    """[478, 3] pixels of a square picture; only eyes and brows are where they should be.

    Args:
        gap: lid distance in widths of the eye.
    """
    points = np.full((478, 3), size / 2, np.float32)
    width, across = 0.2 * size, np.linspace(-0.5, 0.5, 9)
    bend = gap / 2 * (1 - (2 * across) ** 2)
    for eye, side in enumerate((-1, 1)):
        middle = np.array([size / 2 + side * 0.2 * size, 0.5 * size])
        for lid, sign in ((UPPER_LID[eye], -1), (LOWER_LID[eye], 1)):
            points[lid, 0] = middle[0] - side * across * width
            points[lid, 1] = middle[1] + sign * bend * width
        centre, ring = IRIS[eye]
        points[centre, :2] = middle
        turn = np.arange(4) * np.pi / 2
        radius = 0.22 * width
        points[ring, 0] = middle[0] + radius * np.cos(turn)
        points[ring, 1] = middle[1] + radius * np.sin(turn)
        points[BROW[eye], 1] = middle[1] - 0.5 * width
        points[BROW[eye], 0] = middle[0] + np.linspace(-0.5, 0.5, 10) * width
    return points
