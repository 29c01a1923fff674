"""A small z-buffer rasteriser for triangle meshes, compiled by numba."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

EMPTY = -1e30  # depth where nothing was drawn


@numba.njit(cache=True, fastmath=True)
def rasterise(points: Any, triangles: Any, height: int, width: int) -> Any:
    """Draw a mesh, both sides of its triangles; the nearest one wins.

    Args:
        points: float [N, 3] pixel position (x right, y down) and depth, larger = nearer.
        triangles: int [T, 3] vertex numbers.
        height, width: of the picture, pixels.

    Returns:
        Triangle of every pixel int32 [H, W] (-1 none), its barycentric coordinates float32
        [H, W, 3] and the depth float32 [H, W].
    """
    found = np.full((height, width), -1, np.int32)
    depth = np.full((height, width), -1e30, np.float32)
    weights = np.zeros((height, width, 3), np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        cx, cy = points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-9:
            continue
        x0 = max(int(np.ceil(min(ax, bx, cx))), 0)
        x1 = min(int(np.floor(max(ax, bx, cx))), width - 1)
        y0 = max(int(np.ceil(min(ay, by, cy))), 0)
        y1 = min(int(np.floor(max(ay, by, cy))), height - 1)
        inverse = 1.0 / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                u = ((bx - x) * (cy - y) - (cx - x) * (by - y)) * inverse
                v = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) * inverse
                w = 1.0 - u - v
                if u < 0 or v < 0 or w < 0:
                    continue
                z = u * points[a, 2] + v * points[b, 2] + w * points[c, 2]
                if z > depth[y, x]:
                    depth[y, x] = z
                    found[y, x] = t
                    weights[y, x, 0] = u
                    weights[y, x, 1] = v
                    weights[y, x, 2] = w
    return found, weights, depth


@numba.njit(cache=True, fastmath=True)
def interpolate(found: Any, weights: Any, triangles: Any, values: Any) -> Any:
    """Vertex values float32 [N, K] at every pixel of `rasterise`: float32 [H, W, K], 0 outside."""
    height, width = found.shape
    count = values.shape[1]
    out = np.zeros((height, width, count), np.float32)
    for y in range(height):
        for x in range(width):
            t = found[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            for i in range(count):
                out[y, x, i] = (
                    weights[y, x, 0] * values[a, i]
                    + weights[y, x, 1] * values[b, i]
                    + weights[y, x, 2] * values[c, i]
                )
    return out


def vertex_normals(points: NDArray[Any], triangles: NDArray[Any]) -> NDArray[np.float64]:
    """Outward unit normals [N, 3], weighted by the area of the triangles around."""
    corner = points[triangles[:, 0]]
    flat = np.cross(points[triangles[:, 1]] - corner, points[triangles[:, 2]] - corner)
    out = np.zeros((len(points), 3))
    for axis in range(3):
        for vertex in range(3):
            out[:, axis] += np.bincount(triangles[:, vertex], flat[:, axis], minlength=len(points))
    return out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-12)
