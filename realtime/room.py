"""The room as a painting, so that a film character does not sit in a photo.

Each pixel gets the colour of that place about it which is the most even: texture goes, edges stay
or get crisper, as with a broad brush. A filter of Kuwahara et al. ("Processing of
RI-angiocardiographic images", 1976), whose places count by how even they are, so that none is
chosen outright (Papari, Petkov and Campisi, "Artistic edge and corner enhancing smoothing", 2007):
with noise, one that is chosen would flicker.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engines.faces.pixels import Floats
from engines.pictures import Image, Mask
from realtime.frame import as_uint8

LARGEST = 720  # pixels of a frame's longer side up to which it is painted at its own size
BRUSH, FINEST = 0.0075, 1.5  # width of a brush in the longer side, and the least in pixels
STROKES = 2  # how often light is gone over; colour, which eyes see less finely, once
NOISE = 10.0  # variance, 0..255 scale, of what counts as even


def painted(frame: Image) -> Image:
    """A frame, uint8 [H, W, 3] BGR, as if painted."""
    longer = max(frame.shape[:2])
    fewer = -(-longer // LARGEST)
    small = _shrunk(frame, fewer) if fewer > 1 else frame
    brush = max(BRUSH * longer / fewer, FINEST)
    planes = cv2.split(cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb))
    light, coarse = as_uint8(planes[0]), [_shrunk(as_uint8(plane), 2) for plane in planes]
    colours = _stroke(coarse, max(brush / 2, FINEST))[1:]
    for _ in range(STROKES):
        (light,) = _stroke([light], brush)
    size = small.shape[1::-1]
    both = cv2.merge([light, *(cv2.resize(plane, size) for plane in colours)])
    small = as_uint8(cv2.cvtColor(both, cv2.COLOR_YCrCb2BGR))
    if small.shape == frame.shape:
        return small
    return as_uint8(cv2.resize(small, frame.shape[1::-1], interpolation=cv2.INTER_CUBIC))


def _shrunk(picture: Image | Mask, fewer: int) -> Image:
    """A picture of so many times fewer pixels a side."""
    size = max(picture.shape[1] // fewer, 1), max(picture.shape[0] // fewer, 1)
    return as_uint8(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _stroke(planes: Sequence[Mask], brush: float) -> list[Mask]:
    """Planes [h, w] of a picture, light first, gone over once: nine places at and about each pixel
    are compared. They are round, as squares would leave a mosaic."""
    step, deviation = max(round(brush / 2), 1), brush / 3
    wide = [
        cv2.copyMakeBorder(plane, step, step, step, step, cv2.BORDER_REFLECT_101)
        for plane in planes
    ]
    floats = [np.asarray(plane, np.float32) for plane in wide]
    middles = [cv2.GaussianBlur(plane, (0, 0), deviation) for plane in floats]
    spread = cv2.GaussianBlur(floats[0] * floats[0], (0, 0), deviation) - middles[0] * middles[0]
    even = np.float32(NOISE) / (np.maximum(spread, 0) + np.float32(NOISE))
    even = even * even * even
    weight = _about(even, step)
    return [
        as_uint8(cv2.convertScaleAbs(_about(middle * even, step) / weight)) for middle in middles
    ]


def _about(values: Floats, step: int) -> Floats:
    """The sum of nine of them, `step` apart, about each pixel: [h, w] from one wider by a step on
    each side."""
    across = values[:, : -2 * step] + values[:, step:-step] + values[:, 2 * step :]
    total: Floats = across[: -2 * step] + across[step:-step] + across[2 * step :]
    return total
