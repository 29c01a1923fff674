"""Where the lips of an upright face are in a box about its mouth, asked for column by column."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from engines.faces.eyes.shape import spline
from engines.faces.head import INNER_LIPS, LIPS, LIPS_MIDDLE, MOUTH_CORNERS
from engines.faces.pixels import Floats, mix, polygon, smoothstep

ASIDE = 0.25  # share of its width that a mouth's middle is from a corner at least
MIDDLE = 0.25  # of the way to a corner: about the middle, where lips are as thick as they are
BOW, BOW_AT, BOW_WIDE = 0.16, 0.24, 0.14
"""By how much an upper lip is thicker at the peaks of its bow, where, and how wide those are."""
BOWED, ROUND = 2.0, 3.0  # powers by which both lips taper off towards the corners
RIM = 0.018  # how softly a mouth ends, in its widths
UPPER_OWN, LOWER_OWN = 0.9, 0.6  # share of the landmarks' own outline, which is rough, in that


def halves(outline: Floats) -> tuple[Floats, Floats]:
    """The upper and the lower half of an outline [N, 2] of lips, both with both corners."""
    half = len(outline) // 2
    return np.concatenate([outline[half:], outline[:1]]), outline[: half + 1]


def mouth_width(lips: Floats) -> float:
    """How far apart both corners of a mouth are, from the outline [20, 2] of its lips."""
    left, right = (lips[LIPS.index(corner)] for corner in MOUTH_CORNERS)
    return float(np.linalg.norm(right - left))


class MouthShape:
    """A mouth in a box of `size` (height, width), all in its pixels.

    Args:
        lips, inner: [20, 2], outlines of the lips and of what is between them.
        size: of the box.

    Attributes:
        lips, inner: as given.
        width: from corner to corner.
        tall: how far the mouth is open, in its widths.
        top, upper, lower, bottom: [w], how far down the edges of both lips are in each column,
            from above.
        line: [w], between `upper` and `lower`.
        along: [w], -1 left corner .. 0 middle .. 1 right one.
        rows: [h, 1].
    """

    def __init__(self, lips: Floats, inner: Floats, size: tuple[int, int]) -> None:
        self.lips, self.inner, self.size = lips, inner, size
        self.width = max(mouth_width(lips), 1.0)
        self.rows = np.arange(size[0], dtype=np.float32)[:, None]
        x = np.arange(size[1], dtype=np.float32)
        self.top, self.bottom = (_curve(half, x) for half in halves(lips))
        self.upper, self.lower = (_curve(half, x) for half in halves(inner))
        self.line = (self.upper + self.lower) / 2
        self.tall = float((self.lower - self.upper).max()) / self.width
        left, right = sorted(float(lips[LIPS.index(corner), 0]) for corner in MOUTH_CORNERS)
        right = max(right, left + 1)
        middle = float(inner[[INNER_LIPS.index(point) for point in LIPS_MIDDLE], 0].mean())
        apart = ASIDE * (right - left)
        self._middle = min(max(middle, left + apart), right - apart)
        self._halves = self._middle - left, right - self._middle
        aside = x - self._middle
        self.along = (aside / np.where(aside < 0, *self._halves)).astype(np.float32)

    @cached_property
    def whole(self) -> Floats:
        """Where the mouth is, [h, w] in 0..1."""
        return polygon(self.size, self.lips, RIM * self.width)

    @cached_property
    def opening(self) -> Floats:
        """What is between its lips, [h, w] in 0..1."""
        return polygon(self.size, self.inner, RIM * self.width)

    @cached_property
    def flesh(self) -> Floats:
        """Where its lips are, [h, w] in 0..1."""
        return self.whole * (1 - self.opening)

    def columns(self, along: Floats) -> Floats:
        """Where in the box's width places are, by how far `along` the mouth they are."""
        return np.asarray(self._middle + along * np.where(along < 0, *self._halves), np.float32)

    def below_line(self, soft: float) -> Floats:
        """0 above the line between the lips .. 1 below it, `soft` of the mouth's widths from one to
        the other: [h, w]."""
        reach = max(soft * self.width, 0.5)
        return smoothstep(-reach, reach, self.rows - self.line)

    def rounded(self) -> tuple[Floats, Floats]:
        """`top` and `bottom` of a film's lips, which are round: as thick in the middle as they are,
        and evenly less towards the corners."""
        aside = np.minimum(np.abs(self.along), 1)
        peaks = 1 + BOW * np.exp(-(((aside - BOW_AT) / BOW_WIDE) ** 2))
        found = []
        for thick, form, own in (
            (self.upper - self.top, (1 - aside**BOWED) * peaks, UPPER_OWN),
            (self.bottom - self.lower, 1 - aside**ROUND, LOWER_OWN),
        ):
            middle = aside < MIDDLE
            whole = form * np.float32(thick[middle].mean() / form[middle].mean())
            found.append(np.maximum(mix(whole, thick, own), 0.3))
        return self.upper - found[0], self.lower + found[1]


def _curve(half: Floats, columns: Floats) -> Floats:
    """How far down an open outline [N, 2] is in each column."""
    curve = spline(half)
    curve = curve[np.argsort(curve[:, 0])]
    return np.asarray(np.interp(columns, curve[:, 0], curve[:, 1]), np.float32)
