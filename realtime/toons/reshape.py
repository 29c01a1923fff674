"""A film character's shapes: round eyes of any size, calm brows, other noses and mouths. The toon
swells or shrinks about them, sinks at brows and rises at the corners of the mouth.

How large a character's eyes are is a matter of taste, and a network learns one size. It leaves lids
as low as the person's, which are taken for a photo's, sets brows high, draws noses narrower than
its map says, and mouths too wide; one at rest looks sullen below round eyes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW_BOTTOM, BROW_TOP, EYE_OUTLINE, UPPER_LID, aperture
from engines.faces.head import LIPS_MIDDLE, MOUTH_CORNERS, NOSE_TIP, NOSE_WINGS
from engines.faces.pixels import Floats, step
from engines.pictures import Image
from realtime.toons.brows.strips import axes_of, on_brow
from realtime.toons.finish.colour import COARSE
from realtime.toons.finish.surface import frontness
from realtime.toons.places import pixels, shifted, taken, toon_points

EYES_UNKNOWN = "This model does not say where its eyes are, so they keep their size."
EYES = 1.06  # how much larger eyes are than a network draws them, where a style wants it
LIDS, APERTURE = (0.98, 1.17), (0.18, 0.36)
"""Height of an eye in shares of what the network draws, and by what height over width of the
photo's it is so: who squints has narrower eyes than others, and all have round ones."""
NEARER, MIDDLE = 0.12, 0.45
"""How much nearer to its eye a brow is, in shares of what lies between them, and where on it most,
in its lengths from its outer end. High and arched above a round eye it looks startled, straight
and low it looks like the person's."""
BROW_REACH = (0.95, 0.60)  # how far about that place it goes along the brow and above it, in them
CORNERS, SMILE = 0.03, (0.09, 0.03)
"""How far the corners of a mouth at rest rise, and how high above the middle of its lips they are
in a smile .. at rest: that looks sullen below round eyes, and a smile would become a grimace."""
CORNER_REACH = (0.42, 0.30, 0.30)  # the same about them; all in widths of the mouth
NOSE = 1.10  # how much broader noses are
MOUTH = (1.0, 0.95)  # width of a mouth that smiles and of one at rest, which is drawn too wide
REACH, NOSE_REACH, MOUTH_REACH = 1.05, 0.85, 0.85
"""How far about the middle that goes, in widths of eye, nose and mouth."""


_WANTED = [
    *(
        landmark
        for pair in (EYE_OUTLINE, BROW_TOP, BROW_BOTTOM)
        for ids in pair
        for landmark in ids
    ),
    *(*NOSE_WINGS, NOSE_TIP, *MOUTH_CORNERS),
]
"""Landmarks whose places in the toon are asked for."""


class _Rise(NamedTuple):
    """A place that rises or sinks, with what is about it.

    Attributes:
        place: float32 [2], 0..1 across the toon.
        along: float32 [2], unit vector along the brow or mouth.
        down: float32 [2], across that.
        by: how far it rises, in the crop's sides; below 0 it sinks.
        reach: how far about it that goes along, above and below, in them.
    """

    place: Floats
    along: Floats
    down: Floats
    by: float
    reach: tuple[float, float, float]


class _Swelling(NamedTuple):
    """Something that grows or shrinks about its middle.

    Attributes:
        middle: float32 [2], 0..1 across the toon.
        reach: how far from there it ends, in the crop's sides.
        across, down: how many times as large it becomes.
    """

    middle: Floats
    reach: float
    across: float
    down: float


def reshaped(
    toon: Image,
    plan: NDArray[np.float32],
    points: NDArray[np.floating],
    eyes: float = 1.0,
    own: bool = False,
) -> tuple[Image, NDArray[np.float32]]:
    """A toon and its plan with other eyes, brows, nose and mouth.

    Args:
        toon: uint8 [R, R, 3].
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        points: [478, >=2], the photo's landmarks, 0..1 across the crop.
        eyes: how many times as large eyes are, see `realtime.settings.EYE_SIZES`.
        own: larger and rounder eyes, lower brows, and other noses and mouths, see
            `engines.finish.Finish.reshaped`.

    Returns:
        uint8 [R, R, 3], float32 [3, M, M].
    """
    shown = np.zeros((len(points), 2), np.float32)
    shown[_WANTED] = toon_points(points[_WANTED], plan)
    by = _from_where(_swellings(shown, points, eyes, own))
    if own:
        by = _risen(by, _rises(shown, points))
    if not by.any():
        return toon, plan
    side = toon.shape[0]
    moved_at = np.abs(by).max(-1) > 0
    rows, columns = (_span(moved_at, axis) for axis in (1, 0))
    scale = side / COARSE  # what is moved is enlarged alone
    top, left, bottom, right = (
        int(place * scale) for place in (rows.start, columns.start, rows.stop, columns.stop)
    )
    finer = cv2.resize(by[rows, columns] * np.float32(side), (right - left, bottom - top))
    result = toon.copy()
    whence = pixels(side)[top:bottom, left:right] + finer
    result[top:bottom, left:right] = taken(toon, np.asarray(whence, np.float32))
    by = np.asarray(cv2.resize(by, plan.shape[:0:-1]), np.float32)
    places = np.ascontiguousarray(np.moveaxis(plan, 0, -1))
    moved = shifted(places, by * np.float32(plan.shape[1]))
    moved[..., :2] += by
    return result, np.ascontiguousarray(np.moveaxis(moved, -1, 0))


def _swellings(
    shown: Floats, points: NDArray[np.floating], eyes: float, own: bool
) -> Iterator[_Swelling]:
    """What of a toon that has its landmarks at `shown`, [478, 2], grows or shrinks."""
    across = eyes * (EYES if own else 1.0)
    for ids, open_ in zip(EYE_OUTLINE, aperture(points), strict=True):
        eye = shown[ids]
        reach = REACH * float(np.linalg.norm(np.ptp(eye, axis=0)))
        lid = float(np.interp(open_, APERTURE, LIDS)) if own else 1.0
        yield _Swelling(eye.mean(0), reach, across, across * lid)
    if own:
        front = frontness(points)
        left, right, tip = shown[[*NOSE_WINGS, NOSE_TIP]]
        reach = NOSE_REACH * float(np.linalg.norm(right - left))
        yield _Swelling((left + right + tip) / 3, reach, 1 + (NOSE - 1) * front, 1.0)
        left, right = shown[list(MOUTH_CORNERS)]
        reach = MOUTH_REACH * float(np.linalg.norm(right - left))
        wide = MOUTH[0] + _rest(points) * (MOUTH[1] - MOUTH[0])
        yield _Swelling((left + right) / 2, reach, 1 + (wide - 1) * front, 1.0)


def _rises(shown: Floats, points: NDArray[np.floating]) -> Iterator[_Rise]:
    """Both brows, which sink, and the corners of the mouth; see `_swellings`."""
    for top, bottom, lid in zip(BROW_TOP, BROW_BOTTOM, UPPER_LID, strict=True):
        curve = (shown[top] + shown[bottom]) / 2
        length, along, down = axes_of(curve[-1] - curve[0])
        middle = on_brow(curve, np.array([MIDDLE], np.float32))[0]
        below = max(float((shown[lid[len(lid) // 2]] - middle) @ down), 1e-3)
        beside, above = (share * length for share in BROW_REACH)
        yield _Rise(middle, along, down, -NEARER * below, (beside, above, below))
    corners = shown[list(MOUTH_CORNERS)]
    width, along, down = axes_of(corners[1] - corners[0])
    up = CORNERS * _rest(points) * width
    beside, above, below = (share * width for share in CORNER_REACH)
    for corner in corners:
        yield _Rise(corner, along, down, up, (beside, above, below))


def _rest(points: NDArray[np.floating]) -> float:
    """0 for a mouth that smiles .. 1 for one at rest."""
    corners = np.asarray(points[list(MOUTH_CORNERS), :2], np.float32)
    width, _, down = axes_of(corners[1] - corners[0])
    middle = points[list(LIPS_MIDDLE), :2].mean(0)
    return step(*SMILE, float((middle - corners.mean(0)) @ down) / width)


def _risen(by: Floats, rises: Iterator[_Rise]) -> Floats:
    """From how far away each place comes, see `_from_where`, with places that rise or sink."""
    result = by.copy()
    for place, along, down, up, (side, above, below) in rises:
        area, right, under = _about(place, max(side, above, below))
        across = (right * along[0] + under * along[1]) / np.float32(side)
        fall = right * down[0] + under * down[1]
        fall /= np.where(fall > 0, np.float32(below), np.float32(above))
        share = np.maximum(1 - across * across - fall * fall, 0)
        result[area] += (share * share)[..., None] * (np.float32(up) * down)
    return result


def _from_where(swellings: Iterator[_Swelling]) -> Floats:
    """From how far away each place of the new toon comes, [COARSE, COARSE, 2] in the crop's sides.
    Where several reach, their shares add up to no more than one, or the picture would fold."""
    by, total = (np.zeros((COARSE, COARSE, planes), np.float32) for planes in (2, 1))
    for middle, reach, wider, taller in swellings:
        area, beside, below = _about(middle, reach)
        near = (beside * beside + below * below) * np.float32(1 / max(reach, 1e-3) ** 2)
        share = np.maximum(1 - near * near, 0)
        share *= share  # flat as far as the corners
        by[area][..., 0] -= np.float32(1 - 1 / wider) * share * beside
        by[area][..., 1] -= np.float32(1 - 1 / taller) * share * below
        total[area][..., 0] += share
    return by / np.maximum(total, 1)


def _about(place: Floats, reach: float) -> tuple[tuple[slice, slice], Floats, Floats]:
    """What of a field of `COARSE` lies within a `reach` of a place [2]: its rows and columns, and
    how far right of it and below it they are, [1, w] and [h, 1], in the crop's sides."""
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
