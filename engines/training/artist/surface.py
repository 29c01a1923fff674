"""The toon head as a surface: normals for relighting, cavities for soft shading."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay

from engines.faces.head import CHIN, FACE_OVAL, FOREHEAD, Head
from engines.faces.pixels import Floats, mix, smoothstep

REDUCTION = 4  # the surface is smooth: a quarter of the resolution is enough
BULGES = (
    ([50, 205], 0.26, 0.11),
    ([280, 425], 0.26, 0.11),
    ([4], 0.14, 0.08),
    ([64], 0.07, 0.03),
    ([294], 0.07, 0.03),
    ([199], 0.17, 0.07),
    ([151], 0.50, 0.12),
)
"""Where a film character is rounder than a person: landmarks, radius, height (eye distances)."""


@dataclass(frozen=True)
class Surface:
    """Shape in toon space, all [S, S]."""

    normals: Floats  # [S, S, 3], +z towards the viewer
    cavity: Floats  # < 0 recess, > 0 bulge
    hollow: Floats  # the same of wide forms: sockets, temples, cheeks
    face: Floats  # 1 where the landmark mesh carries the shape
    radius: Floats  # 1 on the outline of the head ellipsoid


def surface(points: Floats, head: Head, size: int) -> Surface:
    """Depth of the toon landmarks (camera-facing ones), blended with an ellipsoid for the skull."""
    count, unit = size // REDUCTION, head.unit / REDUCTION
    mesh = points[:468][head.facing(points[:468]) < -0.16]
    keep = np.unique(np.round(mesh[:, :2] / 2).astype(int), axis=0, return_index=True)[1]
    mesh = mesh[keep]
    rows, columns = np.mgrid[0:count, 0:count].astype(np.float32) * REDUCTION + 1.5
    depth = LinearNDInterpolator(Delaunay(mesh[:, :2]), mesh[:, 2])(columns, rows)
    depth = depth.astype(np.float32)
    inside = (~np.isnan(depth)).astype(np.float32)
    depth = np.nan_to_num(depth, nan=0.0)

    def soft(values: Floats, sigma: float) -> Floats:
        return cv2.GaussianBlur(values, (0, 0), sigma * unit)

    def level(sigma: float) -> Floats:
        return soft(depth, sigma) / (soft(inside, sigma) + 1e-3)

    cavity = (level(0.17) - level(0.05)) / unit
    cavity = (cavity - soft(cavity * inside, 0.45)) * smoothstep(0.80, 1.0, soft(inside, 0.22))
    hollow = (level(0.50) - level(0.14)) / unit
    hollow = (hollow - soft(hollow * inside, 0.9)) * smoothstep(0.80, 1.0, soft(inside, 0.22))
    height = np.where(inside > 0, level(0.055), level(0.6))
    for ids, radius_, by in BULGES:
        x0, y0 = points[ids, :2].mean(0)
        squared = ((columns - x0) ** 2 + (rows - y0) ** 2) / (radius_ * head.unit) ** 2
        height = height - by * head.unit * np.exp(-squared / 2)
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) / (8 * REDUCTION)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) / (8 * REDUCTION)
    mesh_normals = np.stack([slope_x, slope_y, np.ones_like(height)], -1)
    mesh_normals /= np.linalg.norm(mesh_normals, axis=-1, keepdims=True)

    up = points[FOREHEAD, :2] - points[CHIN, :2]
    face_height = np.linalg.norm(up)
    up = up / face_height
    right = np.array([-up[1], up[0]])
    oval = points[FACE_OVAL, :2]
    centre = oval.mean(0) + up * face_height * 0.10
    dx, dy = columns - centre[0], rows - centre[1]
    a = (dx * right[0] + dy * right[1]) / (np.ptp(oval @ right) / 2 * 1.06)
    b = (dx * up[0] + dy * up[1]) / (face_height * 0.66)
    radius = np.sqrt(a * a + b * b) + 1e-6
    bounded = np.minimum(radius, 0.96)
    x, y = a * bounded / radius, b * bounded / radius
    ellipsoid = np.stack(
        [x * right[0] + y * up[0], x * right[1] + y * up[1], np.sqrt(1 - bounded**2)], -1
    )
    face = smoothstep(0.45, 1.0, soft(inside, 0.26))
    normals = cv2.GaussianBlur(
        mix(ellipsoid, mesh_normals, face * 0.68).astype(np.float32), (0, 0), 1.0
    )
    normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)

    def enlarge(values: Floats) -> Floats:
        return cv2.resize(values.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)

    return Surface(
        enlarge(normals), enlarge(cavity), enlarge(hollow), np.clip(enlarge(face), 0, 1),
        np.clip(enlarge(radius), 0, 9),
    )  # fmt: skip
