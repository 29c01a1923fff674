"""A film's mouth and nostrils: lips without a camera's glare and creases, teeth that are one row,
and no black holes.

A network that was taught drawings still copies much of a photo's mouth: white glare on the lower
lip, the creases of lips and the gaps between teeth, which are taken for a photo at once. Nostrils
are black in photos; light that goes through a nose makes them a dark red.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import INNER_LIPS, LIPS, MOUTH_CORNERS, NOSE_BASE
from engines.faces.pixels import SUBPIXEL_BITS, Floats, mix, smoothstep, step
from engines.pictures import Image
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.surface import frontness, near_cheek

MARGIN = 0.10  # of the box about a mouth, in its widths
RIM = 0.018  # how softly lips end, in them
SMALLEST = 12  # pixels of a mouth's width below which it stays
GLARE, KEPT = 8.0, 0.50  # L* above the lips' middle from which on light is glare; how much stays
COLOURED, OWN = 14.0, 0.75  # L* of glare that takes the lips' own colour, and how far
OVER_SKIN = 6.0  # L* by which lips may be lighter than skin before that
CREASES = 0.035  # side of the window in which lips are made even, in widths of the mouth
EDGE = 9.0  # L*: fainter creases go, stronger edges stay
ROSY = 0.5  # a* by which pale lips are redder than skin at least
GLEAM, GLEAM_AT = 9.0, 0.42  # L* of the lower lip's light; where, from the mouth line to its rim
GLEAM_SIZE = (0.18, 0.34)  # its reach along, in widths of the mouth, and across, in the lip's
OPEN = (0.03, 0.08)  # height over width of a mouth without teeth .. with them
TOOTH = (-2.0, 10.0)  # L* by which teeth are lighter than the lips' middle: none .. teeth
PALE = (26.0, 14.0)  # chroma of what is no tooth .. of teeth
ROW = 0.16  # widths of the mouth over which teeth are one
ONE = 0.85  # how far they are: a plain white bar is no mouth
IVORY = (1.0, 9.0)  # their a* and b*
UNDER_LIP = 0.22  # of the shade of the upper lip on them
LIPS_ARE = (0.30, 0.50)  # chroma in shares of the skin's: a mask or a cup .. lips
BLUER = (22.0, 14.0)  # b* by which they are bluer than skin: a blue mask .. lips
HOLE, LIFTED = 0.50, 0.75  # light of skin below which nostrils are lifted, and how far
GLOWING = (5.0, -4.0)  # a* and b* by which they are other than skin
NOSTRIL_RIM = 0.09  # how softly they end, in widths of the nose
DARK = (0.30, 0.45)  # light in shares of the skin's: a microphone .. lips


def film_features(toon: Image, shown: NDArray[np.float32]) -> Image:
    """A toon with a film's mouth and nostrils.

    Args:
        toon: uint8 [R, R, 3] BGR.
        shown: float32 [478, 2], the face's landmarks in it, 0..1.

    Returns:
        uint8 [R, R, 3]; `toon` itself where they are too small or something hides them.
    """
    at = shown * np.float32(toon.shape[0]) - np.float32(0.5)
    skin = _skin(toon, at[near_cheek(shown)])
    toon = _mouth(toon, at[LIPS], at[INNER_LIPS], skin)
    return _nostrils(toon, at[NOSE_BASE], skin, frontness(shown))


def _mouth(toon: Image, lips: Floats, inner: Floats, skin: Floats) -> Image:
    """A toon with a film's mouth.

    Args:
        toon: uint8 [R, R, 3] BGR.
        lips, inner: [N, 2], outline of the lips and of what is between them, pixels.
        skin: its L, a, b.
    """
    corners = lips[[LIPS.index(corner) for corner in MOUTH_CORNERS]]
    width = float(np.linalg.norm(corners[1] - corners[0]))
    if width < SMALLEST:
        return toon
    box, low = _about(toon, lips, MARGIN * width)
    lab = as_lab(toon[box])
    size = lab.shape[:2]
    if min(size) < SMALLEST // 2:
        return toon
    whole, opening = (_filled(size, outline - low, RIM * width) for outline in (lips, inner))
    flesh = whole * (1 - opening)
    some = flesh[::2, ::2] > 0.6  # is enough for a median
    middle = np.median(lab[::2, ::2][some], 0) if some.any() else skin
    sure = _sure(middle, skin)
    if sure < 0.02:
        return toon
    drawn = mix(lab, _lips(lab, flesh, middle, skin, width), flesh)
    axes = _Axes(corners - low, inner - low, lips - low, size)
    drawn[..., 0] += np.float32(GLEAM) * axes.gleam() * flesh
    teeth = step(*OPEN, axes.tall())
    if teeth > 0.02:
        drawn = mix(drawn, _teeth(drawn, opening, middle, axes, width), teeth)
    return _with(toon, box, mix(lab, drawn, np.asarray(whole * np.float32(sure), np.float32)))


def _nostrils(toon: Image, nose: Floats, skin: Floats, amount: float) -> Image:
    """A toon whose nostrils, within the outline `nose` [N, 2] in pixels, glow by an `amount`, 0..1:
    in profile the room lies behind one of them."""
    width = float(np.ptp(nose[:, 0]))
    box, low = _about(toon, nose, 2 * NOSTRIL_RIM * width)
    lab = as_lab(toon[box])
    if width < SMALLEST / 2 or min(lab.shape[:2]) < SMALLEST // 2:
        return toon
    outline = cv2.convexHull(np.asarray(nose - low, np.float32))[:, 0]
    dark = np.maximum(np.float32(HOLE) * skin[0] - lab[..., 0], 0)
    inside = np.float32(amount) * _filled(lab.shape[:2], outline, NOSTRIL_RIM * width)
    lab[..., 0] += np.float32(LIFTED) * dark * inside
    hole = np.clip(dark / np.float32(HOLE * skin[0] / 3 + 1), 0, 1) * inside
    lab[..., 1:] = mix(lab[..., 1:], skin[1:] + np.array(GLOWING, np.float32), hole)
    return _with(toon, box, lab)


def _about(toon: Image, outline: Floats, margin: float) -> tuple[tuple[slice, slice], Floats]:
    """What of a toon lies about an outline [N, 2], and its upper left corner, in pixels."""
    side = toon.shape[0]
    low = np.clip(np.floor(outline.min(0) - margin).astype(int), 0, side - 1)
    high = np.clip(np.ceil(outline.max(0) + margin).astype(int) + 1, low + 1, side)
    return (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))), low


def _with(toon: Image, box: tuple[slice, slice], lab: Floats) -> Image:
    """A toon with other colours, Lab [h, w, 3], in a box."""
    bgr = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2BGR)
    result = toon.copy()
    result[box] = np.clip(bgr * 255 + 0.5, 0, 255).astype(np.uint8)
    return result


def without_mouth(plan: NDArray[np.float32], shown: NDArray[np.float32]) -> NDArray[np.float32]:
    """A plan, see `realtime.toons.detail.Detail`, by which none of a photo's detail is taken where
    a toon's mouth is; `shown` as for `film_features`."""
    side = plan.shape[1]
    result = plan.copy()
    result[2] *= 1 - _filled((side, side), shown[LIPS] * np.float32(side) - np.float32(0.5), 1.0)
    return result


class _Axes:
    """Coordinates of a mouth in a box of `size`, all in pixels. Its crop is upright, so the curves
    of lips are asked for column by column."""

    def __init__(self, corners: Floats, inner: Floats, lips: Floats, size: tuple[int, int]) -> None:
        chord = corners[1] - corners[0]
        self.width = max(float(np.hypot(*chord)), 1.0)
        self._inner, self._lips = inner, lips
        self._x = np.arange(size[1], dtype=np.float32)
        self._y = np.arange(size[0], dtype=np.float32)[:, None]
        self._aside = (self._x - corners.mean(0)[0]) / np.float32(self.width)

    def _curve(self, outline: Floats, lower: bool) -> Floats:
        """How far down the upper or lower half of an outline is, of each column."""
        half = len(outline) // 2
        part = outline[: half + 1] if lower else np.concatenate([outline[half:], outline[:1]])
        part = part[np.argsort(part[:, 0])]
        return np.asarray(np.interp(self._x, part[:, 0], part[:, 1]), np.float32)

    def tall(self) -> float:
        """How far the mouth is open, in its widths."""
        gap = self._curve(self._inner, lower=True) - self._curve(self._inner, lower=False)
        return float(gap.max()) / self.width

    def upper_lip(self) -> Floats:
        """How far below the upper lip's lower edge each pixel is."""
        return np.asarray(self._y - self._curve(self._inner, lower=False), np.float32)

    def gleam(self) -> Floats:
        """Where a soft light lies on the lower lip, 0..1."""
        line, rim = self._curve(self._inner, lower=True), self._curve(self._lips, lower=True)
        thick = np.maximum(rim - line, 1.0)
        across = ((self._y - line) / thick - GLEAM_AT) / np.float32(GLEAM_SIZE[1])
        aside = self._aside / np.float32(GLEAM_SIZE[0])
        return np.asarray(np.exp(-(aside * aside) - across * across), np.float32)


def _lips(lab: Floats, flesh: Floats, middle: Floats, skin: Floats, width: float) -> Floats:
    """Lips [h, w, 3] Lab without glare and creases, in a colour of their own."""
    light = _even(lab[..., 0], flesh, width)
    level = min(float(middle[0]), float(skin[0]) + OVER_SKIN) + GLARE
    over = np.maximum(light - level, 0)
    drawn = lab.copy()
    drawn[..., 0] = light - np.float32(1 - KEPT) * over
    own = np.array([max(float(middle[1]), float(skin[1]) + ROSY), float(middle[2])], np.float32)
    glare = np.float32(OWN) * np.clip(over / np.float32(COLOURED), 0, 1)[..., None]
    drawn[..., 1:] = mix(lab[..., 1:], own, glare)
    drawn[..., 1] += np.float32(own[0] - middle[1])
    return drawn


def _teeth(lab: Floats, opening: Floats, lips: Floats, axes: _Axes, width: float) -> Floats:
    """An open mouth [h, w, 3] Lab whose teeth are one row."""
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    window = np.ones((1, 2 * round(0.5 * ROW * width / 2) + 1), np.uint8)
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, window)  # the gaps between them
    tooth = smoothstep(*TOOTH, closed - lips[0]) * smoothstep(*PALE, chroma) * opening
    tooth = np.asarray(cv2.GaussianBlur(tooth, (0, 0), max(0.012 * width, 0.5)), np.float32)
    tooth *= np.float32(ONE)
    weight = tooth + np.float32(1e-3)
    row = (2 * round(1.5 * ROW * width) + 1, 2 * round(0.03 * width) + 1)
    even = cv2.blur(closed * weight, row) / cv2.blur(weight, row)
    shade = np.exp(-np.maximum(axes.upper_lip(), 0) / np.float32(0.045 * width))
    drawn = lab.copy()
    drawn[..., 0] = mix(light, even * (1 - np.float32(UNDER_LIP) * shade), tooth)
    drawn[..., 1:] = mix(lab[..., 1:], np.array(IVORY, np.float32), np.float32(0.7) * tooth)
    return drawn


def _even(light: Floats, weight: Floats, width: float) -> Floats:
    """Light [h, w] without faint lines, each place counting as `weight` says: a guided filter, see
    `realtime.toons.finish.skin`."""
    window = (2 * round(CREASES * width) + 1,) * 2
    weight = weight + np.float32(1e-3)

    def near(values: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(values, -1, window), np.float32)

    total, first = near(weight), weight * light
    mean = near(first) / total
    spread = np.maximum(near(first * light) / total - mean * mean, 0)
    follow = spread / (spread + np.float32(EDGE**2))
    level = mean * (1 - follow)
    return np.asarray((near(follow * weight) * light + near(level * weight)) / total, np.float32)


def _filled(size: tuple[int, int], outline: Floats, soft: float) -> Floats:
    """A filled outline, 0..1 in a picture of `size` (height, width), with soft edges."""
    mask: Floats = np.zeros(size, np.uint8)
    corners = np.round(outline * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    blurred = cv2.GaussianBlur(mask, (0, 0), max(soft, 0.4))
    return np.asarray(blurred.astype(np.float32) / 255, np.float32)


def _skin(toon: Image, cheek: Floats) -> Floats:
    """L, a, b of a toon's skin, at a place [2] on its cheek, pixels."""
    x, y = np.clip(np.round(cheek).astype(int), 0, toon.shape[0] - 1)
    return np.asarray(as_lab(toon[y : y + 1, x : x + 1])[0, 0], np.float32)


def _sure(lips: Floats, skin: Floats) -> float:
    """0 where something hides a mouth .. 1, from the colours of both."""
    chroma, own = (max(float(np.hypot(*colour[1:])), 1.0) for colour in (lips, skin))
    light = float(lips[0]) / max(float(skin[0]), 1.0)
    bluer = float(skin[2] - lips[2])
    coloured = step(*LIPS_ARE, chroma / own) if own > 8 else 1.0
    return coloured * step(*BLUER, bluer) * step(*DARK, light)
