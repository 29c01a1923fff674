"""A film's nose: both wings, and nostrils that are no black holes.

A small network draws a nose as a light ridge that fades, or shaded on one side alone, and its wings
are lost in the cheeks. Landmarks say where the person's own are, so what shade lacks there is laid
on it. Nostrils are black in photos; light that goes through a nose makes them a dark red.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from engines.faces.head import NOSE_BASE, NOSE_WINGS
from engines.faces.pixels import Floats, mix, polygon, smoothstep, step, stroke
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.finish.colour import as_lab, colourful, lifted, with_lab
from realtime.toons.places import box_about

SMALLEST, LARGE_ENOUGH = 10.0, 20.0  # width of a nose in pixels: it stays .. it gets its form
MODELLED = 44.0  # pixels of its width at which that is drawn: shades are softer than that
ROOM = 0.3  # about it, in its widths, as all lengths here
ABOUT = 0.16  # how far about it the light of the skin is averaged, with which shades are compared
SURELY = (0.0, 0.04)  # amount of a shade: none .. one than which nothing there is lighter
UNLIKE = (20.0, 10.0)  # a, b from the skin's: a mask or a cup before it .. a nose
WARM = (1.35, 1.2, 0.75)  # share of it that blue, green and red lose: red goes through skin
RED, TINTED = (2.0, 0.0), 4.0
"""a* and b* by which shaded skin is other than all, and how far a place takes that, times the
light that it loses: shade alone would be a greenish stain where a network's light burns skin."""
HOLE, LIFTED = 0.50, 0.75  # light of skin below which nostrils are lifted, and how far
GLOWING = (8.0, 1.0)  # a* and b* by which they are other than skin
NOSTRIL_RIM = 0.09  # how softly they end
TOO_LARGE = (0.60, 0.35)  # share of a nose's base that is dark: something before it .. nostrils


class _Shade(NamedTuple):
    """A soft shade along lines of landmarks.

    Attributes:
        lines: of them, one for each side.
        amount: of the light that is lost.
        width: of the line, in widths of the nose.
        soft: how softly it lies, in them.
    """

    lines: Sequence[Sequence[int]]
    amount: float
    width: float
    soft: float


SHADES = (
    _Shade(((198, 209, 49, 129, 64, 98), (420, 429, 279, 358, 294, 327)), 0.13, 0.09, 0.045),
    _Shade(((98, 240, 99, 97), (327, 460, 328, 326)), 0.28, 0.07, 0.03),
)
"""About the wings, and of the nostrils."""
SHADED = [landmark for shade in SHADES for line in shade.lines for landmark in line]


def film_nose(toon: Image, at: Floats, skin: Floats, front: float, form: bool = True) -> Image:
    """A toon with a film's nose.

    Args:
        toon: uint8 [R, R, 3] BGR.
        at: float32 [478, 2], the face's landmarks in it, pixels.
        skin: its L, a, b.
        front: see `realtime.toons.finish.surface.frontness`: in profile the nose stays.
        form: whether it gets more than other nostrils.

    Returns:
        uint8 [R, R, 3]; `toon` itself where a nose is too small, or something hides it.
    """
    if form:
        toon = _modelled(toon, at, skin, front)
    return _nostrils(toon, at[NOSE_BASE], skin, front)


def _modelled(toon: Image, at: Floats, skin: Floats, amount: float) -> Image:
    """A toon whose nose has a form, by an `amount`, 0..1."""
    left, right = at[NOSE_WINGS]
    width = float(np.linalg.norm(right - left))
    amount *= step(SMALLEST, LARGE_ENOUGH, width)
    if amount < 0.02:
        return toon
    box, low = box_about(toon, at[SHADED], ROOM * width)
    patch = toon[box]
    scale = min(MODELLED / width, 1.0)
    height, across = (max(round(length * scale), 1) for length in patch.shape[:2])
    size = height, across
    small = as_lab(as_uint8(cv2.resize(patch, size[::-1], interpolation=cv2.INTER_AREA)))
    places = np.asarray((at - low + 0.5) * np.float32(scale) - 0.5, np.float32)
    unit, light = width * scale, small[..., 0]
    shade = np.zeros_like(light)
    for each in SHADES:
        for line in each.lines:
            soft = stroke(size, places[list(line)], each.width * unit, each.soft * unit)
            shade += np.float32(each.amount) * soft
    wanted = cv2.GaussianBlur(light, (0, 0), ABOUT * unit) * (1 - shade)
    lost = np.maximum(1 - wanted / np.maximum(light, 1), 0) * smoothstep(*SURELY, shade)
    off = cv2.magnitude(*cv2.split(small[..., 1:] - np.asarray(skin[1:], np.float32)))
    lost *= np.float32(amount) * smoothstep(*UNLIKE, off)
    colour = np.float32(colourful(skin))
    tinted = small.copy()
    share = np.minimum(lost * np.float32(TINTED), 1)
    tinted[..., 1:] = mix(small[..., 1:], skin[1:] + colour * np.array(RED, np.float32), share)
    before, after = (cv2.cvtColor(lab, cv2.COLOR_LAB2BGR) for lab in (small, tinted))
    shaded = after * (1 - lost[..., None] * (1 + colour * (np.array(WARM, np.float32) - 1)))
    change = cv2.resize((shaded - before) * np.float32(255), patch.shape[1::-1])
    result = toon.copy()
    result[box] = cv2.add(patch, change, dtype=cv2.CV_8U)
    return result


def _nostrils(toon: Image, nose: Floats, skin: Floats, amount: float) -> Image:
    """A toon whose nostrils, within the outline `nose` [N, 2] in pixels, glow by an `amount`, 0..1:
    in profile the room lies behind one of them."""
    width = float(np.ptp(nose[:, 0]))
    if width < SMALLEST / 2 or amount < 0.02:
        return toon
    box, low = box_about(toon, nose, 2 * NOSTRIL_RIM * width)
    lab = as_lab(toon[box])
    dark = np.maximum(np.float32(HOLE) * skin[0] - lab[..., 0], 0)
    if min(dark.shape) < SMALLEST / 2 or dark.max() < 1:
        return toon
    outline = cv2.convexHull(np.asarray(nose - low, np.float32))[:, 0]
    inside = polygon(dark.shape, outline, NOSTRIL_RIM * width)
    share = float((inside * (dark > 0)).sum() / max(float(inside.sum()), 1e-6))
    amount *= step(*TOO_LARGE, share)
    if amount < 0.02:
        return toon
    inside = np.float32(amount) * inside
    glow = skin[1:] + np.float32(colourful(skin)) * np.array(GLOWING, np.float32)
    full = HOLE * float(skin[0]) / 3 + 1
    return with_lab(toon, box, lifted(lab, dark, inside, LIFTED, glow, full))
