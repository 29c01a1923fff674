"""The room as a painting, so that a film character does not sit in a photo.

Each pixel gets the colour of that side of it which is the most even: texture goes, edges stay or get
crisper, as with a broad brush. A filter of Kuwahara et al. ("Processing of RI-angiocardiographic
images", 1976), whose sides count by how even they are, so that none is chosen outright (Papari,
Petkov and Campisi, "Artistic edge and corner enhancing smoothing", 2007): noise would make one that
is chosen flicker.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.pictures import Image, Mask
from realtime.frame import as_uint8

LARGEST = 960  # pixels of a frame's longer side at which it is painted: brushes are broad
BRUSH = 0.0065  # side of the places that are compared, in the longer side
STROKES = 2  # how often it is gone over
NOISE = 10.0  # variance, 0..255 scale, of what counts as even


def painted(frame: Image) -> Image:
    """A frame, uint8 [H, W, 3] BGR, as if painted."""
    longer = max(frame.shape[:2])
    fewer = -(-longer // LARGEST)
    small = frame
    if fewer > 1:
        size = max(frame.shape[1] // fewer, 1), max(frame.shape[0] // fewer, 1)
        small = as_uint8(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
    brush = max(round(BRUSH * longer / fewer), 1)
    light, *colours = cv2.split(cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb))
    half = max(small.shape[1] // 2, 1), max(small.shape[0] // 2, 1)
    coarse = [cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in (light, *colours)]
    coarse = _stroke(coarse, max(brush // 2, 1))
    for _ in range(STROKES):
        (light,) = _stroke([light], brush)
    colours = [cv2.resize(plane, light.shape[::-1]) for plane in coarse[1:]]
    small = as_uint8(cv2.cvtColor(cv2.merge([light, *colours]), cv2.COLOR_YCrCb2BGR))
    if small.shape == frame.shape:
        return small
    return as_uint8(cv2.resize(small, frame.shape[1::-1], interpolation=cv2.INTER_CUBIC))


def _stroke(planes: list[Mask], brush: int) -> list[Mask]:
    """Planes [h, w] of a picture, light first, gone over once: squares of `brush` + 1 pixels at the
    four corners of each pixel are compared."""
    wide = [cv2.copyMakeBorder(plane, *[brush] * 4, cv2.BORDER_REFLECT_101) for plane in planes]
    # Of each square, at its upper left corner: its middle, and how even its light is.
    window, corner = (brush + 1, brush + 1), (0, 0)
    middles = [cv2.boxFilter(plane, cv2.CV_32F, window, anchor=corner) for plane in wide]
    spread = cv2.sqrBoxFilter(wide[0], cv2.CV_32F, window, anchor=corner)
    spread -= middles[0] * middles[0]
    np.maximum(spread, 0, out=spread)
    even = np.float32(NOISE) / (spread + np.float32(NOISE))
    even = even * even * even
    weight = _corners(even, brush)
    return [
        as_uint8(cv2.convertScaleAbs(_corners(middle * even, brush) / weight))
        for middle in middles
    ]


def _corners(values: NDArray[np.float32], brush: int) -> NDArray[np.float32]:
    """The sum of those at four squares' upper left corners, for each pixel: [h, w] from
    [h + 2 * brush, w + 2 * brush]."""
    across = values[:, : -2 * brush] + values[:, brush:-brush]
    return across[: -2 * brush] + across[brush:-brush]
