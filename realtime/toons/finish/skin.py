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
HUE = 0.15  # side of the window in which skin's colour is looked for, in the picture's sides
FOLD, FILLED = (
    0.050,
    0.65,
)  # widest fold of a cheek, in the picture's sides, and how far it is filled


def ironing(toon: Image, skin: FloatMask, cheeks: FloatMask) -> Floats:
    """What to add to a toon to make its skin even; light has the colour of the skin about.

    Args:
        toon: uint8 [R, R, 3] BGR.
        skin: float32 [S, S] in [0, 1], where skin may be ironed.
        cheeks: the same where deep folds are filled, too.

    Returns:
        float32 [F, F, 3] BGR, 0..255 scale; F is the lesser of R and `SIDE`.
    """
    small = (min(toon.shape[0], SIDE),) * 2
    colours = cv2.resize(toon, small, interpolation=cv2.INTER_AREA)
    light = cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY).astype(np.float32)
    weight = np.asarray(cv2.resize(skin, small), np.float32)
    folds = np.float32(FILLED) * cv2.resize(cheeks, small)
    filled = light + (_without_folds(light) - light) * folds
    change = np.float32(AMOUNT) * (_guided(filled, weight + np.float32(1e-4)) - filled) * weight
    about = cv2.blur(colours, (2 * round(HUE * small[0] / 2) + 1,) * 2).astype(np.float32)
    share = about / np.maximum(cv2.cvtColor(about, cv2.COLOR_BGR2GRAY), 1)[..., None]
    return np.asarray((filled + change - light)[..., None] * share, np.float32)


def _without_folds(light: Floats) -> Floats:
    """Light [S, S] without what is dark and narrow, by a morphological closing."""
    size = 2 * round(FOLD * light.shape[0] / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, disc)
    return np.asarray(cv2.GaussianBlur(closed, (0, 0), size / 4), np.float32)


def _guided(light: Floats, weight: Floats) -> Floats:
    """Light [S, S] filtered by itself, each place counting as `weight` says."""
    window = (2 * round(REACH * light.shape[0] / 2) + 1,) * 2

    def near(values: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(values, -1, window), np.float32)

    total, first = near(weight), weight * light
    mean = near(first) / total
    spread = np.maximum(near(first * light) / total - mean * mean, 0)
    follow = spread / (spread + np.float32(EDGE**2))
    level = mean * (1 - follow)
    return np.asarray((near(follow * weight) * light + near(level * weight)) / total, np.float32)
