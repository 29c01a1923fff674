"""Folds and shadows about nose and mouth no darker than a film character's.

A network makes the cheeks of a face even and keeps its folds nearly black: two ages in one face. A
fold keeps its place and its form, but has most of the light of the skin about it, and its colour.
So has the shadow that a nose throws on a lip, which is taken for a moustache, and so have the ends
of a moustache that the network did not draw, which are blots beside the mouth.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import LIPS, MOUTH_CORNERS, NASOLABIAL, NOSE_BASE, UNDER_NOSE
from engines.faces.pixels import Floats, blur, polygon, smoothstep, step, stroke
from engines.pictures import FloatMask
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.surface import EARS, colour_at
from realtime.toons.places import box_about

FLOOR, LIFTED = 0.76, 0.8
"""Light, in shares of that of the skin about it, below which a fold is lifted, and how far."""
ABOUT = 0.064  # reach of the skin about a place, in the picture's sides
LIKE_SKIN = (0.45, 0.75)  # light in shares of skin's: fold, beard .. skin that others take after
WIDE, SKIN_BESIDE = 0.14, (0.05, 0.3)
"""What is dark on a wider way than that, in the picture's sides, or beside so small a share of bare
skin, none .. some, is no fold: it is the shade of a round head."""
COLOURED, OWN = 12.0, 0.8  # L* of a lift that takes the colour of that skin, and how far
ROSY = 1.12  # a* of a fold, in that skin's
SOFT = 0.7  # how softly all that lies, in places
SMALLEST = 8  # places a side of what is seen of nose and mouth below which they stay
WIDTH, RIM, SURELY = 0.10, 0.045, 1.3
"""How wide folds are about their landmarks and how softly that ends, in widths of the face; and how
many times as sure."""
MOUSTACHE, MOUSTACHE_RIM = [129, 203, 206, 216, 61, 0, 291, 436, 426, 423, 358], 0.035
"""Landmarks about a moustache, which is no fold, and how softly that ends, in widths of a face."""
NOSTRILS = 0.03  # how far beyond a nose's base nothing is lifted, and how softly; in the same
BESIDE, ENDS, SURE_END = 0.09, 0.13, 1.6
"""How far beside a mouth a moustache's ends are, and their reach, in its widths; and how many times
as sure."""
MIDDLE, HAIRY = [164, 165, 391, 167, 393, 92, 322], (0.55, 0.38)
"""Landmarks where a moustache is; light there in shares of skin's: none .. one, whose ends stay."""
SIDES, BARE = ((165, 92), (391, 322)), (0.76, 0.92)
"""Landmarks where only a moustache is dark, not the shadow of a nose; light there: one .. none."""
LIPS_RIM, LIPS_GROWN = 0.6, 0.5  # how softly lips, which stay, end, and how far beyond; places
SHADOW = 0.63  # light of such a shadow at least, in shares of skin's
BELOW_RIM, NOSE_RIM, NOSE_GROWN = 0.02, 0.012, 0.005
"""How softly it ends about the landmarks under a nose and at its base, and how far beyond that, in
widths of the face."""

_LOOKED_AT = [*NASOLABIAL[0], *NASOLABIAL[1], *MOUSTACHE, *UNDER_NOSE, *LIPS]


def fold_field(
    toon: Floats,
    shown: NDArray[np.float32],
    face: FloatMask,
    bare: FloatMask,
    skin: NDArray[np.float32],
) -> Floats:
    """What to add to a toon so that folds are not dark.

    Args:
        toon: float32 [F, F, 3] BGR, 0..255.
        shown: float32 [478, 2], the face's landmarks in it, 0..1.
        face: float32 [S, S] in [0, 1], where there is a face, and nothing before it.
        bare: the same without eyes, brows and lips.
        skin: float32 [3], L, a, b of that.

    Returns:
        float32 [F, F, 3] BGR, 0..255 scale.
    """
    side = len(toon)
    at = np.asarray(shown * np.float32(side) - np.float32(0.5), np.float32)
    result = np.zeros_like(toon)
    width = max(float(np.hypot(*(at[EARS[1]] - at[EARS[0]]))), 1.0)
    box, low = box_about(toon, at[_LOOKED_AT], ABOUT * side + RIM * width)
    patch = np.clip(toon[box], 0, 255)
    size = patch.shape[:2]
    if min(size) < SMALLEST:
        return result
    face, bare = (
        np.asarray(cv2.resize(mask, (side, side))[box], np.float32) for mask in (face, bare)
    )
    at = np.asarray(at - low, np.float32)
    lab = as_lab(patch)
    light, own = lab[..., 0], max(float(skin[0]), 1.0)
    counts = bare * smoothstep(*LIKE_SKIN, light / own) + np.float32(1e-4)
    near = blur(np.dstack([lab * counts[..., None], counts]), ABOUT * side)
    about = near[..., :3] / near[..., 3:]
    beside = _closed(light * smoothstep(*SKIN_BESIDE, bare), round(WIDE * side))
    wanted = FLOOR * np.minimum(about[..., 0], beside)
    folds = bare * _folds(size, at, width)
    lip = face * (1 - polygon(size, at[LIPS], LIPS_RIM, LIPS_GROWN))
    ends = lip * _ends(size, at) * np.float32(1 - step(*HAIRY, _light(lab, at, MIDDLE) / own))
    lift = np.maximum(wanted - light, 0) * np.maximum(folds, ends)
    free = step(*BARE, max(_light(lab, at, side) for side in SIDES) / own)
    under = lip * _under_nose(size, at, width) * np.float32(free)
    lift = np.maximum(lift, np.maximum(SHADOW * own - light, 0) * under)
    lift = cv2.GaussianBlur(np.asarray(LIFTED * lift, np.float32), (0, 0), SOFT)
    lifted = lab.copy()
    lifted[..., 0] += lift
    share = np.float32(OWN) * np.minimum(lift / np.float32(COLOURED), 1)[..., None]
    lifted[..., 1:] += share * (about[..., 1:] * np.array([ROSY, 1], np.float32) - lab[..., 1:])
    result[box] = cv2.cvtColor(lifted, cv2.COLOR_LAB2BGR) * np.float32(255) - patch
    return result


def _closed(light: Floats, window: int) -> Floats:
    """Light [h, w] without what is dark and narrower than so many pixels."""
    around = np.ones((max(window, 1) | 1,) * 2, np.uint8)  # a square is faster than a disc
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, around)
    return np.asarray(cv2.GaussianBlur(closed, (0, 0), window / 5), np.float32)


def _folds(size: tuple[int, int], at: Floats, width: float) -> Floats:
    """Where folds from a nose to beside the mouth are, [h, w] in 0..1, of landmarks in pixels and a
    face that is so many wide."""
    folds = np.zeros(size, np.float32)
    for line in NASOLABIAL:
        cv2.max(folds, stroke(size, at[line], WIDTH * width, RIM * width), dst=folds)
    folds = np.minimum(SURELY * folds, 1)
    folds *= 1 - polygon(size, at[MOUSTACHE], MOUSTACHE_RIM * width)
    nose = cv2.convexHull(at[NOSE_BASE])[:, 0]
    return np.asarray(folds * (1 - polygon(size, nose, NOSTRILS * width, NOSTRILS * width)))


def _ends(size: tuple[int, int], at: Floats) -> Floats:
    """Where the ends of a moustache are, [h, w] in 0..1."""
    left, right = at[list(MOUTH_CORNERS)]
    mouth = max(float(np.hypot(*(right - left))), 1.0)
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    ends = np.zeros(size, np.float32)
    for corner, way in ((left, -BESIDE), (right, BESIDE)):
        x, y = corner + way * (right - left)
        away = ((columns - x) ** 2 + (rows - y) ** 2) / (ENDS * mouth) ** 2
        cv2.max(ends, np.exp(-away), dst=ends)
    return np.minimum(SURE_END * ends, 1)


def _under_nose(size: tuple[int, int], at: Floats, width: float) -> Floats:
    """Where the shadow of a nose falls, [h, w] in 0..1."""
    below = polygon(size, cv2.convexHull(at[UNDER_NOSE])[:, 0], BELOW_RIM * width)
    nose = polygon(size, cv2.convexHull(at[NOSE_BASE])[:, 0], NOSE_RIM * width, NOSE_GROWN * width)
    return np.asarray(below * (1 - nose))


def _light(lab: Floats, at: Floats, ids: Sequence[int]) -> float:
    """L* of a toon, [h, w, 3] Lab, at some landmarks."""
    return float(colour_at(lab, at, ids)[0])
