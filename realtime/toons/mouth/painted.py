"""Lips painted into a toon, from the curves of a mouth and the colours of a person's lips.

Where light falls on lips from aside, a network copies its blots, and the mouth looks crooked. A
painted one has two tones, one line and one soft light, whatever falls on it.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.pixels import Floats, Reals, mix, polygon, smoothstep, step
from realtime.toons.mouth.lips import VIOLET, Lips, light_on
from realtime.toons.mouth.shape import MouthShape
from realtime.toons.softness import blurred

EDGE = 0.013  # how softly lips end, in widths of the mouth
LOOKED_AT = 32  # pixels across a mouth at which skin is spread under it
COVERED = 0.03  # widths of the mouth about it that skin is laid over
SPREAD, FARTHER = (0.06, 0.22), 0.02
"""By how much skin is spread, in widths of the mouth: from beside, and where there is none from
farther away, which counts that little else."""
LIKE_SKIN, LEAST_LIKE = 20.0, 0.01  # CIE76 from skin within which a colour counts; what others do
ENOUGH = 0.3  # of skin beside a place from which on it is covered
LOCAL = 0.4  # how far lips have the light of the skin beside them, not the face's
OWN = 0.4  # how far they have the person's colours, not the network's
UPPER, LOWER = 2.0, 8.5  # L* by which they are lighter than those: both are seen in shade there
MOST, BLUER = (-3.0, 0.0), 7.0
"""L* and a* by which upper and lower lips differ from skin at most and at least, and b* by which
they are bluer at most."""
FAINT = (9.0, 20.0)  # CIE76, light counting less, of lips like skin, whose rims are soft .. others
LESS_LIGHT = 0.6  # how much light counts in that
SOFT = (0.65, 0.50)  # how much less paint the outer rims of faint lips get, upper and lower
LIT_RIM, IN_SHADE, DARK_RIM, ASIDE = 4.0, 5.0, 6.0, 3.0
"""L* by which the upper lip's rim is lighter, its inner edge darker, the lower one's rim darker,
and both at the corners."""
TAPERED, FROM = 0.45, 0.72  # the same at the corners, and how far aside that begins
GLEAM, GLEAM_AT, GLEAM_SIZE = 14.0, 0.40, (0.42, 0.27)
"""L* of the lower lip's light; where it is from the line to the rim, and its size along and across,
in the ways to a corner and to the rim."""
LINE, THICKER = 0.012, 0.011  # half of its thickness in widths of the mouth, and more in the middle
LINE_DARK, LINE_FULL = 0.36, 0.92  # its light in shares of the lips', and how solid it is
BETWEEN, BETWEEN_DARK = 0.05, 0.22  # widths of the mouth about it that are in shade; how dark


def bare(lab: Floats, shape: MouthShape, skin: Reals) -> tuple[Floats, Floats]:
    """A picture [h, w, 3] Lab whose mouth lies under the skin about it, and that skin, spread over
    all of it; `skin` is the face's colour, as beards and what is behind it count little."""
    height, width = lab.shape[:2]
    scale = min(LOOKED_AT / shape.width, 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    unit = shape.width * scale
    small = cv2.resize(lab, size, interpolation=cv2.INTER_AREA)
    lips = (shape.lips + 0.5) * np.float32(scale) - 0.5
    mouth = polygon(size[::-1], lips, 0.0, COVERED * unit)
    away = ((small - np.asarray(skin, np.float32)) * np.array([0.5, 1, 1], np.float32)) ** 2
    like = np.exp(-away.sum(-1) / LIKE_SKIN**2) + np.float32(LEAST_LIKE)
    counts = (1 - mouth) * like + np.float32(1e-6)
    counted = np.dstack([small * counts[..., None], counts])
    near, wide = (cv2.GaussianBlur(counted, (0, 0), spread * unit) for spread in SPREAD)
    total = near + np.float32(FARTHER) * wide
    spread: Floats = total[..., :3] / total[..., 3:]
    enough = smoothstep(0.0, ENOUGH, cv2.GaussianBlur(like, (0, 0), SPREAD[0] * unit))
    cover = cv2.GaussianBlur(mouth, (0, 0), COVERED * unit / 2)
    cover *= np.maximum(enough, polygon(size[::-1], lips, COVERED * unit / 2))
    spread, cover = (cv2.resize(picture, (width, height)) for picture in (spread, cover))
    return mix(lab, spread, cover), spread


def with_lips(
    lab: Floats, shape: MouthShape, skin: Floats, drawn: tuple[Floats, Floats], lips: Lips,
    closed: float, inside: Floats,
) -> Floats:  # fmt: skip
    """A picture with painted lips.

    Args:
        lab: float32 [h, w, 3] Lab.
        shape: where the mouth is in it.
        skin: the face's colour, L, a, b.
        drawn: colours of the upper and the lower lip as the network drew them.
        lips: the person's.
        closed: 0 open .. 1 closed.
        inside: float32 [h, w, 3] Lab, what is seen in an open mouth.
    """
    under, beside = bare(lab, shape, skin)
    places = _Places(shape, closed)
    tones = [
        _tone(own, net - skin) for own, net in zip((lips.upper, lips.lower), drawn, strict=True)
    ]
    colour = mix(skin, beside, LOCAL) + mix(tones[0], tones[1], places.below)
    colour[..., 0] += places.light(light_on(skin))
    painted = mix(under, colour, places.covered([1 - _distinct(tone) for tone in tones]))
    if closed < 1:
        painted = mix(painted, inside, places.opening() * np.float32(1 - closed))
    return painted


class _Places:
    """Where each pixel of a picture is in the lips of a mouth that is so far `closed`.

    Attributes:
        below: float32 [h, w], 0 above the line between the lips .. 1 below it.
        up, down: the same, 0 at the inner edge of the upper or lower lip .. 1 at its outer one.
    """

    def __init__(self, shape: MouthShape, closed: float) -> None:
        self._top, self._bottom = shape.rounded()
        self._upper, self._lower = (
            mix(edge, shape.line, closed) for edge in (shape.upper, shape.lower)
        )
        self._rows, self._along = shape.rows, np.abs(shape.along)
        self._soft = max(EDGE * shape.width, 0.6)
        self.below = shape.below_line(EDGE)
        thick = np.maximum(self._upper - self._top, 1), np.maximum(self._bottom - self._lower, 1)
        self.up = np.clip((self._upper - self._rows) / thick[0], 0, 1)
        self.down = np.clip((self._rows - self._lower) / thick[1], 0, 1)

    def light(self, bright: float) -> Floats:
        """L* by which lips are lighter or darker there than they are on average, [h, w]: both are
        round, and a soft light lies on the lower one; `bright` is that light, 0..1."""
        side = self._along**2
        gleam = np.exp(-(((self.down - GLEAM_AT) / GLEAM_SIZE[1]) ** 2) - side / GLEAM_SIZE[0] ** 2)
        upper = LIT_RIM * smoothstep(0.35, 0.95, self.up) - IN_SHADE * (1 - self.up) ** 2
        lower = GLEAM * gleam - DARK_RIM * smoothstep(0.6, 1.0, self.down)
        lit = np.float32(bright) * (mix(upper, lower, self.below) - ASIDE * side)
        return lit + np.float32(UPPER) + np.float32(LOWER - UPPER) * self.below

    def covered(self, faint: list[float]) -> Floats:
        """How far pixels are painted, [h, w] in 0..1, of an upper and a lower lip that are so
        `faint`, 0..1."""
        upper, lower = (soft * share for soft, share in zip(SOFT, faint, strict=True))
        rim = upper + np.float32(lower - upper) * self.below
        cover = 1 - rim * smoothstep(0.3, 1.0, np.maximum(self.up, self.down))
        cover *= self._between(self._top, self._bottom)
        cover *= 1 - TAPERED * smoothstep(FROM, 1.0, self._along)
        return np.asarray(cover, np.float32)

    def opening(self) -> Floats:
        """What lies between the lips, [h, w] in 0..1."""
        return self._between(self._upper, self._lower)

    def _between(self, above: Floats, below: Floats) -> Floats:
        """What lies between two curves, [h, w] in 0..1, from corner to corner."""
        found = smoothstep(-self._soft, self._soft, self._rows - above)
        found *= smoothstep(-self._soft, self._soft, below - self._rows)
        return found * smoothstep(1.02, 0.95, self._along)


def _tone(own: Reals, drawn: Reals) -> Floats:
    """How a painted lip differs from skin, L, a, b, from how the person's own does and the one that
    the network drew."""
    tone = mix(np.asarray(drawn, np.float32), np.asarray(own, np.float32), OWN)
    tone[0] = min(tone[0], MOST[0])
    tone[1] = max(tone[1], MOST[1])
    tone[2] = max(tone[2], -BLUER, own[2] - VIOLET)
    return tone


def _distinct(tone: Floats) -> float:
    """0 for lips whose colour is nearly the skin's .. 1, by how they differ from it."""
    return step(*FAINT, float(np.linalg.norm(tone * np.array([LESS_LIGHT, 1, 1], np.float32))))


def with_line(
    lab: Floats, shape: MouthShape, drawn: tuple[Floats, Floats], solid: float, soft: float
) -> Floats:
    """A picture [h, w, 3] Lab with the line of a mouth, and the shade of both lips beside it.

    Args:
        drawn: as for `with_lips`.
        solid: 0 none .. 1 all of it.
        soft: deviation of the Gaussian that blurs it, pixels.
    """
    middle = np.clip(1 - shape.along**2, 0, 1)
    line = blurred(_line_of(shape, LINE + THICKER * middle), soft)
    result = lab.copy()
    result[..., 0] *= 1 - np.float32(BETWEEN_DARK * solid) * _line_of(shape, BETWEEN)
    dark = (drawn[0] + drawn[1]) / 2 * np.array([LINE_DARK, 1, 0.9], np.float32)
    return mix(result, np.asarray(dark, np.float32), np.float32(LINE_FULL * solid) * line)


def _line_of(shape: MouthShape, thick: float | Floats) -> Floats:
    """Where the line of a closed mouth is, so many of its widths thick: 0..1, [h, w]."""
    thick = np.maximum(np.asarray(thick, np.float32) * shape.width, 0.8)
    ends = smoothstep(1.10, 0.97, np.abs(shape.along))
    return np.asarray(np.exp(-(((shape.rows - shape.line) / thick) ** 2)) * ends, np.float32)
