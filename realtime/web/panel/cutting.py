"""Toons without their room, for the overlay: only their boxes, colour and alpha apart.

JPEG has no alpha. Colours are continued beyond a toon's edge before they are encoded, so that no
dark or foreign rim is mixed into its soft edge; the alpha travels as a lossless grey PNG.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from engines.pictures import Mask
from realtime.frame import as_uint8, fit
from realtime.guard import Output
from realtime.toons.matting import toons_alone
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
    boxes = toon_boxes(output.alpha if output.heads is None else output.heads)
    under = output.under
    if boxes and under is not None:
        under = fit(under, output.image.shape[1::-1])
    cuts = []
    for left, top, width, height in boxes:
        spot = np.s_[top : top + height, left : left + width]
        part = replace(
            output,
            image=np.ascontiguousarray(output.image[spot]),
            alpha=np.ascontiguousarray(output.alpha[spot]),
            heads=None if output.heads is None else np.ascontiguousarray(output.heads[spot]),
            under=None if under is None else np.ascontiguousarray(under[spot]),
        )
        colours, alpha = toons_alone(part)
        png = cv2.imencode(".png", alpha, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        colour = jpeg(colours, QUALITY)
        cuts.append(Cut((left, top, width, height), colour, bytes(png)))
    return cuts


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
