"""Pictures that the guard shows instead of a camera's: a blur of it, or a still one, the slate."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engines.pictures import Image, Mask
from realtime.frame import as_uint8, fit

# A face that fills the picture is five cells wide: no detector and no friend recognises it.
BLUR_COLUMNS = 12


def blurred(image: Image, size: tuple[int, int]) -> Image:
    """`image` as a few soft patches of colour, fitted to `size` (width, height)."""
    rows, columns = image.shape[:2]
    cells = (BLUR_COLUMNS, max(2, round(BLUR_COLUMNS * rows / columns)))
    small = cv2.resize(image, cells, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE)
    grown = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return fit(as_uint8(grown), size)


def fit_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask [H, W] fitted as `fit` fits its picture, zero outside."""
    if mask.shape[::-1] == size:
        return mask
    return fit(as_uint8(cv2.merge([mask] * 3)), size)[:, :, 0]


def load_slate(path: str | None, size: tuple[int, int]) -> Image:
    """The still picture, uint8 [H, W, 3] BGR: the user's file, or a plain one drawn here.

    Args:
        path: a picture file; None for the plain one.
        size: (width, height) of the plain one.

    Raises:
        PictureError: the file cannot be read.
    """
    if path:
        from engines.pictures import read_picture

        return read_picture(Path(path)).bgr
    width, height = size
    shade = np.linspace(58, 34, height)[:, None, None] * np.array([1.25, 1.0, 0.95])
    slate = np.repeat(np.rint(shade).clip(0, 255).astype(np.uint8), width, axis=1)
    # No text: a virtual camera's users may see it mirrored.
    centre, radius = (width // 2, height // 2), max(4, height // 9)
    pale = (214, 204, 196)
    cv2.circle(slate, centre, radius, pale, max(1, radius // 9), cv2.LINE_AA)
    bar = max(1, radius // 6)
    for side in (-1, 1):
        x = centre[0] + side * radius // 3
        top, bottom = centre[1] - radius // 2, centre[1] + radius // 2
        cv2.rectangle(slate, (x - bar, top), (x + bar, bottom), pale, cv2.FILLED)
    return slate
