"""What of a picture's toons is head, not the room drawn about it: found out when first asked for.

Most pictures go to calls and windows, which show the room too; only overlays ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import invert, pixel_matrix
from engines.pictures import FloatMask, Mask
from realtime.frame import as_uint8
from realtime.toons.pasting import Landed


class _Head(NamedTuple):
    landed: Landed
    transform: NDArray[np.floating]
    share: Callable[[], FloatMask]


class Heads:
    """The heads of one picture, in the order in which their toons were pasted.

    Args:
        shape: (height, width) of the picture, pixels.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._heads: list[_Head] = []
        self._picture: Mask | None = None

    def add(
        self, landed: Landed | None, transform: NDArray[np.floating], share: Callable[[], FloatMask]
    ) -> None:
        """One more toon.

        Args:
            landed: where `paste` put it; None if nowhere.
            transform: [2, 3], from a crop of `GRID` x `GRID` to the picture.
            share: float32 [GRID, GRID] in [0, 1], what of the toon is head.
        """
        if landed:
            self._heads.append(_Head(landed, transform, share))

    def picture(self) -> Mask:
        """uint8 [H, W], how much of each pixel is a toon's head. Any thread may ask."""
        if self._picture is None:
            picture = np.zeros(self._shape, np.uint8)
            for head in self._heads:
                _add(picture, head)
            self._picture = picture
        return self._picture


def _add(picture: Mask, head: _Head) -> None:
    """Blend a toon's head over those that lie behind it."""
    left, top, weight = head.landed
    height, width = weight.shape
    back = invert(head.transform).astype(np.float64)  # picture -> grid
    back[:, 2] += back[:, :2] @ [left, top]
    share = cv2.warpAffine(
        cv2.convertScaleAbs(head.share(), alpha=255),
        pixel_matrix(back),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    shown = picture[top : top + height, left : left + width]
    drawn = as_uint8(cv2.multiply(share, weight, scale=1 / 255))
    kept = cv2.multiply(shown, cv2.bitwise_not(weight), scale=1 / 255)
    cv2.add(drawn, kept, dst=shown)
