"""Eyes of one colour in a photo, and what the loop would know of them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import EYE, LOWER_LID, UPPER_LID, eye_iris
from engines.pictures import Image
from realtime.compositing import GRID
from realtime.toons.eyes.painting import Eyes
from realtime.toons.eyes.watch import EyeWatch
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


def covered(image: Image, points: NDArray[np.float32], eye: int) -> Image:
    """The same picture with skin over one eye, as by a hand."""
    low, high = points[EYE[eye], :2].min(0) * SIDE, points[EYE[eye], :2].max(0) * SIDE
    image, cheek = image.copy(), points[205, :2] * SIDE
    x0, y0, x1, y1 = np.round([*(low - 8), *(high + 8)]).astype(int)
    image[y0:y1, x0:x1] = image[int(cheek[1]), int(cheek[0])]
    return image


def with_height(points: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """The same landmarks with both eyes of one height, in shares of their widths."""
    out = points.copy()
    for upper, lower in zip(UPPER_LID, LOWER_LID, strict=True):
        middle = points[[*upper, *lower], 1].mean()
        width = np.ptp(points[upper, 0])
        scale = ratio * width / np.linalg.norm(points[upper[4], :2] - points[lower[4], :2])
        inner = [*upper[1:-1], *lower[1:-1]]
        out[inner, 1] = middle + scale * (points[inner, 1] - middle)
    return out
