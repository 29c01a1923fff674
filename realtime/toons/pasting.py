"""Blending a finished toon into a frame: one warp, and one pass over the toon's box."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import invert, pixel_matrix, transform_points
from engines.pictures import FloatMask, Image, Mask
from realtime.compositing import GRID
from realtime.frame import as_uint8
from realtime.toons.detail import Box, Detail, add_detail
from realtime.toons.eyes.painting import Eyes, paint_eyes

VISIBLE = 0.002  # a mask below this changes no pixel of 8 bits


class Landed(NamedTuple):
    """Where a toon was pasted.

    Attributes:
        left, top: of its box, pixels of the frame.
        weight: uint8 [h, w], how much of each pixel of the box it is.
    """

    left: int
    top: int
    weight: Mask


class _Part(NamedTuple):
    """The part of a mask that is not empty, in its pixels."""

    left: int
    top: int
    right: int
    bottom: int


def paste(
    frame: Image,
    alpha: Mask,
    toon: Image,
    mask: FloatMask,
    transform: NDArray[np.floating],
    detail: Detail | None = None,
    eyes: Eyes | None = None,
) -> Landed | None:
    """Blend one toon into a frame, in place, touching only the box of its mask.

    Args:
        frame: uint8 [H, W, 3] BGR.
        alpha: uint8 [H, W], how much of each pixel is toon; raised where this toon lands.
        toon: uint8 [R, R, 3] BGR.
        mask: float32 [GRID, GRID] in [0, 1] over the toon.
        transform: [2, 3], from a crop of `GRID` x `GRID` to the frame.
        detail: where the toon takes the frame's detail from.
        eyes: painted over the toon's.

    Returns:
        Where it landed; None if nowhere in the frame.
    """
    part = _visible(mask)
    if part is None:
        return None
    # One pixel more on each side: there the mask has faded out.
    left, top, right, bottom = part.left - 1, part.top - 1, part.right + 1, part.bottom + 1
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    placed = transform_points(corners, transform)
    limit = [frame.shape[1], frame.shape[0]]
    x0, y0 = np.clip(np.floor(placed.min(0)), 0, limit).astype(int)
    x1, y1 = np.clip(np.ceil(placed.max(0)), 0, limit).astype(int)
    if x0 >= x1 or y0 >= y1:
        return None
    back = invert(transform).astype(np.float64)  # frame -> grid
    back[:, 2] += back[:, :2] @ [x0, y0]
    layer, back = _layer(toon, mask, part, back)
    warped = cv2.warpAffine(
        layer,
        pixel_matrix(back),
        (int(x1 - x0), int(y1 - y0)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    weight = as_uint8(cv2.extractChannel(warped, 3))
    weights = cv2.cvtColor(weight, cv2.COLOR_GRAY2BGR)
    region = frame[y0:y1, x0:x1]
    colour = as_uint8(cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR))
    box = Box(int(x0), int(y0), int(x1 - x0), int(y1 - y0))
    if detail is not None:
        colour = add_detail(colour, detail, box, transform)
    if eyes is not None:
        colour = paint_eyes(colour, eyes, box, transform)
    drawn = cv2.multiply(colour, weights, scale=1 / 255)
    kept = cv2.multiply(region, cv2.bitwise_not(weights), scale=1 / 255)
    cv2.add(drawn, kept, dst=region)
    covered = alpha[y0:y1, x0:x1]
    np.maximum(covered, weight, out=covered)
    return Landed(int(x0), int(y0), weight)


def coverage(alpha: Mask, landmarks: NDArray[np.floating]) -> float:
    """Share of a face's landmarks inside the picture that lie fully under toons; 1 if none do."""
    points = np.floor(np.asarray(landmarks)[:, :2]).astype(int)
    height, width = alpha.shape
    inside = (points >= 0).all(1) & (points[:, 0] < width) & (points[:, 1] < height)
    if not inside.any():
        return 1.0
    x, y = points[inside].T
    return float((alpha[y, x] >= 250).mean())


def _visible(mask: FloatMask) -> _Part | None:
    """The box of a mask's visible pixels, or None if there are none."""
    rows, columns = np.flatnonzero(mask.max(1) > VISIBLE), np.flatnonzero(mask.max(0) > VISIBLE)
    if not rows.size:
        return None
    return _Part(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _layer(
    toon: Image, mask: FloatMask, part: _Part, back: NDArray[np.float64]
) -> tuple[Image, NDArray[np.float64]]:
    """The visible part of a toon, ready to be warped.

    Colour and mask travel together, in 8 bits: one warp, and products that OpenCV vectorises. They
    get a size from which bilinear sampling neither aliases nor shows its own squares.

    Args:
        toon, mask: as for `paste`.
        part: what of the mask is visible.
        back: [2, 3], frame -> grid.

    Returns:
        uint8 [h, w, 4] BGRA, and [2, 3] from the frame to it.
    """
    side = toon.shape[0]
    scale = side / GRID
    low = np.maximum(np.floor(np.array([part.left - 1, part.top - 1]) * scale), 0).astype(int)
    high = np.minimum(np.ceil(np.array([part.right + 1, part.bottom + 1]) * scale), side)
    (left, top), (right, bottom) = low, high.astype(int)
    weight = as_uint8(cv2.convertScaleAbs(mask, alpha=255))
    if side != GRID:
        weight = as_uint8(cv2.resize(weight, (side, side), interpolation=cv2.INTER_LINEAR))
    colour, weight = toon[top:bottom, left:right], weight[top:bottom, left:right]
    ratio = scale * float(np.hypot(*back[:, 0]))  # toon pixels per frame pixel
    grown = np.ones(2)
    if ratio > 1.5 or ratio < 0.7:
        size = np.array([right - left, bottom - top])
        wanted = np.maximum(np.rint(size * (2 if ratio < 0.7 else 1 / ratio)), 1).astype(int)
        grown = wanted / size
        # A cubic would overshoot where the mask has a step.
        kernels = (cv2.INTER_CUBIC, cv2.INTER_LINEAR) if ratio < 0.7 else (cv2.INTER_AREA,) * 2
        colour, weight = (
            as_uint8(cv2.resize(plane, (int(wanted[0]), int(wanted[1])), interpolation=kernel))
            for plane, kernel in zip((colour, weight), kernels, strict=True)
        )
    layer = cv2.merge([colour, weight])
    matrix = back * (scale * grown)[:, None]
    matrix[:, 2] -= low * grown
    return as_uint8(layer), matrix
