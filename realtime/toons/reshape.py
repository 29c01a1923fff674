"""Eyes of another size, and lids, noses and mouths that are nearer to the person's: the toon swells
or shrinks about them.

How large a character's eyes are is a matter of taste, and a network learns one size. It also opens
all eyes alike, which is one stare for everybody, draws noses narrower than its map says, and makes
a wide smile of every mouth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.faces.features import EYE_OUTLINE, aperture
from engines.faces.head import MOUTH_CORNERS, NOSE_TIP, NOSE_WINGS
from engines.faces.pixels import Floats
from engines.pictures import Image
from realtime.toons.finish.surface import frontness
from realtime.toons.places import moves, pixels, shifted, taken, toon_points

EYES_UNKNOWN = "This model does not say where its eyes are, so they keep their size."
EYES = 1.10  # how much larger eyes are than a network draws them, where a style wants it
LIDS, APERTURE = (0.78, 1.0), (0.18, 0.36)
"""Height of an eye in shares of what the network draws, and by what height over width of the
photo's it is so low or as it is: who squints has narrow eyes."""
NOSE = 1.14  # how much broader noses are
MOUTH = 0.94  # how much narrower mouths are: they are drawn as wide smiles
REACH, NOSE_REACH, MOUTH_REACH = 1.05, 0.85, 0.85
"""How far about the middle that goes, in widths of eye, nose and mouth."""


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
    """A toon and its plan with other eyes, nose and mouth.

    Args:
        toon: uint8 [R, R, 3].
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        points: [478, >=2], the photo's landmarks, 0..1 across the crop.
        eyes: how many times as large eyes are, see `realtime.settings.EYE_SIZES`.
        own: larger eyes, and lids, nose and mouth nearer to the person's, see
            `engines.finish.Finish.reshaped`.

    Returns:
        uint8 [R, R, 3], float32 [3, M, M].
    """
    by = _from_where(plan.shape[1], _swellings(plan, points, eyes, own))
    if not by.any():
        return toon, plan
    places = np.ascontiguousarray(np.moveaxis(plan, 0, -1))
    moved = shifted(places, by * np.float32(plan.shape[1]))
    moved[..., :2] += by
    moved_at = np.abs(by).max(-1) > 0
    rows, columns = (_span(moved_at, axis, toon.shape[0]) for axis in (1, 0))
    whence = moves(np.moveaxis(by, -1, 0), toon.shape[0])[rows, columns]
    whence = whence + pixels(toon.shape[0])[rows, columns]
    result = toon.copy()
    result[rows, columns] = taken(toon, whence)
    return result, np.ascontiguousarray(np.moveaxis(moved, -1, 0))


def _swellings(
    plan: NDArray[np.float32], points: NDArray[np.floating], eyes: float, own: bool
) -> Iterator[_Swelling]:
    """What of a toon grows or shrinks."""
    wanted = [*EYE_OUTLINE[0], *EYE_OUTLINE[1], *NOSE_WINGS, NOSE_TIP, *MOUTH_CORNERS]
    shown = toon_points(points[wanted], plan)
    across = eyes * (EYES if own else 1.0)
    start = 0
    for ids, open_ in zip(EYE_OUTLINE, aperture(points), strict=True):
        eye = shown[start : start + len(ids)]
        start += len(ids)
        reach = REACH * float(np.linalg.norm(np.ptp(eye, axis=0)))
        lid = float(np.interp(open_, APERTURE, LIDS)) if own else 1.0
        yield _Swelling(eye.mean(0), reach, across, across * lid)
    if own:
        left, right, tip = shown[start : start + 3]
        front = frontness(points)
        reach = NOSE_REACH * float(np.linalg.norm(right - left))
        yield _Swelling((left + right + tip) / 3, reach, 1 + (NOSE - 1) * front, 1.0)
        left, right = shown[start + 3 :]
        reach = MOUTH_REACH * float(np.linalg.norm(right - left))
        yield _Swelling((left + right) / 2, reach, 1 + (MOUTH - 1) * front, 1.0)


def _from_where(side: int, swellings: Iterator[_Swelling]) -> Floats:
    """From how far away each place of the new toon comes, [side, side, 2] in the crop's sides.
    Where several reach, their shares add up to no more than one, or the picture would fold."""
    at = (pixels(side) + np.float32(0.5)) / np.float32(side)
    by, total = np.zeros_like(at), np.zeros((side, side, 1), np.float32)
    for middle, reach, across, down in swellings:
        away = at - middle
        beyond = ((away**2).sum(-1, keepdims=True) / np.float32(max(reach, 1e-3) ** 2)) ** 2
        share = np.maximum(1 - beyond, 0) ** 2  # flat as far as the corners
        by -= np.array([1 - 1 / across, 1 - 1 / down], np.float32) * share * away
        total += share
    return by / np.maximum(total, 1)


def _span(moved: NDArray[np.bool_], axis: int, side: int) -> slice:
    """The rows (axis 1) or columns (axis 0) of a toon of `side` pixels in which something is moved,
    from the places [M, M] of its plan."""
    places, scale = np.flatnonzero(moved.max(axis)), side / len(moved)
    return slice(max(int((places[0] - 1) * scale), 0), min(int((places[-1] + 2) * scale) + 1, side))
