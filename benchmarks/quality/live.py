"""A single toon as the loop would finish it, for all measures that compare toons.

It keeps its own shape, colours and light, as the artist's picture does that it is compared with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.finish import Finish
from engines.pictures import Image, Mask
from realtime.compositing import GRID, as_grid
from realtime.toons.brows.watch import BrowWatch, Photo
from realtime.toons.detail import Box, sharpened
from realtime.toons.eyes.painting import Eyes, paint_eyes
from realtime.toons.eyes.watch import EyeWatch
from realtime.toons.features import film_features
from realtime.toons.finish.drawn import Drawn
from realtime.toons.finish.ink import inked
from realtime.toons.finish.locks import HairWatch, combed
from realtime.toons.mouth.lips import lips_in
from realtime.toons.places import toon_points
from realtime.toons.softness import softness

Plan = NDArray[np.float32]
Points = NDArray[np.float32]


def finished(
    crop: Image, toon: Image, points: Points | None, plan: Plan, head: Mask | None, finish: Finish
) -> Image:
    """A toon with hair, features, brows, ink and eyes as the loop draws them.

    Args:
        crop: the photo, uint8 [S, S, 3] RGB.
        toon: as the engine drew it, uint8 [R, R, 3] RGB.
        points: float32 [478, 3], landmarks in pixels of the photo; None where there is no face.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        head: where its head is, uint8 [M, M], if the engine says.
        finish: what the style wants.

    Returns:
        uint8 [R, R, 3] RGB.
    """
    photo, toon = _crisp(crop, toon)
    if points is not None:
        toon = _with_features(photo, toon, points / np.float32(len(crop)), plan, head, finish)
    return np.ascontiguousarray(toon[..., ::-1])


def eyes_of(crop: Image, toon: Image, points: Points, plan: Plan) -> Eyes:
    """What the loop would know of the eyes of a single picture; see `finished`."""
    photo, toon = _crisp(crop, toon)
    points = points / np.float32(len(crop))
    return _seen(photo, toon, points, toon_points(points, plan), softness(photo, points))


def _crisp(crop: Image, toon: Image) -> tuple[Image, Image]:
    """Photo and sharpened toon as the loop has them, BGR."""
    photo, toon = (np.ascontiguousarray(picture[..., ::-1]) for picture in (crop, toon))
    return photo, sharpened(toon)


def _with_features(
    photo: Image, toon: Image, points: Points, plan: Plan, head: Mask | None, finish: Finish
) -> Image:
    """A crisp toon, BGR, with all that the loop draws; `points` 0..1 across."""
    shown, share = toon_points(points, plan), None if head is None else as_grid(head)
    soft = softness(photo, points)
    if finish.relief or finish.inked:
        toon = film_features(toon, shown, finish.relief, lips_in(photo, points), soft).image
    if share is not None:
        drawn = Drawn(photo, toon, points, share, known=True, plan=plan)
        toon, _ = combed(drawn, HairWatch().see(0, 0.0, drawn))
    eyes = None
    if finish.painted_eyes:
        eyes = _seen(photo, toon, points, shown, soft)
        own = Photo(photo, points[:, :2], soft) if finish.reshaped else None
        toon, _ = BrowWatch().even(0, 0.0, toon, shown, eyes.trust, plan.shape[1], own)
    if share is not None and finish.inked:
        toon = inked(toon, share, points)
    if eyes is None:
        return toon
    side = len(toon)
    transform = np.array([[side / GRID, 0, 0], [0, side / GRID, 0]])
    return paint_eyes(toon, eyes, Box(0, 0, side, side), transform)


def _seen(photo: Image, toon: Image, points: Points, shown: Points, soft: float) -> Eyes:
    """The eyes of a crisp toon, BGR; landmarks in both, 0..1 across; `soft` as
    `softness` says."""
    return EyeWatch().see(0, 0.0, photo, toon, points, shown, zoom=1.0, soft=soft)
