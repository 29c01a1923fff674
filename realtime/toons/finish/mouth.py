"""A film's mouth: lips without a camera's glare and creases, teeth that are one row.

A network that was taught drawings still copies much of a photo's mouth: white glare on the lower
lip, the creases of lips and the gaps between teeth, which are taken for a photo at once.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.head import INNER_LIPS, LIPS, MOUTH_CORNERS
from engines.faces.pixels import SUBPIXEL_BITS, Floats, mix, smoothstep, step
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.finish.colour import as_lab
from realtime.toons.places import toon_points

CHEEKS = [205, 425]  # landmarks
MARGIN = 0.10  # of the box about a mouth, in its widths
RIM = 0.018  # how softly lips end, in them
SMALLEST = 12  # pixels of a mouth's width below which it stays
GLARE, KEPT = 6.0, 0.35  # L* above the lips' middle from which on light is glare; how much stays
COLOURED = 14.0  # L* of glare that takes the lips' own colour
OVER_SKIN = 6.0  # L* by which lips may be lighter than skin before that
CREASES = 0.035  # side of the window in which lips are made even, in widths of the mouth
EDGE = 9.0  # L*: fainter creases go, stronger edges stay
ROSY = 2.0  # a* by which pale lips are redder than skin at least
GLEAM, GLEAM_AT = 5.0, 0.45  # L* of the lower lip's light; where, from the mouth line to its rim
GLEAM_SIZE = (0.16, 0.30)  # its reach along, in widths of the mouth, and across, in the lip's
OPEN = (0.03, 0.08)  # height over width of a mouth without teeth .. with them
TOOTH = (-2.0, 10.0)  # L* by which teeth are lighter than the lips' middle: none .. teeth
PALE = (26.0, 14.0)  # chroma of what is no tooth .. of teeth
ROW = 0.16  # widths of the mouth over which teeth are one
IVORY = (1.0, 9.0)  # their a* and b*
UNDER_LIP = 0.22  # of the shade of the upper lip on them
LIPS_ARE = (0.30, 0.50)  # chroma in shares of the skin's: a mask or a cup .. lips
BLUER = (22.0, 14.0)  # b* by which they are bluer than skin: a blue mask .. lips
DARK = (0.30, 0.45)  # light in shares of the skin's: a microphone .. lips


def film_mouth(toon: Image, points: NDArray[np.floating], plan: NDArray[np.float32]) -> Image:
    """A toon with a film's mouth.

    Args:
        toon: uint8 [R, R, 3] BGR.
        points: [478, >=2], the face's landmarks, 0..1 across the crop.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.

    Returns:
        uint8 [R, R, 3]; `toon` itself where the mouth is too small or something hides it.
    """
    shown = toon_points(points[[*LIPS, *INNER_LIPS, *CHEEKS]], plan) * toon.shape[0] - 0.5
    lips, inner, cheeks = np.split(shown, [len(LIPS), len(LIPS) + len(INNER_LIPS)])
    corners = lips[[LIPS.index(corner) for corner in MOUTH_CORNERS]]
    width = float(np.linalg.norm(corners[1] - corners[0]))
    if width < SMALLEST:
        return toon
    low = np.maximum(np.floor(lips.min(0) - MARGIN * width).astype(int), 0)
    high = np.minimum(np.ceil(lips.max(0) + MARGIN * width).astype(int) + 1, toon.shape[0])
    if (high - low < 8).any():
        return toon
    box = slice(low[1], high[1]), slice(low[0], high[0])
    size = (int(high[1] - low[1]), int(high[0] - low[0]))
    soft = RIM * width
    whole, opening = (_filled(size, outline - low, soft) for outline in (lips, inner))
    lab = as_lab(toon[box])
    flesh = whole * (1 - opening)
    skin = _skin(toon, cheeks)
    middle = np.median(lab[flesh > 0.6], 0) if (flesh > 0.6).any() else skin
    sure = _sure(middle, skin)
    if sure < 0.02:
        return toon
    drawn = mix(lab, _lips(lab, flesh, middle, skin, width), flesh)
    axes = _Axes(corners - low, inner - low, lips - low, size)
    drawn[..., 0] += np.float32(GLEAM) * axes.gleam() * flesh
    tall = float(np.ptp(inner @ axes.down)) / width
    teeth = step(*OPEN, tall)
    if teeth > 0.02:
        drawn = mix(drawn, _teeth(drawn, opening, middle, axes, width), np.float32(teeth))
    weight = np.asarray(whole * np.float32(sure), np.float32)
    bgr = cv2.cvtColor(mix(lab, drawn, weight).astype(np.float32), cv2.COLOR_LAB2BGR)
    result = toon.copy()
    touched = weight[..., None] > 0.01
    after = as_uint8(np.clip(bgr * 255 + 0.5, 0, 255).astype(np.uint8))
    result[box] = np.where(touched, after, toon[box])
    return result


def mouth_of(points: NDArray[np.floating], plan: NDArray[np.float32]) -> Floats:
    """Where a toon's mouth is, float32 [M, M] in [0, 1]: none of a photo's detail belongs there.

    Args:
        points: [478, >=2], the face's landmarks, 0..1 across the crop.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
    """
    side = plan.shape[1]
    at = toon_points(points[LIPS], plan) * side - 0.5
    return _filled((side, side), np.asarray(at, np.float32), 1.0)


class _Axes:
    """Coordinates of a mouth in a box of `size`, all in pixels."""

    def __init__(
        self, corners: Floats, inner: Floats, lips: Floats, size: tuple[int, int]
    ) -> None:
        chord = corners[1] - corners[0]
        self.width = max(float(np.hypot(*chord)), 1.0)
        self.along = chord / self.width
        self.down = np.array([-self.along[1], self.along[0]])
        self._inner, self._lips, self._start = inner, lips, corners[0]
        x = np.arange(size[1], dtype=np.float32) - corners[0, 0]
        y = np.arange(size[0], dtype=np.float32)[:, None] - corners[0, 1]
        self.u = np.asarray((x * self.along[0] + y * self.along[1]) / self.width, np.float32)
        self.v = np.asarray(x * self.down[0] + y * self.down[1], np.float32)

    def curve(self, outline: Floats, lower: bool) -> Floats:
        """How far down the upper or lower half of an outline is, at the `u` of each pixel."""
        half = len(outline) // 2
        part = outline[: half + 1] if lower else np.concatenate([outline[half:], outline[:1]])
        off = part - self._start
        u, v = off @ self.along / self.width, off @ self.down
        order = np.argsort(u)
        return np.asarray(np.interp(self.u, u[order], v[order]), np.float32)

    def upper_lip(self) -> Floats:
        """How far below the upper lip's lower edge each pixel is."""
        return self.v - self.curve(self._inner, lower=False)

    def gleam(self) -> Floats:
        """Where a soft light lies on the lower lip, 0..1."""
        line, rim = self.curve(self._inner, lower=True), self.curve(self._lips, lower=True)
        thick = np.maximum(rim - line, 1.0)
        across = ((self.v - line) / thick - GLEAM_AT) / GLEAM_SIZE[1]
        aside = (self.u - 0.5) / GLEAM_SIZE[0]
        return np.exp(-(aside * aside) - across * across)


def _lips(lab: Floats, flesh: Floats, middle: Floats, skin: Floats, width: float) -> Floats:
    """Lips [h, w, 3] Lab without glare and creases, in a colour of their own."""
    light = _even(lab[..., 0], flesh, width)
    level = min(float(middle[0]), float(skin[0]) + OVER_SKIN) + GLARE
    over = np.maximum(light - level, 0)
    drawn = lab.copy()
    drawn[..., 0] = light - np.float32(1 - KEPT) * over
    own = np.array([max(float(middle[1]), float(skin[1]) + ROSY), float(middle[2])], np.float32)
    glare = np.clip(over / np.float32(COLOURED), 0, 1)[..., None]
    drawn[..., 1:] = mix(lab[..., 1:], own, glare)
    drawn[..., 1] += np.float32(own[0] - middle[1])
    return drawn


def _teeth(lab: Floats, opening: Floats, lips: Floats, axes: _Axes, width: float) -> Floats:
    """An open mouth [h, w, 3] Lab whose teeth are one row."""
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    window = np.ones((1, 2 * round(0.5 * ROW * width / 2) + 1), np.uint8)
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, window)  # the gaps between them
    tooth = smoothstep(*TOOTH, closed - lips[0]) * smoothstep(*PALE, chroma) * opening
    tooth = cv2.GaussianBlur(tooth, (0, 0), max(0.012 * width, 0.5))
    weight = tooth + np.float32(1e-3)
    sigma = (ROW * width, 0.02 * width)
    total = cv2.GaussianBlur(weight, (0, 0), sigma[0], sigmaY=sigma[1])
    even = cv2.GaussianBlur(closed * weight, (0, 0), sigma[0], sigmaY=sigma[1]) / total
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
    mask = np.zeros(size, np.uint8)
    corners = np.round(outline * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    blurred = cv2.GaussianBlur(mask, (0, 0), max(soft, 0.4))
    return np.asarray(blurred.astype(np.float32) / 255, np.float32)


def _skin(toon: Image, cheeks: Floats) -> Floats:
    """L, a, b of a toon's skin, the lighter one of its cheeks."""
    x, y = np.clip(np.round(cheeks).astype(int), 0, toon.shape[0] - 1).T
    lab = as_lab(as_uint8(toon[y, x][None]))[0]
    return np.asarray(lab[np.argmax(lab[:, 0])], np.float32)


def _sure(lips: Floats, skin: Floats) -> float:
    """0 where something hides a mouth .. 1, from the colours of both."""
    chroma, own = (max(float(np.hypot(*colour[1:])), 1.0) for colour in (lips, skin))
    light = float(lips[0]) / max(float(skin[0]), 1.0)
    bluer = float(skin[2] - lips[2])
    coloured = step(*LIPS_ARE, chroma / own) if own > 8 else 1.0
    return coloured * step(*BLUER, bluer) * step(*DARK, light)
