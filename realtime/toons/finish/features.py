"""A film's mouth and nose: lips without a camera's glare and creases, teeth that are one row, and
what `realtime.toons.finish.nose` paints.

A network that was taught drawings still copies much of a photo's mouth: white glare on the lower
lip, the creases of lips, a black line between them and the gaps between teeth, which are taken for
a photo at once.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import INNER_LIPS, LIPS, MOUTH_CORNERS
from engines.faces.pixels import Floats, mix, polygon, smoothstep, step
from engines.pictures import Image
from realtime.toons.detail import without
from realtime.toons.finish.colour import as_lab, colourful, lifted, with_lab
from realtime.toons.finish.nose import film_nose
from realtime.toons.finish.skin import guided
from realtime.toons.finish.surface import frontness, skin_of
from realtime.toons.lips import LipColours, halves
from realtime.toons.places import box_about

MARGIN = 0.10  # of the box about a mouth, in its widths
RIM = 0.018  # how softly lips end, in them
SMALLEST = 12  # pixels of a mouth's width below which it stays
GLARE, KEPT = 8.0, 0.65  # L* above the lips' middle from which on light is glare; how much stays
COLOURED, OWN = 14.0, 0.75  # L* of glare that takes the lips' own colour, and how far
OVER_SKIN = 6.0  # L* by which lips may be lighter than skin before that
CREASES = 0.07  # side of the window in which lips are made even, in widths of the mouth
EDGE = 7.0  # L*: fainter creases go, stronger edges stay
ROSY = 0.5  # a* by which pale lips are redder than skin at least
GLEAM, GLEAM_AT = 13.0, 0.42  # L* of the lower lip's light; where, from the mouth line to its rim
GLEAM_SIZE = (0.18, 0.34)  # its reach along, in widths of the mouth, and across, in the lip's
GLEAMING = 65.0  # L* of skin in whose light it is that strong
LIP_LIKE = (2.0, 6.0)  # CIE76 from the skin: skin, or a hand on the mouth .. lips, which gleam
OPEN = (0.03, 0.08)  # height over width of a mouth without teeth .. with them
TOOTH = (-2.0, 10.0)  # L* by which teeth are lighter than the lips' middle: none .. teeth
PALE = (26.0, 14.0)  # chroma of what is no tooth .. of teeth
GAP, ROW = 0.08, 0.48  # widths of the mouth: gaps that are closed, and over how much teeth are even
ONE = 0.65  # how far they are: a plain white bar is no mouth
IVORY = (1.0, 9.0)  # their a* and b*
UNDER_LIP = 0.22  # of the shade of the upper lip on them
DEPTH, CLOSED, DEEP = 0.55, 0.45, 0.75
"""Light of lips below which the line of a closed mouth is lifted, how far, and how much less the
depth of an open one."""
EVEN, TINT = 0.35, 0.45  # how far lips go to the person's light and colour
VIOLET = 3.0  # b* by which they may be bluer than those: shade in a photo is
BETWEEN = 0.02  # how softly one lip's goes over into the other's, in widths of the mouth
BESIDE = 0.03  # how far beside the lips that goes, in widths of the mouth
LIPS_ARE = (0.30, 0.50)  # chroma in shares of the skin's: a mask or a cup .. lips
LIGHTER = (1.30, 1.15)  # light in shares of the skin's, in grey pictures: the same
BLUER = (22.0, 14.0)  # b* by which they are bluer than skin: a blue mask .. lips
DARK = (0.30, 0.45)  # light in shares of the skin's: a microphone .. lips


class Featured(NamedTuple):
    """A toon with a film's features.

    Attributes:
        image: uint8 [R, R, 3] BGR.
        mouth: 0..1, how far its mouth was painted.
    """

    image: Image
    mouth: float


def film_features(
    toon: Image,
    shown: NDArray[np.float32],
    noses: bool = True,
    colours: LipColours | None = None,
) -> Featured:
    """A toon with a film's mouth and nose.

    Args:
        toon: uint8 [R, R, 3] BGR.
        shown: float32 [478, 2], the face's landmarks in it, 0..1.
        noses: whether a nose gets its form, and not only other nostrils.
        colours: of the person's lips; None for the network's.

    Returns:
        `toon` itself where they are too small or something hides them.
    """
    at = shown * np.float32(toon.shape[0]) - np.float32(0.5)
    skin = as_lab(skin_of(toon, at)[None, None])[0, 0]
    image, mouth = _mouth(toon, at[LIPS], at[INNER_LIPS], skin, colours)
    return Featured(film_nose(image, at, skin, frontness(shown), noses), mouth)


def without_mouth(
    plan: NDArray[np.float32], shown: NDArray[np.float32], amount: float
) -> NDArray[np.float32]:
    """A plan, see `realtime.toons.detail.Detail`, by which less of a photo's detail is taken where
    a toon's mouth is, none at an `amount` of 1; `shown` as for `film_features`."""
    side = plan.shape[1]
    mouth = polygon(side, shown[LIPS] * np.float32(side) - np.float32(0.5), 1.0)
    return without(plan, np.float32(amount) * mouth)


def _mouth(
    toon: Image, lips: Floats, inner: Floats, skin: Floats, colours: LipColours | None
) -> tuple[Image, float]:
    """A toon with a film's mouth, and how far it was painted.

    Args:
        toon: uint8 [R, R, 3] BGR.
        lips, inner: [N, 2], outline of the lips and of what is between them, pixels.
        skin: its L, a, b.
        colours: see `film_features`.
    """
    corners = lips[[LIPS.index(corner) for corner in MOUTH_CORNERS]]
    width = float(np.linalg.norm(corners[1] - corners[0]))
    if width < SMALLEST:
        return toon, 0.0
    box, low = box_about(toon, lips, MARGIN * width)
    lab = as_lab(toon[box])
    size = lab.shape[:2]
    if min(size) < SMALLEST // 2:
        return toon, 0.0
    whole, opening = (polygon(size, outline - low, RIM * width) for outline in (lips, inner))
    flesh = whole * (1 - opening)
    some = flesh[::2, ::2] > 0.6  # is enough for a median
    middle = np.median(lab[::2, ::2][some], 0) if some.any() else skin
    sure = _sure(middle, skin)
    if sure < 0.02:
        return toon, 0.0
    axes = _Axes(inner - low, lips - low, width, size)
    own = _lips(lab, flesh, middle, skin, width)
    if colours is not None:
        own = _coloured(own, skin, colours, axes)
    drawn = mix(lab, own, flesh)
    apart = float(np.linalg.norm(middle - skin))
    bright = min(float(skin[0]) / GLEAMING, 1.0) * step(*LIP_LIKE, apart)
    drawn[..., 0] += np.float32(GLEAM * bright) * axes.gleam() * flesh
    teeth = step(*OPEN, axes.tall())
    if teeth > 0.02:
        drawn = mix(drawn, _teeth(drawn, opening, middle, axes, colourful(skin)), teeth)
    drawn = mix(lab, drawn, np.asarray(whole * np.float32(sure), np.float32))
    about = polygon(size, lips - low, RIM * width, BESIDE * width)
    return with_lab(
        toon, box, _line(drawn, about * np.float32(sure * (1 - DEEP * teeth)), middle)
    ), sure


class _Axes:
    """Coordinates of a mouth in a box of `size`, all in pixels. Its crop is upright, so the curves
    of lips are asked for column by column."""

    def __init__(self, inner: Floats, lips: Floats, width: float, size: tuple[int, ...]) -> None:
        self.width = width
        self._inner, self._lips = inner, lips
        self._x = np.arange(size[1], dtype=np.float32)
        self._y = np.arange(size[0], dtype=np.float32)[:, None]

    def _curve(self, outline: Floats, lower: bool) -> Floats:
        """How far down the upper or lower half of an outline is, of each column."""
        part = halves(outline)[lower]
        part = part[np.argsort(part[:, 0])]
        return np.asarray(np.interp(self._x, part[:, 0], part[:, 1]), np.float32)

    def tall(self) -> float:
        """How far the mouth is open, in its widths."""
        gap = self._curve(self._inner, lower=True) - self._curve(self._inner, lower=False)
        return float(gap.max()) / self.width

    def upper_lip(self) -> Floats:
        """How far below the upper lip's lower edge each pixel is."""
        return np.asarray(self._y - self._curve(self._inner, lower=False), np.float32)

    def lower(self, soft: float) -> Floats:
        """0 above the line between the lips .. 1 below it, `soft` of its widths from one to the
        other."""
        line = (self._curve(self._inner, True) + self._curve(self._inner, False)) / 2
        reach = max(soft * self.width, 0.5)
        return smoothstep(-reach, reach, self._y - line)

    def gleam(self) -> Floats:
        """Where a soft light lies on the lower lip, 0..1."""
        line, rim = self._curve(self._inner, lower=True), self._curve(self._lips, lower=True)
        thick = np.maximum(rim - line, 1.0)
        across = ((self._y - line) / thick - GLEAM_AT) / np.float32(GLEAM_SIZE[1])
        middle = np.float32(self._lips[:, 0].min() + self._lips[:, 0].max()) / 2
        aside = (self._x - middle) / np.float32(GLEAM_SIZE[0] * self.width)
        return np.asarray(np.exp(-(aside * aside) - across * across), np.float32)


def _lips(lab: Floats, flesh: Floats, middle: Floats, skin: Floats, width: float) -> Floats:
    """Lips [h, w, 3] Lab without glare and creases, in a colour of their own."""
    light = guided(lab[..., 0], flesh, 2 * round(CREASES * width / 2) + 1, EDGE)
    level = min(float(middle[0]), float(skin[0]) + OVER_SKIN) + GLARE
    over = np.maximum(light - level, 0)
    drawn = lab.copy()
    drawn[..., 0] = light - np.float32(1 - KEPT) * over
    rosy = float(skin[1]) + ROSY * colourful(skin)
    own = np.array([max(float(middle[1]), rosy), float(middle[2])], np.float32)
    glare = np.float32(OWN) * np.clip(over / np.float32(COLOURED), 0, 1)[..., None]
    drawn[..., 1:] = mix(lab[..., 1:], own, glare)
    drawn[..., 1] += np.float32(own[0] - middle[1])
    return drawn


def _coloured(lab: Floats, skin: Floats, colours: LipColours, axes: _Axes) -> Floats:
    """Lips [h, w, 3] Lab in the person's own colours beside the toon's skin, a light one and a dark
    one whatever falls on them in the photo."""
    upper, lower = (skin + colour for colour in colours)
    own = mix(upper, lower, axes.lower(BETWEEN)[..., None])
    drawn = mix(lab, own, np.array([EVEN, TINT, TINT], np.float32))
    drawn[..., 2] = np.maximum(drawn[..., 2], own[..., 2] - np.float32(VIOLET))
    return drawn


def _line(lab: Floats, about: Floats, lips: Floats) -> Floats:
    """A mouth [h, w, 3] Lab whose line, corners and depth are no black, but a dark tone of lips."""
    dark = np.maximum(np.float32(DEPTH) * lips[0] - lab[..., 0], 0)
    return lifted(lab, dark, about, CLOSED, lips[1:], DEPTH * float(lips[0]) / 2 + 1)


def _teeth(lab: Floats, opening: Floats, lips: Floats, axes: _Axes, colour: float) -> Floats:
    """An open mouth [h, w, 3] Lab whose teeth are one row, in ivory as far as there is `colour`."""
    width = axes.width
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    gap = np.ones((1, 2 * round(GAP * width / 2) + 1), np.uint8)
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, gap)
    tooth = smoothstep(*TOOTH, closed - lips[0]) * smoothstep(*PALE, chroma) * opening
    tooth = np.asarray(cv2.GaussianBlur(tooth, (0, 0), max(0.012 * width, 0.5)), np.float32)
    tooth *= np.float32(ONE)
    weight = tooth + np.float32(1e-3)
    row = (2 * round(ROW * width / 2) + 1, 2 * round(0.03 * width) + 1)
    even = cv2.blur(closed * weight, row) / cv2.blur(weight, row)
    shade = np.exp(-np.maximum(axes.upper_lip(), 0) / np.float32(0.045 * width))
    drawn = lab.copy()
    drawn[..., 0] = mix(light, even * (1 - np.float32(UNDER_LIP) * shade), tooth)
    ivory = np.float32(colour) * np.array(IVORY, np.float32)
    drawn[..., 1:] = mix(lab[..., 1:], ivory, np.float32(0.7) * tooth)
    return drawn


def _sure(lips: Floats, skin: Floats) -> float:
    """0 where something hides a mouth .. 1, from the colours of both."""
    chroma, own = (max(float(np.hypot(*colour[1:])), 1.0) for colour in (lips, skin))
    light = float(lips[0]) / max(float(skin[0]), 1.0)
    bluer = float(skin[2] - lips[2])
    colour = colourful(skin)
    like = colour * step(*LIPS_ARE, chroma / own) + (1 - colour) * step(*LIGHTER, light)
    return like * step(*BLUER, bluer) * step(*DARK, light)
