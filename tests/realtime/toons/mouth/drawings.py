"""A face of a few flat colours with a mouth and a nose, and where they are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import INNER_LIPS, LIPS, NOSE_BASE, NOSE_TIP
from engines.pictures import Image
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.surface import EARS, SPOTS

SIDE = 384
SKIN, LIP, TOOTH, DARK = (140, 170, 215), (120, 115, 190), (225, 235, 240), (30, 30, 60)  # BGR
MOUTH = (0.5, 0.66)


def landmarks(gap: float = 0.0) -> NDArray[np.float32]:
    """A mouth that is open by `gap`, a nose and cheeks, 0..1."""
    points = np.full((478, 2), 0.5, np.float32)
    for ids, half, tall in ((LIPS, 0.11, 0.036 + gap / 2), (INNER_LIPS, 0.095, gap / 2)):
        # Both begin at the left corner, go along the lower lip and come back along the upper one.
        turn = np.arange(20) * np.pi / 10
        points[ids, 0] = MOUTH[0] - half * np.cos(turn)
        points[ids, 1] = MOUTH[1] + tall * np.sin(turn)
    about = np.arange(len(NOSE_BASE)) * 2 * np.pi / len(NOSE_BASE)
    points[NOSE_BASE] = np.stack([0.5 + 0.07 * np.cos(about), 0.54 + 0.03 * np.sin(about)], 1)
    points[list(SPOTS)] = 0.32, 0.60  # on skin
    points[[*EARS, NOSE_TIP]] = (0.22, 0.5), (0.78, 0.5), (0.5, 0.51)
    return points


def filled(picture: Image, outline: NDArray[np.float32], colour: tuple[int, int, int]) -> None:
    cv2.fillPoly(picture, [np.round(outline * SIDE).astype(np.int32)], colour)


def toon(gap: float = 0.0, lip: tuple[int, int, int] = LIP) -> Image:
    picture = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    points = landmarks(gap)
    filled(picture, points[LIPS], lip)
    if gap:
        filled(picture, points[INNER_LIPS], TOOTH)
    return picture


def at(x: float, y: float, reach: int = 2) -> tuple[slice, slice]:
    column, row = round(x * SIDE), round(y * SIDE)
    return slice(row - reach, row + reach + 1), slice(column - reach, column + reach + 1)


def light(picture: Image) -> NDArray[np.float32]:
    return as_lab(picture)[..., 0]
