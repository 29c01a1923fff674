"""Toons without their room, for the overlay: only their boxes, colour and alpha apart.

JPEG has no alpha. Colours are continued beyond a toon's edge before they are encoded, so that no
dark or foreign rim is mixed into its soft edge; the alpha travels as a lossless grey PNG.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from engines.pictures import Mask
from realtime.frame import as_uint8
from realtime.guard import Output
from realtime.toons.matting import part, toons_alone
from realtime.web.panel.feed import jpeg

QUALITY = 85  # of the colours
COARSE = 8  # pixels; boxes are multiples of it: JPEG's blocks fit, and so does a 64-bit number


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
    cuts = []
    for box in toon_boxes(output.alpha if output.heads is None else output.heads()):
        left, top, width, height = box
        spot = np.s_[top : top + height, left : left + width]
        colours, alpha = toons_alone(part(output, spot))
        cuts.append(Cut(box, jpeg(colours, QUALITY), grey_png(alpha)))
    return cuts


def grey_png(grey: Mask) -> bytes:
    """uint8 [H, W] as PNG, in half the time that OpenCV takes.

    Each row is written as its difference to the one above (the filter "up"), which is nearly all 0.
    """
    height, width = grey.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = 2  # the filter's number
    rows[0, 1:] = grey[0]
    np.subtract(grey[1:], grey[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits, grey
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def toon_boxes(alpha: Mask) -> list[tuple[int, int, int, int]]:
    """(left, top, width, height) of each group of pixels that are not clear."""
    height, width = alpha.shape
    if height % COARSE or width % COARSE:
        rest = (0, -height % COARSE, 0, -width % COARSE)
        alpha = as_uint8(cv2.copyMakeBorder(alpha, *rest, cv2.BORDER_CONSTANT, value=0))
    eights = np.ascontiguousarray(alpha).view(np.uint64)  # eight pixels a number
    blocks = np.bitwise_or.reduce(eights.reshape(-1, COARSE, eights.shape[1]), axis=1) > 0
    if not blocks.any():
        return []
    _, _, found, _ = cv2.connectedComponentsWithStats(blocks.astype(np.uint8))
    boxes = []
    for left, top, wide, high in (found[1:, :4] * COARSE).tolist():
        boxes.append((left, top, min(wide, width - left), min(high, height - top)))
    return boxes
