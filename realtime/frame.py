"""What travels down the road: one picture with the moment it was captured."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import UsageError
from engines.pictures import Image


@dataclass(frozen=True, eq=False)
class Frame:
    """One captured picture.

    Attributes:
        image: uint8 [H, W, 3] BGR; no later stage writes into it.
        timestamp: seconds on the clock of the pictures, which rises from frame to frame. For a
            live source it is `captured`; for one that is read frame by frame it follows the media
            time, so smoothing and the like do not depend on how fast the machine is.
        number: counts captured frames from 0, without gaps.
        media_time: presentation time in seconds within a media file; None for live sources.
        captured: seconds at capture (`time.monotonic`), from which latency is measured.
        stream: another number than that of the frame before: nothing seen before counts any more,
            because the frames come from elsewhere.
    """

    image: Image
    timestamp: float
    number: int
    media_time: Fraction | None = None
    captured: float = field(default_factory=time.monotonic)
    stream: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]

    def mirrored(self) -> Frame:
        """The same, left and right exchanged."""
        return replace(self, image=as_uint8(cv2.flip(self.image, 1)))


def as_uint8(array: NDArray[Any]) -> NDArray[np.uint8]:
    """What OpenCV made of uint8 arrays, with the dtype that its stubs do not promise; no copy."""
    return array.astype(np.uint8, copy=False)


def exact_rate(rate: float) -> Fraction:
    """Pictures a second as a fraction: the float nearest to 30000/1001 is that again. Never 0."""
    if rate < 1:
        return 1 / Fraction(1 / rate).limit_denominator(1001)
    return Fraction(rate).limit_denominator(1001)


def as_bgr(picture: object) -> Image | None:
    """What a device handed over as uint8 [H, W, 3] BGR, or None if it is no such picture."""
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.size == 0:
        return None
    picture = np.asarray(picture)  # a subclass, such as a matrix, counts its axes in another way
    if picture.ndim == 2:
        return np.repeat(picture[:, :, None], 3, axis=2)
    if picture.ndim != 3 or picture.shape[2] not in (1, 3, 4):
        return None
    if picture.shape[2] == 1:
        return np.repeat(picture, 3, axis=2)
    return np.ascontiguousarray(picture[:, :, :3])


def fit(image: Image, size: tuple[int, int]) -> Image:
    """`image` scaled into `size` (width, height) with black bars, aspect kept."""
    width, height = size
    rows, columns = image.shape[:2]
    if (columns, rows) == size:
        return image
    scale = min(width / columns, height / rows)
    inner = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    resized = cv2.resize(
        image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    framed = cv2.copyMakeBorder(
        resized,
        top,
        height - inner[1] - top,
        left,
        width - inner[0] - left,
        cv2.BORDER_CONSTANT,
        value=(0, 0, 0),
    )
    return as_uint8(framed)


def checked_bgr(picture: object) -> Image:
    """What somebody handed over as uint8 [H, W, 3] BGR.

    Raises:
        UsageError: it is no such picture.
    """
    image = as_bgr(picture)
    if isinstance(picture, np.ndarray) and picture.size == 0:
        raise UsageError(
            f"A picture must be uint8 [H, W, 3] in BGR; {list(picture.shape)} has no pixels."
        )
    if image is None:
        raise UsageError(
            "A picture must be a uint8 array [H, W, 3] in BGR, not "
            f"{getattr(picture, 'dtype', type(picture).__name__)} "
            f"{list(getattr(picture, 'shape', ()))}."
        )
    return image
