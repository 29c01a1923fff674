"""Eyes larger or smaller than a network draws them: the toon swells about each of them.

How large a character's eyes are is a matter of taste, and a network learns one size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.faces.features import EYE_OUTLINE
from engines.faces.pixels import Floats
from engines.pictures import Image
from realtime.toons.places import moves, pixels, shifted, taken, toon_points

EYES_UNKNOWN = "This model does not say where its eyes are, so they keep their size."
REACH = 1.05  # of the swelling about the middle of an eye, in its widths


def resized_eyes(
    toon: Image, plan: NDArray[np.float32], points: NDArray[np.floating], size: float
) -> tuple[Image, NDArray[np.float32]]:
    """A toon and its plan with eyes `size` times as large.

    Args:
        toon: uint8 [R, R, 3].
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        points: [478, >=2], the photo's landmarks, 0..1 across the crop.
        size: see `realtime.settings.EYE_SIZES`.

    Returns:
        uint8 [R, R, 3], float32 [3, M, M].
    """
    by = _swelling(plan, points, 1 - 1 / size)
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


def _swelling(plan: NDArray[np.float32], points: NDArray[np.floating], much: float) -> Floats:
    """From how far away each place of the new toon comes, [M, M, 2] in the crop's sides. Where both
    eyes reach, their shares add up to no more than one, or the picture would fold there."""
    side = plan.shape[1]
    at = (pixels(side) + np.float32(0.5)) / np.float32(side)
    by, total = np.zeros_like(at), np.zeros((side, side, 1), np.float32)
    for ids in EYE_OUTLINE:
        eye = toon_points(points[ids], plan)
        reach = max(REACH * float(np.linalg.norm(np.ptp(eye, axis=0))), 1e-3)
        away = at - eye.mean(0)
        beyond = ((away**2).sum(-1, keepdims=True) / np.float32(reach**2)) ** 2
        share = np.maximum(1 - beyond, 0) ** 2  # flat as far as the eye's corners
        by -= np.float32(much) * share * away
        total += share
    return by / np.maximum(total, 1)


def _span(moved: NDArray[np.bool_], axis: int, side: int) -> slice:
    """The rows (axis 1) or columns (axis 0) of a toon of `side` pixels in which something is moved,
    from the places [M, M] of its plan."""
    places, scale = np.flatnonzero(moved.max(axis)), side / len(moved)
    return slice(max(int((places[0] - 1) * scale), 0), min(int((places[-1] + 2) * scale) + 1, side))
