"""Toons without their room, for the overlay: only their boxes, colour and alpha apart.

JPEG has no alpha. Colours are continued beyond a toon's edge before they are encoded, so that no
dark or foreign rim is mixed into its soft edge; the alpha travels as a lossless grey PNG.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.pictures import Image, Mask
from realtime.frame import as_uint8
from realtime.guard import Output
from realtime.sinks.files import with_alpha
from realtime.web.panel.feed import jpeg

QUALITY = 85  # of the colours
COARSE = 8  # pixels; boxes are multiples of it, so that JPEG's blocks fit
FIRM = 48  # alpha from which on a pixel's own colour is exact enough to be continued


@dataclass(frozen=True)
class Cut:
    """One toon, or several that touch.

    Attributes:
        box: left, top, width, height, pixels of the picture.
        colour: JPEG of its size.
        alpha: grey PNG of its size; 255 where all is toon.
    """

    box: tuple[int, int, int, int]
    colour: bytes
    alpha: bytes


def cut(output: Output) -> list[Cut]:
    """The toons of a picture; none unless its own alpha says so."""
    boxes = toon_boxes(output.alpha)
    if not boxes:
        return []
    layer = with_alpha(output)
    cuts = []
    for left, top, width, height in boxes:
        part = layer[top : top + height, left : left + width]
        alpha = np.ascontiguousarray(part[:, :, 3])
        png = cv2.imencode(".png", alpha, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        colours = continued(np.ascontiguousarray(part[:, :, :3]), alpha)
        cuts.append(Cut((left, top, width, height), jpeg(colours, QUALITY), bytes(png)))
    return cuts


def toon_boxes(alpha: Mask) -> list[tuple[int, int, int, int]]:
    """(left, top, width, height) of each group of pixels that are not clear."""
    height, width = alpha.shape
    rows, columns = -(-height // COARSE), -(-width // COARSE)
    padded = np.zeros((rows * COARSE, columns * COARSE), np.uint8)
    padded[:height, :width] = alpha
    blocks = padded.reshape(rows, COARSE, columns, COARSE).max(axis=(1, 3))
    if not blocks.any():
        return []
    _, _, found, _ = cv2.connectedComponentsWithStats((blocks > 0).astype(np.uint8))
    boxes = []
    for left, top, wide, high in (found[1:, :4] * COARSE).tolist():
        boxes.append((left, top, min(wide, width - left), min(high, height - top)))
    return boxes


def continued(colours: Image, alpha: Mask) -> Image:
    """Colours uint8 [H, W, 3] that go on smoothly where `alpha` uint8 [H, W] is low."""
    firm = (alpha >= FIRM).astype(np.float32)
    if firm.all():
        return colours
    rows, columns = alpha.shape
    small = (max(columns // 4, 1), max(rows // 4, 1))
    known = cv2.resize(firm, small, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(
        colours.astype(np.float32) * firm[..., None], small, interpolation=cv2.INTER_AREA
    )
    total = np.zeros((*known.shape, 4), np.float32)
    for reach, weight in ((1.5, 1.0), (6, 1e-2), (24, 1e-4)):
        spread = cv2.GaussianBlur(np.dstack([sums, known]), (0, 0), reach)
        total += np.float32(weight) * spread
    middle = (colours.reshape(-1, 3) * firm.reshape(-1, 1)).sum(0) / max(float(firm.sum()), 1.0)
    filled = (total[..., :3] + 1e-6 * middle) / (total[..., 3:] + 1e-6)
    around = cv2.resize(filled.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    return as_uint8(
        np.where(firm[..., None] > 0, colours, np.clip(around, 0, 255)).astype(np.uint8)
    )
