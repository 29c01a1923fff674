"""What a toon carries over from its crop: the room about its head, and its hair in locks.

A network draws hair softly, and a wall beside dark hair too light, which is seen as a halo.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, smoothstep
from engines.pictures import FloatMask, Image
from realtime.compositing import COARSE
from realtime.frame import as_uint8
from realtime.toons.locks import SIDE, locks
from realtime.toons.places import shifted

HEAD = (0.3, 0.8)  # of its mask: the room's .. the toon's
SHOWN = 15  # places, of `GRID`, about a head whose room can be seen: the rest is not touched
BROAD = 9.0  # width (sigma), of `SIDE`, above which hair's light and shade stay the toon's


def carried(
    toon: Image,
    crop: Image,
    plan: NDArray[np.float32],
    head: FloatMask,
    points: NDArray[np.floating] | None = None,
) -> tuple[Image, FloatMask | None]:
    """A toon with the room of its crop about its head and, if `points` are given, hair in locks.

    Args:
        toon: uint8 [R, R, 3] BGR.
        crop: uint8 [S, S, 3] BGR, what it was drawn from.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        head: float32 [GRID, GRID] in [0, 1], where the toon's head is.
        points: float32 [478, 3], the face's landmarks, 0..1 across the crop.

    Returns:
        The toon, and how far its hair is in locks: float32 [GRID, GRID] in [0, 1].
    """
    side = min(SIDE, toon.shape[0])
    size = (side, side)
    crop = as_uint8(cv2.resize(crop, size, interpolation=cv2.INTER_AREA))
    drawn = as_uint8(cv2.resize(toon, size, interpolation=cv2.INTER_AREA))
    moves = cv2.resize(cv2.merge([plan[0] * side, plan[1] * side]), size).astype(np.float32)
    room = cv2.subtract(shifted(crop, moves), drawn, dtype=cv2.CV_32F)
    about = cv2.dilate(head, np.ones((SHOWN, SHOWN), np.uint8)) * (1 - smoothstep(*HEAD, head))
    outside = cv2.resize(about, size)
    change = cv2.multiply(room, cv2.merge([outside] * 3))
    if points is None:
        return _changed(toon, change), None
    light, where = locks(crop, drawn, plan[2], head, points)
    grey = cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY)
    apart = cv2.subtract(shifted(light, moves), grey, dtype=cv2.CV_32F)
    broad = cv2.resize(apart, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    broad = cv2.resize(cv2.GaussianBlur(broad, (0, 0), BROAD * COARSE / SIDE), size)
    fine = cv2.multiply(cv2.subtract(apart, broad), cv2.resize(where, size))
    change = cv2.add(change, cv2.cvtColor(fine, cv2.COLOR_GRAY2BGR))
    return _changed(toon, np.asarray(change, np.float32)), where


def _changed(toon: Image, by: Floats) -> Image:
    """A toon with so much more, -255..255, [S, S, 3]; in 8 bits, in a third of the time."""
    size, none = toon.shape[1::-1], np.zeros_like(by)
    for change, part in ((cv2.add, cv2.max(by, none)), (cv2.subtract, cv2.max(-by, none))):
        some = cv2.resize(cv2.convertScaleAbs(part), size, interpolation=cv2.INTER_LINEAR)
        toon = as_uint8(change(toon, some))
    return toon
