"""Skin without the lines that a network leaves of the photo's.

A network learns to iron most lines of a face, but not all of them: forehead and cheeks of older
people keep some as sharp as in the photo, beside skin as smooth as a film's, which makes a
retouched photo of both. A guided filter (He, Sun and Tang, "Guided Image Filtering", 2013) takes
what is fainter than an edge and leaves the form of the face.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.pixels import Floats
from engines.pictures import FloatMask, Image

SIDE = 192  # at which skin is ironed, pixels: a network draws hardly anything finer there
REACH = 0.06  # side of the filter's window, in the picture's sides
EDGE = 20.0  # of 255: fainter lines go, stronger ones are edges
AMOUNT = 0.8  # of it


def ironing(toon: Image, skin: FloatMask) -> Floats:
    """What to add to a toon's light to make its skin even.

    Args:
        toon: uint8 [R, R, 3] BGR.
        skin: float32 [S, S] in [0, 1], where skin may be ironed.

    Returns:
        float32 [F, F], 0..255 scale; F is the lesser of R and `SIDE`.
    """
    small = (min(toon.shape[0], SIDE),) * 2
    grey = cv2.cvtColor(toon, cv2.COLOR_BGR2GRAY)  # first: one channel is averaged faster
    light = cv2.resize(grey, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = np.asarray(cv2.resize(skin, small), np.float32)
    window = 2 * round(REACH * small[0] / 2) + 1
    change = (guided(light, weight, window, EDGE) - light) * weight
    return np.asarray(np.float32(AMOUNT) * change, np.float32)


def guided(light: Floats, weight: Floats, window: int, edge: float) -> Floats:
    """Light [h, w] without what is fainter than an `edge`: filtered by itself in windows of so many
    pixels a side, each place counting as `weight` says."""
    weight = weight + np.float32(1e-4)

    def near(values: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(values, -1, (window, window)), np.float32)

    total, first = near(weight), weight * light
    mean = near(first) / total
    spread = np.maximum(near(first * light) / total - mean * mean, 0)
    follow = spread / (spread + np.float32(edge**2))
    level = mean * (1 - follow)
    return np.asarray((near(follow * weight) * light + near(level * weight)) / total, np.float32)
