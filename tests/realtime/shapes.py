"""A face and a head of simple shapes."""

from __future__ import annotations

import cv2
import numpy as np


def oval_face() -> np.ndarray:
    """Landmarks in an upright ellipse, 0..1 across the crop, with chin (152) and hairline (10)."""
    angles = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    points = np.stack([0.5 + 0.22 * np.sin(angles), 0.55 - 0.28 * np.cos(angles)], axis=1)
    points[10], points[152] = (0.5, 0.27), (0.5, 0.83)
    return points


def head_of_toon() -> np.ndarray:
    mask = np.zeros((256, 256), np.uint8)
    cv2.ellipse(mask, (128, 118), (75, 100), 0, 0, 360, 255, cv2.FILLED)
    return mask
