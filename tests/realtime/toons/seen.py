"""Eyes of one colour in a photo, and what the loop would know of them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import EYE, eye_iris
from engines.pictures import Image
from realtime.compositing import GRID
from realtime.toons.eyes import Eyes, EyeWatch
from tests.realtime.toons.conftest import SIDE

BROWN, BLUE = (26, 46, 72), (150, 105, 75)  # BGR


def with_eyes(image: Image, points: NDArray[np.float32], colour: tuple[int, int, int]) -> Image:
    """A picture with clear eyes, their irises in one colour (BGR)."""
    out, at = image.copy(), points[:, :2] * SIDE
    for eye in range(2):
        white, iris = (np.zeros((SIDE, SIDE), np.uint8) for _ in range(2))
        cv2.fillPoly(white, [np.round(at[EYE[eye]]).astype(np.int32)], 255)
        centre, ring = eye_iris(points, eye)
        radius = float(np.linalg.norm(at[ring] - at[centre], axis=1).mean())
        cv2.circle(iris, np.round(at[centre]).astype(int).tolist(), round(radius), 255, -1)
        out[white > 0] = 225
        out[(white > 0) & (iris > 0)] = colour
    return out


def see(
    image: Image,
    points: NDArray[np.float32],
    watch: EyeWatch | None = None,
    *,
    time: float = 0.0,
    zoom: float = 1.0,
    toon: Image | None = None,
) -> Eyes:
    drawn = image if toon is None else toon
    return (watch or EyeWatch()).see(1, time, image, drawn, points, points[:, :2], zoom)


def placed(side: int, angle: float = 0.0) -> NDArray[np.float64]:
    """[2, 3] from a crop of `GRID` to a frame, about the middle of a square of `side`."""
    c, s = np.array([np.cos(angle), np.sin(angle)]) * side / GRID
    linear = np.array([[c, -s], [s, c]])
    return np.column_stack([linear, side / 2 - linear @ np.full(2, GRID / 2)])
