"""Where a toon shows what the photo shows, and back."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import LID_POINTS, eye_iris
from engines.faces.pixels import Floats
from engines.pictures import Image

AnyPicture = TypeVar("AnyPicture", Image, Floats)

INVERSION_STEPS = 14
RELAXATION = 0.6  # converges where the toon is stretched less than 3.3 times
SMOOTHING = 0.008  # of the map, which a network draws a little roughly, in shares of its side


def toon_points(points: NDArray[np.floating], plan: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where a toon shows what the photo shows at `points`, both 0..1 across the crop.

    Args:
        points: float [N, 2 or more].
        plan: float32 [3, M, M]; its first two planes say where each place of the toon comes from.

    Returns:
        float32 [N, 2].
    """
    wanted = np.asarray(points, np.float32)[:, :2]
    rough, side = np.ascontiguousarray(np.moveaxis(plan[:2], 0, -1)), plan.shape[1]
    moves = cv2.GaussianBlur(rough, (0, 0), SMOOTHING * side)
    place = wanted
    for _ in range(INVERSION_STEPS):  # the fixed point of place = wanted - moves(place)
        at = place * side - 0.5
        there = cv2.remap(
            moves, at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        place = place + np.float32(RELAXATION) * (wanted - there[0] - place)
    return np.asarray(place, np.float32)


def shifted(image: AnyPicture, by: Floats) -> AnyPicture:
    """A picture [S, S] or [S, S, C], each pixel taken from so many pixels away: `by` is float32
    [S, S, 2] (x, y)."""
    return taken(image, pixels(image.shape[0]) + by)


def taken(image: AnyPicture, places: Floats) -> AnyPicture:
    """A picture [h, w] or [h, w, C] of what another one has at `places`, float32 [h, w, 2] (x, y)
    in pixels, whole numbers their middles."""
    second: Any = None  # the first map holds both coordinates
    moved: Any = cv2.remap(image, places, second, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved


def moves(plan: NDArray[np.float32], side: int) -> Floats:
    """From how far away each place of a toon comes, for `shifted`: float32 [side, side, 2] in
    pixels; `plan` is float32 [3, M, M], as for `toon_points`."""
    field = cv2.resize(cv2.merge([plan[0], plan[1]]), (side, side))
    return np.asarray(field * np.float32(side), np.float32)


@lru_cache(maxsize=8)
def pixels(side: int) -> Floats:
    """x and y of every pixel: [side, side, 2]; shared, so read-only."""
    places = np.stack(np.meshgrid(*[np.arange(side, dtype=np.float32)] * 2), -1)
    places.flags.writeable = False
    return places


def box_about(
    image: Image | Floats, outline: Floats, margin: float
) -> tuple[tuple[slice, slice], Floats]:
    """What of a square image [S, S, 3] lies about an outline [N, 2] in its pixels, and the upper
    left corner of that."""
    side = image.shape[0]
    low = np.clip(np.floor(outline.min(0) - margin).astype(int), 0, side - 1)
    high = np.clip(np.ceil(outline.max(0) + margin).astype(int) + 1, low + 1, side)
    return (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))), low


def settle_iris(photo: NDArray[np.floating], toon: NDArray[np.float32], eye: int) -> None:
    """Move an iris as the whole eye moves, in place: alone its few points are not sure enough.

    Args:
        photo: float [478, 2 or more], landmarks.
        toon: float32 [478, 2], the same in the toon; those of one iris are set.
        eye: 0 left or 1 right, in the picture.
    """
    centre, ring = eye_iris(photo, eye)
    iris = [centre, *ring]
    both = [*LID_POINTS[eye], *ring]

    def terms(ids: list[int]) -> NDArray[np.float32]:
        return np.concatenate([photo[ids], np.ones((len(ids), 1), np.float32)], 1)

    photo = np.asarray(photo, np.float32)[:, :2]
    photo = photo - photo[both].mean(0)
    solved = np.linalg.lstsq(terms(both), toon[both], rcond=1e-3)[0]
    toon[iris] = terms(iris) @ solved
