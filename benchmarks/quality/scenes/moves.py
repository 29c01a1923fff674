"""Still portraits that move: lids slide down and jaws drop.

This is crude on purpose: the measure is whether the toon follows what a landmark detector sees in
the moved photo, not whether the photo looks real.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW_BOTTOM, LOWER_LID, UPPER_LID
from engines.pictures import Image

Points = NDArray[np.floating]
Field = NDArray[np.float64]

# (upper lid, lower lid, brow), each from the outer corner of the eye to the inner one
EYES = tuple(zip(UPPER_LID, LOWER_LID, BROW_BOTTOM, strict=True))
SEAM = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
CHIN, FOREHEAD = 152, 10
JAW_CORNERS = (172, 397)
DROP = 0.12
"""Of the face's height, at most."""
MOUTH_DARK = (66, 26, 26)
LASHES = 0.04
"""What comes down with the lid: this share of the eye's width."""


class _Axes:
    """Coordinates along (u) and across (v, downwards) the line between two landmarks."""

    def __init__(self, start: Points, end: Points, size: int) -> None:
        along = np.asarray(end, np.float64) - start
        if along[0] < 0:
            start, along = np.asarray(end), -along
        self.length = float(np.hypot(*along))
        self._u = along / self.length
        self._v = np.array([-self._u[1], self._u[0]])
        self._start = np.asarray(start, np.float64)
        rows, columns = np.mgrid[:size, :size] + 0.5
        self.u, self.v = self.of(np.stack([columns, rows], axis=-1))

    def of(self, points: NDArray[np.floating]) -> tuple[Field, Field]:
        """(u, v) of points [..., 2]."""
        offset = points - self._start
        return offset @ self._u, offset @ self._v

    def curve(self, points: Points) -> Field:
        """v of a polyline through landmarks, at the u of every pixel."""
        u, v = self.of(np.asarray(points, np.float64))
        order = np.argsort(u)
        return np.interp(self.u, u[order], v[order])

    def sample(self, image: Image, v: Field) -> Image:
        """The picture read at `v` instead of each pixel's own v."""
        offset = (v - self.v)[:, :, None] * self._v
        rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
        x, y = (columns + offset[:, :, 0], rows + offset[:, :, 1])
        return cv2.remap(
            image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT_101,
        ).astype(np.uint8, copy=False)  # fmt: skip


def close_eyes(image: Image, landmarks: Points, amount: float) -> Image:
    """Upper lids slid over the eyes by `amount` (0..1) of the way. uint8 [S, S, 3] RGB."""
    points = np.asarray(landmarks, np.float64)[:, :2]
    for upper, lower, brow in EYES:
        axes = _Axes(points[upper[0]], points[upper[-1]], image.shape[0])
        lid, floor, top = (axes.curve(points[list(part)]) for part in (upper, lower, brow))
        lid = lid + LASHES * axes.length
        down = np.maximum(floor, lid) * amount + lid * (1 - amount)
        skin = top + (axes.v - top) * (lid - top) / np.maximum(down - top, 1e-6)
        covered = (axes.u > 0) & (axes.u < axes.length) & (axes.v > top) & (axes.v < down)
        image = axes.sample(image, np.where(covered, skin, axes.v))
    return image


def open_mouth(image: Image, landmarks: Points, amount: float) -> Image:
    """Jaw dropped by `amount` (0..1) of `DROP`, the gap dark. uint8 [S, S, 3] RGB."""
    points = np.asarray(landmarks, np.float64)[:, :2]
    axes = _Axes(points[JAW_CORNERS[0]], points[JAW_CORNERS[1]], image.shape[0])
    seam = axes.curve(points[list(SEAM)])
    _, chin = axes.of(points[CHIN])
    height = float(np.hypot(*(points[CHIN] - points[FOREHEAD])))
    (left, right), _ = axes.of(points[[SEAM[0], SEAM[-1]]])
    across = _bump((2 * axes.u - axes.length) / axes.length)
    gap = _bump((2 * axes.u - left - right) / (right - left))

    def drop(v: Field) -> Field:
        """How far what was at v has come down."""
        stretch = np.clip((v - seam) / np.maximum(chin - seam, 1e-6), 0, 1)
        fade = np.clip(1 - (v - chin) / (0.35 * height), 0, 1)
        return amount * DROP * height * across * (gap + (1 - gap) * stretch) * fade

    source = axes.v - drop(axes.v - drop(axes.v))
    below = axes.v > seam
    opened = below & (source < seam)
    moved = axes.sample(image, np.where(below & ~opened, source, axes.v))
    soft = cv2.GaussianBlur(opened.astype(np.float32), (0, 0), image.shape[0] / 300)[:, :, None]
    return np.rint(moved * (1 - soft) + np.array(MOUTH_DARK) * soft).astype(np.uint8)


def _bump(x: Field) -> Field:
    """1 at 0, falling smoothly to 0 at +-1."""
    return np.where(np.abs(x) < 1, np.cos(np.clip(x, -1, 1) * np.pi / 2) ** 0.7, 0.0)


def steps(count: int) -> Sequence[float]:
    """Amounts of a movement, from none to all."""
    return [float(a) for a in np.linspace(0, 1, count)]
