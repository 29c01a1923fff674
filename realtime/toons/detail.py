"""The frame's own finest detail in a toon: strands of hair, cloth and walls at full resolution.

A network sees a crop of a few hundred pixels and draws hair and walls softly, so a face would be
blurred where the toon is still the photo. The network says from where each place of the toon takes
the photo's detail, and how much of it; here that detail is taken from the frame, in place of the
network's own.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import pixel_matrix
from engines.pictures import Image
from realtime.compositing import GRID
from realtime.frame import as_uint8

WORTH = 0.6
"""Below this many frame pixels a pixel of the crop, a toon is so small that its own detail does."""
LEAST_SHARE = 0.03
SPLIT = 4.0
"""Pixels of the crop: what is finer than that comes from the frame; a network draws it softly."""
CRISP, CRISP_RADIUS = 1.0, 0.006
"""Share of a toon's own contrast at edges that is added to it, and their width in its sides."""


class Detail(NamedTuple):
    """Where a toon's finest detail comes from.

    Attributes:
        plan: float32 [3, M, M] over the crop: offset x, offset y in shares of its side, and how
            much of the detail is taken, 0..1.
        frame: uint8 [H, W, 3] BGR, the frame without toons.
        side: side of the crop that the network saw, pixels.
    """

    plan: NDArray[np.float32]
    frame: Image
    side: int


class Box(NamedTuple):
    """A box of a frame: upper left corner and size in pixels."""

    x: int
    y: int
    width: int
    height: int


def sharpened(toon: Image) -> Image:
    """A toon, uint8 [R, R, 3], with lids, lips, brows and jaw as crisp as in the drawings that its
    network learned from: a network trained on the mean error draws edges softly, and without
    noise, which sharpening would bring out."""
    side = toon.shape[0]
    half = cv2.resize(toon, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    half = cv2.GaussianBlur(half, (0, 0), CRISP_RADIUS * side / 2)  # a third of the time
    soft = cv2.resize(half, (side, side), interpolation=cv2.INTER_LINEAR)
    return as_uint8(cv2.addWeighted(toon, 1 + CRISP, soft, -CRISP, 0))


def add_detail(toon: Image, detail: Detail, box: Box, transform: NDArray[np.floating]) -> Image:
    """`toon` with the frame's detail in place of its own, as far as the network says.

    Args:
        toon: uint8 [h, w, 3] BGR, what is pasted into `box`.
        detail: what the network says.
        box: where in the frame.
        transform: [2, 3], from a crop of `GRID` x `GRID` to the frame.

    Returns:
        uint8 [h, w, 3]; `toon` itself where there is nothing to add.
    """
    linear = np.asarray(transform, np.float64)[:, :2]
    zoom = float(np.hypot(*linear[:, 0])) * GRID / detail.side  # frame pixels per crop pixel
    if zoom < WORTH or float(detail.plan[2].max()) < LEAST_SHARE:
        return toon
    side = detail.plan.shape[1]
    moves = np.tensordot(linear * GRID, detail.plan[:2], 1)  # in frame pixels
    share = detail.plan[2] * np.float32(255)
    field = np.stack([*moves, share], -1).astype(np.float32)
    to_plan = np.array(transform, np.float64)
    to_plan[:, :2] *= GRID / side
    to_plan[:, 2] -= (box.x, box.y)
    size = (box.width, box.height)
    placed = cv2.warpAffine(field, pixel_matrix(to_plan), size, flags=cv2.INTER_LINEAR)
    columns = placed[..., 0] + np.arange(box.x, box.x + box.width, dtype=np.float32)
    rows = placed[..., 1] + np.arange(box.y, box.y + box.height, dtype=np.float32)[:, None]
    taken = as_uint8(
        cv2.remap(detail.frame, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    )
    apart = cv2.subtract(taken, toon, dtype=cv2.CV_16S)
    coarse = tuple(max(round(length / (SPLIT * zoom)), 1) for length in size)
    low = cv2.resize(cv2.resize(apart, coarse, interpolation=cv2.INTER_AREA), size)
    weight = cv2.cvtColor(
        as_uint8(cv2.convertScaleAbs(cv2.extractChannel(placed, 2))), cv2.COLOR_GRAY2BGR
    )
    fine = cv2.multiply(cv2.subtract(apart, low), weight, scale=1 / 255, dtype=cv2.CV_16S)
    return as_uint8(cv2.add(toon, fine, dtype=cv2.CV_8U))
