"""Curves in the picture: Catmull-Rom splines and the distance of pixels from them."""

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, Reals
from engines.training.artist3d.colour import unit

Box = tuple[int, int, int, int]  # x0, y0, x1, y1


def even(points: Reals, count: int) -> NDArray[np.float64]:
    """``count`` points [count, D] at even distances along a polyline [N, D]."""
    at = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    where = np.linspace(0, at[-1], count)
    return np.column_stack([np.interp(where, at, points[:, k]) for k in range(points.shape[1])])


def _segment(a: Reals, b: Reals, c: Reals, d: Reals, t: Reals) -> Reals:
    """Catmull-Rom between b and c."""
    square, cube = t**2, t**3
    return 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * square + (3 * b - a - 3 * c + d) * cube
    )


def open_curve(points: Reals, count: int = 64) -> NDArray[np.float64]:
    """Catmull-Rom curve through points [N, D], ``count`` points at even distances."""
    p = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    pieces = [_segment(p[i - 1], p[i], p[i + 1], p[i + 2], t) for i in range(1, len(p) - 2)]
    return even(np.vstack([*pieces, points[-1:]]), count)


def closed_curve(points: Reals, per_side: int = 6) -> Floats:
    """Closed Catmull-Rom curve through points [N, 2], smoothed: float32 [N * per_side, 2]."""
    n = len(points)
    t = np.linspace(0, 1, per_side, endpoint=False)[:, None]
    p = np.vstack(
        [
            _segment(points[i - 1], points[i], points[(i + 1) % n], points[(i + 2) % n], t)
            for i in range(n)
        ]
    )
    kernel = np.array([1, 3, 5, 6, 5, 3, 1.0]) / 24
    around = np.vstack([p[-3:], p, p[:3]])
    return np.column_stack([np.convolve(around[:, k], kernel, "valid") for k in range(2)]).astype(
        np.float32
    )


def along_curve(box: Box, curve: Reals) -> tuple[Floats, Floats]:
    """Curve coordinates of the pixels of a box.

    Args:
        box: x0, y0, x1, y1.
        curve: [N, 2] at even distances.

    Returns:
        How far along the curve, 0..1 and a little beyond its ends, and the signed distance across
        in pixels, positive to the right of the curve's direction (y down); float32 [H, W] each.
    """
    c = np.ascontiguousarray(curve, dtype=np.float32)
    direction = unit(np.gradient(c, axis=0)).astype(np.float32)
    found = _follow(*box, c, np.ascontiguousarray(direction))
    return found[0], found[1]


@numba.njit(cache=True, fastmath=True)
def _follow(x0: int, y0: int, x1: int, y1: int, curve: Any, direction: Any) -> Any:
    """`along_curve`, pixel by pixel: float32 [2, H, W]."""
    out = np.empty((2, y1 - y0, x1 - x0), np.float32)
    count = curve.shape[0]
    length = np.hypot(curve[1, 0] - curve[0, 0], curve[1, 1] - curve[0, 1]) + 1e-6
    for y in range(y0, y1):
        for x in range(x0, x1):
            best, nearest = 1e30, 0
            for i in range(count):
                d = (x - curve[i, 0]) ** 2 + (y - curve[i, 1]) ** 2
                if d < best:
                    best, nearest = d, i
            dx, dy = x - curve[nearest, 0], y - curve[nearest, 1]
            tx, ty = direction[nearest, 0], direction[nearest, 1]
            out[0, y - y0, x - x0] = (nearest + (dx * tx + dy * ty) / length) / (count - 1)
            out[1, y - y0, x - x0] = dy * tx - dx * ty
    return out


def box_around(points: Reals, margin: float, size: int) -> Box:
    """The pixels within ``margin`` of points, inside a picture of ``size``."""
    x0, y0 = np.maximum(np.floor(points[:, :2].min(0) - margin), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(points[:, :2].max(0) + margin), size).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def fill_exactly(size: int, points: Reals) -> Floats:
    """Filled polygon [size, size], anti-aliased by 4 x 4 samples."""
    big = np.zeros((size * 4, size * 4), np.uint8)
    corners = np.round((points[:, :2] + 0.5) * 4 - 0.5).astype(np.int32)
    cv2.fillPoly(big, [corners], 255)
    small = cv2.resize(big, (size, size), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255
