"""A film character's shapes: round eyes of any size, calm brows, other noses and mouths, in a face
with a child's proportions.

How large a character's eyes are is a matter of taste, and a network learns one size. It leaves lids
as low as the person's, which are taken for a photo's, sets brows high, draws noses narrower than
its map says, and mouths too wide; one at rest looks sullen below round eyes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW_BOTTOM, BROW_TOP, EYE_OUTLINE, UPPER_LID, aperture
from engines.faces.head import LIPS_MIDDLE, MOUTH_CORNERS, NOSE_TIP, NOSE_WINGS
from engines.faces.pixels import Floats, step
from engines.pictures import Image
from realtime.toons.brows.strips import axes_of, on_brow
from realtime.toons.finish.surface import frontness
from realtime.toons.places import toon_points
from realtime.toons.shapes.proportions import MEASURED, childlike
from realtime.toons.shapes.warps import (
    Rise,
    Swelling,
    one_after_the_other,
    plan_of,
    risen,
    swollen,
    warped,
)

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
LIPS = 1.10  # how much thicker they are in a face with a child's proportions: it is shorter


_WANTED = [
    *(
        landmark
        for pair in (EYE_OUTLINE, BROW_TOP, BROW_BOTTOM)
        for ids in pair
        for landmark in ids
    ),
    *(*NOSE_WINGS, NOSE_TIP, *MOUTH_CORNERS, *MEASURED),
]
"""Landmarks whose places in the toon are asked for."""


def reshaped(
    toon: Image,
    plan: NDArray[np.float32],
    points: NDArray[np.floating],
    eyes: float = 1.0,
    own: bool = False,
    child: float = 0.0,
) -> tuple[Image, NDArray[np.float32]]:
    """A toon and its plan with other eyes, brows, nose, mouth and chin.

    Args:
        toon: uint8 [R, R, 3].
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        points: [478, >=2], the photo's landmarks, 0..1 across the crop.
        eyes: how many times as large eyes are, see `realtime.settings.EYE_SIZES`.
        own: larger and rounder eyes, lower brows, and other noses and mouths, see
            `engines.finish.Finish.reshaped`.
        child: with these, how far the face gets a child's proportions, 0..1.

    Returns:
        uint8 [R, R, 3], float32 [3, M, M].
    """
    shown = np.zeros((len(points), 2), np.float32)
    shown[_WANTED] = toon_points(points[_WANTED], plan)
    field = swollen(_swellings(shown, points, eyes, own, child))
    if own:
        field += risen(_rises(shown, points))
    if own and child:
        field = one_after_the_other(field, childlike(shown, frontness(points), child))
    return (warped(toon, field), plan_of(plan, field)) if field.any() else (toon, plan)


def _swellings(
    shown: Floats, points: NDArray[np.floating], eyes: float, own: bool, child: float
) -> Iterator[Swelling]:
    """What of a toon that has its landmarks at `shown`, [478, 2], grows or shrinks."""
    across = eyes * (EYES if own else 1.0)
    for ids, open_ in zip(EYE_OUTLINE, aperture(points), strict=True):
        eye = shown[ids]
        reach = REACH * float(np.linalg.norm(np.ptp(eye, axis=0)))
        lid = float(np.interp(open_, APERTURE, LIDS)) if own else 1.0
        yield Swelling(eye.mean(0), (reach, reach), across, across * lid)
    if own:
        front = frontness(points)
        left, right, tip = shown[[*NOSE_WINGS, NOSE_TIP]]
        reach = NOSE_REACH * float(np.linalg.norm(right - left))
        yield Swelling((left + right + tip) / 3, (reach, reach), 1 + (NOSE - 1) * front, 1.0)
        left, right = shown[list(MOUTH_CORNERS)]
        reach = MOUTH_REACH * float(np.linalg.norm(right - left))
        lips = 1 + (LIPS - 1) * child
        wide = MOUTH[0] + _rest(points) * (MOUTH[1] - MOUTH[0])
        yield Swelling((left + right) / 2, (reach, reach), 1 + (wide - 1) * front, lips)


def _rises(shown: Floats, points: NDArray[np.floating]) -> Iterator[Rise]:
    """Both brows, which sink, and the corners of the mouth; see `_swellings`."""
    for top, bottom, lid in zip(BROW_TOP, BROW_BOTTOM, UPPER_LID, strict=True):
        curve = (shown[top] + shown[bottom]) / 2
        length, along, down = axes_of(curve[-1] - curve[0])
        middle = on_brow(curve, np.array([MIDDLE], np.float32))[0]
        below = max(float((shown[lid[len(lid) // 2]] - middle) @ down), 1e-3)
        beside, above = (share * length for share in BROW_REACH)
        yield Rise(middle, along, down, -NEARER * below, (beside, above, below))
    corners = shown[list(MOUTH_CORNERS)]
    width, along, down = axes_of(corners[1] - corners[0])
    up = CORNERS * _rest(points) * width
    beside, above, below = (share * width for share in CORNER_REACH)
    for corner in corners:
        yield Rise(corner, along, down, up, (beside, above, below))


def _rest(points: NDArray[np.floating]) -> float:
    """0 for a mouth that smiles .. 1 for one at rest."""
    corners = np.asarray(points[list(MOUTH_CORNERS), :2], np.float32)
    width, _, down = axes_of(corners[1] - corners[0])
    middle = points[list(LIPS_MIDDLE), :2].mean(0)
    return step(*SMILE, float((middle - corners.mean(0)) @ down) / width)
