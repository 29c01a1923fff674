"""Places of a picture that swell, shrink, rise or sink, as a field that says where each comes from.

Fields are float32 [COARSE, COARSE, 2]: x and y in shares of the picture's side. A place of the new
picture shows what lies that far from it in the old one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats
from engines.pictures import Image
from realtime.toons.finish.colour import COARSE
from realtime.toons.places import pixels, shifted, taken


class Rise(NamedTuple):
    """A place that rises or sinks, with what is about it.

    Attributes:
        place: float32 [2], 0..1 across the picture.
        along: float32 [2], unit vector along the brow, mouth or jaw.
        down: float32 [2], across that.
        by: how far it rises, in the picture's sides; below 0 it sinks.
        reach: how far about it that goes, along, above and below, in them.
        even: nearly as far about the middle as in it, and more steeply at the end.
    """

    place: Floats
    along: Floats
    down: Floats
    by: float
    reach: tuple[float, float, float]
    even: bool = False


class Swelling(NamedTuple):
    """Something that grows or shrinks about its middle.

    Attributes:
        middle: float32 [2], 0..1 across the picture.
        reach: how far from there it ends, across and down, in the picture's sides.
        across, down: how many times as large it becomes.
    """

    middle: Floats
    reach: tuple[float, float]
    across: float
    down: float


def risen(rises: Iterable[Rise]) -> Floats:
    """The field of places that rise or sink."""
    field = np.zeros((COARSE, COARSE, 2), np.float32)
    for place, along, down, up, (side, above, below), even in rises:
        farthest = max(side, above, below)
        area, right, under = _about(place, (farthest, farthest))
        across = (right * along[0] + under * along[1]) / np.float32(max(side, 1e-3))
        fall = right * down[0] + under * down[1]
        fall /= np.maximum(np.where(fall > 0, np.float32(below), np.float32(above)), 1e-3)
        near = across * across + fall * fall
        share = np.maximum(1 - (near * near if even else near), 0)
        field[area] += (share * share)[..., None] * (np.float32(up) * down)
    return field


def swollen(swellings: Iterable[Swelling]) -> Floats:
    """The field of what grows or shrinks. Where several reach, their shares add up to no more than
    one, or the picture would fold."""
    field, total = (np.zeros((COARSE, COARSE, planes), np.float32) for planes in (2, 1))
    for middle, (side, height), wider, taller in swellings:
        area, beside, below = _about(middle, (side, height))
        across, fall = (
            offset / np.float32(max(length, 1e-3))
            for offset, length in ((beside, side), (below, height))
        )
        near = across * across + fall * fall
        share = np.maximum(1 - near * near, 0)
        share *= share  # flat as far as the corners
        field[area][..., 0] -= np.float32(1 - 1 / wider) * share * beside
        field[area][..., 1] -= np.float32(1 - 1 / taller) * share * below
        total[area][..., 0] += share
    return field / np.maximum(total, 1)


def one_after_the_other(first: Floats, then: Floats) -> Floats:
    """The field of two steps."""
    return then + shifted(first, then * np.float32(COARSE))


def warped(picture: Image, field: Floats) -> Image:
    """A picture, uint8 [S, S, 3], as a field that moves something wants it."""
    side = picture.shape[0]
    moved = np.abs(field).max(-1) > 0
    rows, columns = (_span(moved, axis) for axis in (1, 0))
    scale = side / COARSE  # what is moved is enlarged alone
    top, left, bottom, right = (
        int(place * scale) for place in (rows.start, columns.start, rows.stop, columns.stop)
    )
    finer = cv2.resize(field[rows, columns] * np.float32(side), (right - left, bottom - top))
    result = picture.copy()
    whence = pixels(side)[top:bottom, left:right] + finer
    result[top:bottom, left:right] = taken(picture, np.asarray(whence, np.float32))
    return result


def plan_of(plan: NDArray[np.float32], field: Floats) -> NDArray[np.float32]:
    """What says where a picture comes from, float32 [3, M, M], see
    `realtime.toons.detail.Detail`, after the picture was warped."""
    by = np.asarray(cv2.resize(field, plan.shape[:0:-1]), np.float32)
    places = np.ascontiguousarray(np.moveaxis(plan, 0, -1))
    moved = shifted(places, by * np.float32(plan.shape[1]))
    moved[..., :2] += by
    return np.ascontiguousarray(np.moveaxis(moved, -1, 0))


def _about(place: Floats, reach: tuple[float, float]) -> tuple[tuple[slice, slice], Floats, Floats]:
    """What of a field lies within a `reach` of a place [2], across and down: its rows and columns,
    and how far right of it and below it they are, [1, w] and [h, 1], in the picture's sides."""
    low = np.clip(np.floor((place - reach) * COARSE), 0, COARSE).astype(int)
    high = np.clip(np.ceil((place + reach) * COARSE), low, COARSE).astype(int)
    columns, rows = (np.arange(*ends, dtype=np.float32) for ends in zip(low, high, strict=True))
    right = ((columns + 0.5) / COARSE - place[0]).astype(np.float32)[None]
    under = ((rows + 0.5) / COARSE - place[1]).astype(np.float32)[:, None]
    return (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))), right, under


def _span(moved: NDArray[np.bool_], axis: int) -> slice:
    """The rows (axis 1) or columns (axis 0) in which something is moved, and one on each side."""
    places = np.flatnonzero(moved.max(axis))
    return slice(max(int(places[0]) - 1, 0), min(int(places[-1]) + 2, len(moved)))
