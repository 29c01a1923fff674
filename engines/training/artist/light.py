"""Light: what the photo's lamp did to the face, and the soft key that replaces it."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.head import CHIN, FACE_OVAL, SUBNASALE, Head
from engines.faces.pixels import Floats, Reals, blur, polygon, smoothstep
from engines.training.artist.imaging import guided_filter
from engines.training.artist.surface import Surface


def photo_shading(log_light: Floats, shape: Surface, weight: Floats) -> tuple[Floats, float]:
    """Shading of the photo [S, S] and the side its light comes from (-1 left .. 1 right).

    Robust fit of second-order spherical harmonics of the normals to the skin's log luminance
    (Ramamoorthi and Hanrahan, "An Efficient Representation for Irradiance Environment Maps", 2001).
    """
    x, y, z = np.moveaxis(shape.normals, -1, 0)
    basis = np.stack(
        [np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], -1
    )
    use = weight[::4, ::4].ravel() > 0.3
    if use.sum() < 100:
        return np.full_like(log_light, np.median(log_light)), 0.0
    rows = basis[::4, ::4].reshape(-1, 9)[use].astype(np.float64)
    values = log_light[::4, ::4].ravel()[use].astype(np.float64)
    prior = weight[::4, ::4].ravel()[use].astype(np.float64)
    ridge = np.diag([1e-6] + [1.0] * 8) * 0.02 * len(values)
    trust = prior
    for _ in range(3):
        weighted = (rows * trust[:, None]).T
        coefficients = np.linalg.solve(weighted @ rows + ridge, weighted @ values)
        residual = values - rows @ coefficients
        trust = prior / (1 + (residual / (2.8 * np.median(np.abs(residual)) + 2e-3)) ** 2)
    shading = (basis @ coefficients.astype(np.float32)).astype(np.float32)
    return shading, float(np.tanh(coefficients[1] * 2.5))


def cast_light(residual: Floats, skin: Floats, unit: float, gloss: float) -> Floats:
    """Log gain [S, S] against cast shadows and burnt patches on skin.

    `gloss` 0..1 spares the highlights, which dark, glossy skin needs.
    """
    weight = blur(skin, 0.05 * unit) + 1e-3
    base = guided_filter(residual, blur(residual * skin, 0.05 * unit) / weight, 0.10 * unit, 0.012)
    shadow = -0.78 * np.minimum(base + 0.05, 0)
    burnt = -0.92 * (1 - 0.2 * gloss) * np.maximum(base - 0.03, 0)
    return (shadow + burnt).astype(np.float32)


def _shifted(mask: Floats, offset: Reals) -> Floats:
    matrix = np.array([[1, 0, offset[0]], [0, 1, offset[1]]], np.float64)
    return cv2.warpAffine(mask, matrix, mask.shape[::-1], borderMode=cv2.BORDER_REPLICATE)


def occlusion(points: Floats, head: Head, size: int) -> Floats:
    """Soft shade (log units, >= 0) under the nose, the lower lip and the jaw."""
    unit = head.unit
    right, down = head.rotation[0, :2], head.rotation[1, :2]
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)

    def spot(centre: Reals, width: float, height: float) -> Floats:
        dx, dy = columns - centre[0], rows - centre[1]
        along = (dx * right[0] + dy * right[1]) / (width * unit)
        across = (dx * down[0] + dy * down[1]) / (height * unit)
        return np.exp(-(along**2) - across**2)

    oval = polygon(size, points[FACE_OVAL], 0.04 * unit)
    below = blur(_shifted(oval, down * 0.20 * unit), 0.07 * unit)
    jaw = np.clip(below - oval, 0, 1) * smoothstep(
        0.1 * unit, 0.6 * unit, rows - points[SUBNASALE, 1]
    )
    nose = 0.14 * spot(points[2, :2] * 0.6 + points[164, :2] * 0.4, 0.20, 0.07)
    lip = 0.11 * spot(points[17, :2] * 0.35 + points[18, :2] * 0.65, 0.20, 0.06)
    return (nose + lip + 0.42 * jaw).astype(np.float32)


def rim(points: Floats, edge: Floats, shape: Surface, head: Head, side: float) -> Floats:
    """Thin light (0..1) along hair and shoulders away from the key; none on the face.

    `side` -1..1: how much of it falls on the left .. right edge.
    """
    size, unit = edge.shape[0], head.unit
    right, down = head.rotation[0, :2], head.rotation[1, :2]
    rows = np.mgrid[0:size, 0:size][0].astype(np.float32)
    soft = blur(edge, 0.03 * unit)
    near = smoothstep(1.75, 1.25, shape.radius)
    near = near * smoothstep(0.30, -0.15, (rows - points[CHIN, 1]) / unit)
    result = np.zeros((size, size), np.float32)
    for sign, share in ((1, 0.5 + 0.5 * side), (-1, 0.5 - 0.5 * side)):
        offset = (-sign * right * 0.9 + down * 0.25) * unit * 0.13
        result += share * np.clip(soft - _shifted(soft, offset), 0, 1) * near * edge
    return np.clip(blur(result, 0.012 * unit), 0, 1)
