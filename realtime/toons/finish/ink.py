"""A comic's flat bands of light and its ink, drawn on the toon at its own resolution.

A network that learns from mean errors draws both softly: a band's edge may lie a little more to the
left or to the right. Drawn over its toon, which has the right light nearly everywhere, they are as
crisp as an artist's.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW, EYE
from engines.faces.head import CHIN, FOREHEAD, LIPS
from engines.faces.pixels import Floats, polygon, smoothstep, step
from engines.pictures import FloatMask, Image, Mask
from realtime.compositing import GRID, border_fade, oval_mask
from realtime.frame import as_uint8
from realtime.toons.places import pixels

UNITS = 512  # lengths below are pixels of a toon of this side
BAND = 0.15  # how wide bands are, 0..1, in all that is darker than the face
LIGHTS = ((0.0, 0.22, 0.45, 1.0), (0.0, 0.14, 0.45, 1.0))
"""By how much a place is lighter than the face, 0..1, and by how much it stays so: skin gets even
lights, and teeth stay white."""
EDGE = 0.18  # half of the step from one band to the next, in bands
FLAT = 0.65  # share of the light's slope within a band that goes
REACH = 7.0  # of the smoothing of light, before bands and ink
NOISE = 0.0015  # variance of light, 0..1, that it takes for noise
BRIGHT, RICH = 1.04, 1.03  # of light and colour
LIKE_SKIN = (0.7, 0.4)  # distance from the face's colour, in shares of its chroma: other .. skin's
PEN = (2.0, 3.2)  # widths between which a line gets ink
LEAST = 0.004  # by which a line must be darker than 0.975 of what is beside it, 0..1
SHARP = 70.0  # how fast ink gets black
BLACK = 0.92  # share of the light that ink takes
NECK = (0.20, -0.15)  # how far below the chin, in heights of the face: no ink .. all of it
FEATURES = ((LIPS, 0.01), *((ids, 0.015) for ids in BROW), *((ids, 0.05) for ids in EYE))
"""Landmarks about what is left alone, and how far beyond them, in the crop's sides."""
WITHIN = 0.9  # size of a face within which its own ink is enough
SPARED = 0.9  # share of the features, and of the ink within a face, that is left out
SMALL = (110.0, 170.0)  # pixels of the frame across a crop: no ink .. all of it
BORDER = 0.2  # of the crop over which ink fades, in its sides
LEVELS = np.arange(256, dtype=np.float32) / 255
INK = (255 * BLACK * np.tanh(SHARP * LEVELS / 16)).astype(np.uint8)
"""Ink, 0..255, by how much darker a place is than what is beside it, in sixteenths of 1/255."""
CROWD = 14.0  # reach within which lines are many
ALONE = (255 * smoothstep(0.32, 0.14, LEVELS)).astype(np.uint8)
"""Share of the ink that stays, 0..255, by how much there is on average within that reach."""


def inked(
    toon: Image, head: FloatMask, points: NDArray[np.floating], side: float = math.inf
) -> Image:
    """A toon, uint8 [R, R, 3] BGR, its head in flat bands of light, hair and outline in ink.

    Within the face the network's own ink is sure enough: more would be specks about nose and mouth.

    Args:
        toon: not changed.
        head: float32 [GRID, GRID], where its head is.
        points: [478, >=2], the face's landmarks, 0..1 across the crop.
        side: of the crop in pixels of the frame: a small head is drawn too roughly for ink.
    """
    whole = step(*SMALL, side)
    if not whole:
        return toon
    middle = points[:, :2].mean(0)
    face = oval_mask(middle + WITHIN * (points[:, :2] - middle), 0.0, 0.03)
    if not face.any():
        return toon
    size = toon.shape[:2]
    scale = size[0] / UNITS
    light, *colours = cv2.split(cv2.cvtColor(toon, cv2.COLOR_BGR2YCrCb))
    even = _smoothed(light.astype(np.float32), scale)
    half = (size[0] // 2, size[1] // 2)  # eyes see colours less finely
    colour = cv2.resize(cv2.merge(colours), half, interpolation=cv2.INTER_AREA).astype(np.float32)
    colour -= 128
    skin = cv2.resize(_skin(colour, face), size)
    on_skin, elsewhere = (
        cv2.LUT(as_uint8(cv2.convertScaleAbs(even)), bands) for bands in _bands(even, face)
    )
    flat = cv2.blendLinear(on_skin, elsewhere, skin, 1 - skin)
    outside = cv2.resize(255 - SPARED * 255 * face, size).astype(np.uint8)
    ink = cv2.multiply(_ink(even, scale), outside, scale=1 / 255)
    flat = cv2.multiply(flat, cv2.bitwise_not(ink), scale=1 / 255)
    # Hair that gets darker loses colour as well, or it would turn blue.
    before, after = (cv2.resize(v, half).astype(np.float32) for v in (light, flat))
    colour *= RICH * np.minimum(after / np.maximum(before, 1), 1)[..., None]
    rich = cv2.resize(cv2.convertScaleAbs(colour + 128), size)
    drawn = cv2.cvtColor(cv2.merge([flat, *cv2.split(rich)]), cv2.COLOR_YCrCb2BGR)
    share = whole * np.asarray(cv2.resize(_share(head, points), size), np.float32)
    return as_uint8(cv2.blendLinear(drawn, toon, share, 1 - share))


def _share(head: FloatMask, points: NDArray[np.floating]) -> FloatMask:
    """How much of a toon is inked, [GRID, GRID]: its head, fading towards neck, long hair and the
    crop's border, where the toon ends, and little of the features, which are drawn already: edges
    of shade would break lips, and ink would hollow brows."""
    at = np.asarray(points, np.float32)[:, :2] * GRID - np.float32(0.5)
    down = at[CHIN] - at[FOREHEAD]
    below = (pixels(GRID) - at[CHIN]) @ (down / max(float(down @ down), 1e-6))
    share = head * smoothstep(*NECK, below) * border_fade(GRID, BORDER)
    for ids, grow in FEATURES:
        share = share * (1 - SPARED * polygon(GRID, at[ids], 0.015 * GRID, grow * GRID))
    return np.asarray(share, np.float32)


def _skin(colour: Floats, face: FloatMask) -> Floats:
    """How much of the colours of a picture, [h, w, 2] about 0, are skin's, [GRID, GRID]."""
    small = cv2.resize(colour, (GRID, GRID), interpolation=cv2.INTER_AREA)
    mean = (small * face[..., None]).sum((0, 1)) / face.sum()
    far = np.linalg.norm(small - mean, axis=2) / max(float(np.linalg.norm(mean)), 1.0)
    return smoothstep(*LIKE_SKIN, far)


def _bands(even: Floats, oval: FloatMask) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """By what light, 0..255, each of 256 is replaced: on skin, and elsewhere.

    The middle of one band is the face's own light, so that no band's edge crosses a whole face and
    flickers there. Lights get no bands, or they would be pale stains; those of skin are evened out,
    others stay, or white hair would melt into the forehead.

    Args:
        even: float32 [R, R], smoothed light, 0..255.
        oval: float32 [GRID, GRID], where the face is.
    """
    seen = cv2.resize(even, (GRID, GRID), interpolation=cv2.INTER_AREA)
    middle = float((seen * oval).sum() / oval.sum()) / 255
    lighter = LEVELS - middle
    level = np.minimum(lighter, 0) / BAND
    lower = np.floor(level)
    banded = lower + smoothstep(0.5 - EDGE, 0.5 + EDGE, level - lower)
    shade = level + (banded - level) * FLAT
    skin, rest = (
        np.clip((middle + shade * BAND + lights) * 255 * BRIGHT, 0, 255).astype(np.uint8)
        for lights in (np.interp(lighter, *LIGHTS), np.maximum(lighter, 0))
    )
    return skin, rest


def _ink(even: Floats, scale: float) -> Mask:
    """How much ink is where, uint8 [R, R]: on lines darker than what is beside them, unless there
    are many, as in fur, patterns and grey hair.

    After Winnemöller, "XDoG: Advanced Image Stylization" (2011).
    """
    near, far = (cv2.GaussianBlur(even, (0, 0), width * scale) for width in PEN)
    least = -255 * LEAST * 16 - 0.5  # a half less, as bytes are rounded
    darker = cv2.addWeighted(far, 0.975 * 16, near, -16, least, dtype=cv2.CV_8U)
    ink = cv2.GaussianBlur(cv2.LUT(darker, INK), (0, 0), 0.6 * scale)
    crowd = cv2.blur(ink, (2 * max(round(CROWD * scale), 1) + 1,) * 2)
    return as_uint8(cv2.multiply(ink, cv2.LUT(crowd, ALONE), scale=1 / 255))


def _smoothed(light: Floats, scale: float) -> Floats:
    """Light [R, R], 0..255, smooth but for its edges: He and Sun, "Fast Guided Filter" (2015)."""
    size = (2 * max(round(REACH * scale / 2), 1) + 1,) * 2
    half = cv2.resize(light, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    mean = cv2.blur(half, size)
    spread = cv2.blur(half * half, size) - mean * mean
    slope = spread / (spread + np.float32(NOISE * 255**2))
    fine, level = (
        np.asarray(cv2.resize(cv2.blur(v, size), light.shape[::-1]), np.float32)
        for v in (slope, mean - slope * mean)
    )
    fine *= light
    fine += level
    return fine
