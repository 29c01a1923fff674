"""Picture files as OpenCV reads them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engines.pictures import Image


def read_bgr(path: Path | str, flags: int = cv2.IMREAD_COLOR) -> Image:
    """A picture file: BGR, uint8 [H, W, 3], with alpha [H, W, 4] if `flags` say so."""
    picture = cv2.imread(str(path), flags)
    assert picture is not None, f"{path} cannot be read"
    assert picture.dtype == np.uint8
    return picture.astype(np.uint8, copy=False)


def read_rgb(path: Path | str) -> Image:
    """A picture file: RGB, uint8 [H, W, 3]."""
    return np.ascontiguousarray(read_bgr(path)[..., ::-1])
