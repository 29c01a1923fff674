"""Where one eye is: lids, iris, and the curve through landmarks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from engines.faces.features import LOWER_LID, UPPER_LID, eye_iris
from engines.faces.pixels import SUBPIXEL_BITS, Floats, Reals

LEAST = 5  # pixels of a picture that an eye must have at least, in both directions, to be drawn
MARGIN, CREASE_MARGIN = 0.15, 0.40  # widths of the eye beside it that lashes and crease need


def spline(points: Reals, count: int = 6) -> Floats:
    """Catmull-Rom curve through an open polyline [N, 2], `count` points per segment."""
    return _spline_weights(len(points), count) @ np.asarray(points, np.float32)


@cache
def _spline_weights(length: int, count: int) -> Floats:
    """The curve is linear in its `length` points: what each of them counts in each of its own."""
    points = np.eye(length)
    first, last = 2 * points[:1] - points[1:2], 2 * points[-1:] - points[-2:-1]
    p = np.concatenate([first, points, last])
    t = np.linspace(0, 1, count, endpoint=False)[:, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
        + (3 * b - a - 3 * c + d) * t**3
    )  # fmt: skip
    return np.concatenate([curve.reshape(-1, length), points[-1:]]).astype(np.float32)


def between(top: Floats, bottom: Floats, size: tuple[int, int]) -> Floats:
    """What lies between two curves, 0..1 in a picture of `size` (height, width)."""
    outline = np.concatenate([top, bottom[::-1]])
    mask = np.zeros(size, np.uint8)
    corners = np.round(outline * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    return mask.astype(np.float32) / 255


@dataclass(frozen=True)
class EyeShape:
    """Where one eye is, in pixels of the picture that it is painted into; whole numbers are the
    centres of pixels.

    Attributes:
        upper, lower: lids [9, 2], from the outer to the inner corner.
        centre: of the iris [2].
        radius: of the iris.
        open: 0 closed .. 1 open.
        right: unit vector [2] to the right of the upright face.
        lowered: by how much the lower lid was set lower in the middle, see `deeper`.
        squash: how wide it is seen, in shares of what it would be from the front.
    """

    upper: Floats
    lower: Floats
    centre: Floats
    radius: float
    open: float
    right: Floats
    lowered: float = 0.0
    squash: float = 1.0

    @classmethod
    def of(cls, points: Reals, eye: int, open_: float, right: Reals | None = None) -> EyeShape:
        """From landmarks [478, 2 or more]; `eye` 0 is the left one in the picture. Without
        `right`, the face is upright."""
        centre, ring = eye_iris(points, eye)
        middle = points[centre, :2]
        radius = float(np.linalg.norm(points[ring, :2] - middle, axis=1).mean())
        lids = points[UPPER_LID[eye], :2], points[LOWER_LID[eye], :2]
        right = np.array([1, 0]) if right is None else right
        return cls(*lids, middle, radius, open_, np.asarray(right, np.float32))

    @property
    def width(self) -> float:
        """From corner to corner."""
        return float(np.linalg.norm(self.upper[0] - self.upper[-1]))

    @property
    def height(self) -> float:
        """From lid to lid."""
        return float(np.linalg.norm(self.upper[4] - self.lower[4]))

    @property
    def roundness(self) -> float:
        """Height over width, as the lids were before the lower one was set lower."""
        return (self.height - self.lowered) / max(self.width, 1e-6)

    def deeper(self, much: float) -> EyeShape:
        """The same eye with a lower lid that is `much` widths lower in the middle, if open."""
        much *= self.width * self.open
        down = np.array([-self.right[1], self.right[0]], np.float32)
        along = np.linspace(0, 1, len(self.lower), dtype=np.float32)
        share = np.sqrt(4 * along * (1 - along))
        return replace(
            self, lower=self.lower + much * share[:, None] * down, lowered=self.lowered + much
        )

    def moved(self, right: float, down: float) -> EyeShape:
        """The same eye, so many pixels away."""
        by = np.array([right, down], np.float32)
        upper, lower, centre = (at + by for at in (self.upper, self.lower, self.centre))
        return replace(self, upper=upper, lower=lower, centre=centre)

    def turned(self, squash: float) -> EyeShape:
        """The same eye, seen from aside: so wide in shares of what it is from the front."""
        return replace(self, squash=squash)

    def moved_iris(self, by: Floats) -> EyeShape:
        """The same eye with its iris `by` [2] pixels away."""
        return replace(self, centre=self.centre + by)

    def opening(self, size: tuple[int, int]) -> Floats:
        """What lies between the lids, 0..1 in a picture of `size` (height, width)."""
        return between(spline(self.upper), spline(self.lower), size)

    def box(self, margin: float = MARGIN) -> tuple[int, int, int, int]:
        """What holds the lids and `margin` widths around them: left, top, right, bottom, without
        the last two; it may lie outside the picture."""
        both, margin = np.concatenate([self.upper, self.lower]), margin * self.width
        low, high = np.floor(both.min(0) - margin), np.ceil(both.max(0) + margin)
        return int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1

    def box_in(self, size: tuple[int, ...], margin: float = MARGIN) -> tuple[slice, slice] | None:
        """Rows and columns of the part of `box` that lies in a picture of `size` (height, width);
        None where less than `LEAST` pixels do in one direction."""
        left, top, right, bottom = self.box(margin)
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, size[1]), min(bottom, size[0])
        if min(right - left, bottom - top) < LEAST:
            return None
        return slice(top, bottom), slice(left, right)
