"""Colours kept: skin, hair and eyes of the toon against the artist's."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.shape import (
    IRISES,
    LEFT_BROW,
    LEFT_EYE,
    LIPS,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
)
from engines.pictures import Image

BoolMask = NDArray[np.bool_]

# Individual typology angle in degrees (Chardon et al. 1991), its classes merged into three.
TONES = (("light", 41.0), ("medium", 10.0), ("dark", -90.0))
LEAST_SHARE = 0.005
"""A region smaller than this share of the picture does not count (a bald head, or a hat)."""
LEAST_IRISES = 0.002
"""The same of both irises, which are small."""


def to_lab(image: Image) -> NDArray[np.float32]:
    """uint8 RGB -> CIE L*a*b* (D65), L in 0..100."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).astype(np.float32)


def skin_mask(landmarks: NDArray[np.floating], size: int) -> BoolMask:
    """Bare skin of the face: the oval, shrunk, without eyes, brows and lips. bool [size, size]."""
    margin = max(3, size // 24) | 1
    mask = cv2.erode(_filled(landmarks, OVAL, size), np.ones((margin, margin), np.uint8))
    holes = np.zeros((size, size), np.uint8)
    for part in (LEFT_EYE, RIGHT_EYE, LIPS, LEFT_BROW, RIGHT_BROW):
        holes |= _filled(landmarks, part, size)
    wide = cv2.dilate(holes, np.ones((margin, margin), np.uint8))
    return (mask > 0) & (wide == 0)


def hair_mask(landmarks: NDArray[np.floating], person: NDArray[np.floating], size: int) -> BoolMask:
    """Person above the eyes and outside the face, which is hair or a hat.

    Args:
        landmarks: [478, >=2] in pixels.
        person: float [size, size] in 0..1.
        size: side of the picture in pixels.

    Returns:
        bool [size, size].
    """
    oval = _filled(landmarks, OVAL, size)
    face = cv2.dilate(oval, np.ones((size // 16 | 1, size // 16 | 1), np.uint8))
    above = np.arange(size)[:, None] < landmarks[(33, 263), 1].mean()
    inside = cv2.erode((person > 0.8).astype(np.uint8), np.ones((5, 5), np.uint8))
    return (inside > 0) & above & (face == 0)


def iris_mask(landmarks: NDArray[np.floating], size: int) -> BoolMask:
    """What shows of both irises between the lids, pupils with them. bool [size, size]."""
    irises, open_ = np.zeros((2, size, size), np.uint8)
    for iris, eye in zip(IRISES, (LEFT_EYE, RIGHT_EYE), strict=True):
        open_ |= _filled(landmarks, eye, size)
        centre, rim = landmarks[iris[0], :2], landmarks[list(iris[1:]), :2]
        radius = float(np.linalg.norm(rim - centre, axis=1).mean())
        at = (round(float(centre[0])), round(float(centre[1])))
        cv2.circle(irises, at, max(round(radius), 1), 1, -1)
    return (irises & open_) > 0


def _filled(landmarks: NDArray[np.floating], part: Sequence[int], size: int) -> NDArray[np.uint8]:
    mask = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.rint(landmarks[list(part), :2]).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    return mask


def mean_lab(
    image: Image, mask: BoolMask, least: float = LEAST_SHARE
) -> NDArray[np.float64] | None:
    """Mean L*a*b* under a mask, or None where the mask covers less than `least` of the picture."""
    if mask.mean() < least:
        return None
    return to_lab(image)[mask].mean(axis=0, dtype=np.float64)


def colour_difference(
    a: Image, b: Image, mask: BoolMask, least: float = LEAST_SHARE
) -> float | None:
    """CIE76 difference of the mean colours of two pictures under one mask; see `mean_lab`."""
    first, second = mean_lab(a, mask, least), mean_lab(b, mask, least)
    if first is None or second is None:
        return None
    return float(np.linalg.norm(first - second))


def skin_tone(image: Image, mask: BoolMask) -> str | None:
    """light, medium or dark, by the individual typology angle of the mean skin colour.

    The angle depends on the light of the photo: a grouping for fairness, not a label for people.
    """
    lab = mean_lab(image, mask)
    if lab is None:
        return None
    angle = np.degrees(np.arctan2(lab[0] - 50, max(lab[2], 1e-6)))
    return next(name for name, lowest in TONES if angle >= lowest)
