"""A toon in the colours of its scene: smooth fields of light and colour, as functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import shrink
from engines.faces.pixels import Floats, mix, smoothstep, step
from engines.pictures import FloatMask, Image

Field = NDArray[np.float32]
"""Colours or colour differences: float32 [COARSE, COARSE, 3] BGR, 0..255 scale."""

COARSE = 64  # side of colour fields
GREY_LIGHT = (0.36, 0.26)  # chroma of a photo's skin in shares of its L*: daylight .. grey light
DARK = 10.0  # L* below which colours say little
LIT = (-2.0, 6.0)  # L* by which lit skin is lighter than a face on average
OWN_HUE = 0.2  # how far the amount goes for its hue, as a power: 0.35 gives 0.8
FAINT = 8.0  # chroma below which a hue says little
UNLIKE = (1.0, 0.5)  # distance from the colour of skin, in shares of its chroma: other .. skin's
COLOURLESS = (3.0, 9.0)  # chroma of skin: a grey picture .. one in colour
IN_GREY = 0.8  # how far the amount goes there from what it is towards 1, as a power


@dataclass(frozen=True, eq=False)
class Small:
    """A picture as small as colour fields are, for all that looks at its colours.

    Attributes:
        bgr: float32 [COARSE, COARSE, 3], 0..255.
        lab: the same in CIELAB: L 0..100, a and b about -127..127.
    """

    bgr: Field
    lab: Field

    @classmethod
    def of(cls, image: Image) -> Small:
        """The small picture of uint8 [S, S, 3] BGR."""
        bgr = coarse(image)
        return cls(bgr, as_lab(bgr))


def colour_stats(small: Small, mask: FloatMask) -> NDArray[np.float32]:
    """Mean and standard deviation of L, a, b under a mask, and the mean of its lit part, which of a
    face is skin without brows, lips and beard.

    Args:
        small: the picture.
        mask: float32 [GRID, GRID] of weights; must not be empty.

    Returns:
        float32 [3, 3].
    """
    weight = shrink_mask(mask)
    weights = _threefold(weight / max(cv2.sumElems(weight)[0], 1e-6))
    mean = cv2.sumElems(cv2.multiply(small.lab, weights))
    off = cv2.subtract(small.lab, np.array(mean))
    spread = cv2.sumElems(cv2.multiply(cv2.multiply(off, off), weights))
    lit = weight * smoothstep(*LIT, small.lab[..., 0] - np.float32(mean[0]))
    bright = cv2.sumElems(cv2.multiply(small.lab, _threefold(lit)))
    bright_mean = np.divide(bright[:3], max(cv2.sumElems(lit)[0], 1e-6))
    return np.stack([mean[:3], np.sqrt(spread[:3]), bright_mean]).astype(np.float32)


def shrink_mask(mask: FloatMask) -> FloatMask:
    """A mask float32 [M, M] as [COARSE, COARSE]."""
    small = cv2.resize(mask, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32, copy=False)


def _threefold(weight: FloatMask) -> Field:
    """Weights [H, W], three times [H, W, 3]: OpenCV multiplies only equal shapes, but faster."""
    return cv2.merge([weight] * 3).astype(np.float32, copy=False)


def as_lab(bgr: Image | Field) -> Field:
    """Colours [H, W, 3] BGR, 0..255, in CIELAB, float32; see `Small`."""
    lab = cv2.cvtColor(bgr * np.float32(1 / 255), cv2.COLOR_BGR2LAB)
    return lab.astype(np.float32, copy=False)


def with_lab(image: Image, box: tuple[slice, slice], lab: Field) -> Image:
    """An image [S, S, 3] with other colours, CIELAB [h, w, 3], in a box."""
    bgr = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2BGR)
    result = image.copy()
    result[box] = np.clip(bgr * 255 + 0.5, 0, 255).astype(np.uint8)
    return result


def lifted(
    lab: Field, dark: Floats, where: FloatMask, by: float, colour: NDArray[np.floating], full: float
) -> Field:
    """Colours [h, w, 3] CIELAB without black.

    Args:
        dark: float32 [h, w], L* by which they are too dark.
        where: float32 [h, w] in [0, 1].
        by: how much of that they gain, 0..1.
        colour: a, b that the dark takes.
        full: L* too dark from which on it takes all of it.
    """
    drawn = lab.copy()
    drawn[..., 0] += np.float32(by) * dark * where
    share = np.asarray(np.clip(dark / np.float32(full), 0, 1) * where, np.float32)
    drawn[..., 1:] = mix(lab[..., 1:], np.asarray(colour, np.float32), share)
    return drawn


def colourful(skin: NDArray[np.floating]) -> float:
    """0 for a picture in grey .. 1 for one in colour, from L, a, b of its skin."""
    return step(*COLOURLESS, float(np.hypot(*skin[1:])))


def coarse(image: Image) -> Field:
    """An image [H, W, 3] as float32 [COARSE, COARSE, 3], 0..255."""
    factor = image.shape[0] // COARSE
    if factor * COARSE == image.shape[0]:
        return shrink(image, factor).astype(np.float32)
    return cv2.resize(image, (COARSE, COARSE), interpolation=cv2.INTER_AREA).astype(np.float32)


def match_field(
    toon: Small, have: NDArray[np.float32], want: NDArray[np.float32], amount: float
) -> Field:
    """What to add to a toon to give it the scene's light and colour.

    Reinhard et al. 2001, "Color Transfer between Images": mean and deviation per Lab channel. The
    contrast is kept within a fifth, and the field is smooth, so that no detail of the toon is lost.
    Where light is grey it goes further, or a face would glow above its neck. So does the hue of lit
    skin, which a network draws too yellow. Colours that are not like skin's stay: what skin needs
    would make dark hair blue.

    Args:
        toon: the toon.
        have: float32 [3, 3], see `colour_stats`, of toons.
        want: the same of the scene.
        amount: 0..1.

    Returns:
        float32 [COARSE, COARSE, 3] BGR, 0..255 scale.
    """
    grey = step(*GREY_LIGHT, float(np.hypot(*want[0, 1:])) / max(float(want[0, 0]), DARK))
    amount **= 1 - IN_GREY * grey
    gain = 1 + amount * (np.clip(want[1] / np.maximum(have[1], 1e-3), 0.8, 1.25) - 1)
    shift = np.clip(amount * (want[0] - have[0]), -20, 20)
    plain = (have[0] * (1 - gain) + shift).astype(np.float32)
    gain = gain.astype(np.float32)
    moved = toon.lab * gain + plain
    lit = smoothstep(*LIT, moved[..., 0] - (have[0, 0] + shift[0]))
    moved[..., 1:] += lit[..., None] * _turn(have[2] * gain + plain, want[2], amount**OWN_HUE)
    moved[..., 1:] = mix(toon.lab[..., 1:], moved[..., 1:], like_skin(toon.lab, have[0]))
    moved[..., 0] = np.clip(moved[..., 0], 0, 100)
    field: Field = cv2.cvtColor(moved, cv2.COLOR_LAB2BGR).astype(np.float32, copy=False)
    return field * np.float32(255) - toon.bgr


def like_skin(lab: Field, skin: NDArray[np.floating]) -> FloatMask:
    """How like skin's the hue and chroma of colours are, whatever their light, [COARSE, COARSE] in
    [0, 1].

    Args:
        lab: float32 [COARSE, COARSE, 3], see `Small`.
        skin: L, a, b of the skin.
    """
    off = (lab[..., 1:] - skin[1:]) / max(float(np.hypot(*skin[1:])), FAINT)
    return smoothstep(*UNLIKE, cv2.magnitude(*cv2.split(off)))


def _turn(
    have: NDArray[np.float32], want: NDArray[np.float32], amount: float
) -> NDArray[np.float32]:
    """What to add to a and b of a colour [3] in Lab to give it another's hue; chroma stays. A hue
    that is hardly there counts the less."""
    chroma, wanted = (float(np.hypot(*lab[1:])) for lab in (have, want))
    amount *= min(wanted / FAINT, 1.0)
    return np.float32(amount) * (want[1:] * np.float32(chroma / max(wanted, 1e-3)) - have[1:])


def seam_field(photo: Small, toon: Field, keep: FloatMask, face: FloatMask) -> Field:
    """What to add to a toon's surroundings so that they meet the frame without a seam.

    The low-frequency difference between frame and toon, measured where neither shows a head, and
    carried on under the heads by normalised convolution (Knutsson and Westin 1993).

    Args:
        photo: the crop of the frame.
        toon: float32 [COARSE, COARSE, 3] BGR, 0..255.
        keep: float32 [GRID, GRID], where the toon stays as it is.
        face: float32 [GRID, GRID], where the photo shows a face.

    Returns:
        float32 [COARSE, COARSE, 3] BGR, 0..255 scale.
    """
    rest = 1 - shrink_mask(keep)
    weight = rest * (1 - shrink_mask(face))
    known = cv2.merge([(photo.bgr - toon) * _threefold(weight), weight])
    # What is carried on far is smooth, so half the pixels are enough for it.
    half = cv2.resize(known, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    wide = cv2.resize(cv2.GaussianBlur(half, (0, 0), 4), (COARSE, COARSE))
    total = cv2.scaleAdd(wide, 0.05, cv2.GaussianBlur(known, (0, 0), 2.5))
    share = rest / (cv2.extractChannel(total, 3) + np.float32(1e-3))
    field = cv2.multiply(cv2.cvtColor(total, cv2.COLOR_BGRA2BGR), _threefold(share))
    return field.astype(np.float32, copy=False)


def add_field(toon: Image, field: Field) -> Image:
    """A toon uint8 [R, R, 3] plus a smooth field float32 [F, F, 3], saturated."""
    side = toon.shape[0]
    shift = cv2.resize(field, (side, side), interpolation=cv2.INTER_LINEAR)
    return cv2.add(toon, shift, dtype=cv2.CV_8U).astype(np.uint8, copy=False)
