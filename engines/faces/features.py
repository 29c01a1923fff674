"""Which landmarks make eyes and brows, how far the eyes are open, and where they look.

Indices into MediaPipe's 478 face landmarks; pairs are (image left, image right).
"""

from __future__ import annotations

import math

import numpy as np

from engines.faces.pixels import Floats, Reals, step

UPPER_LID = (
    [33, 246, 161, 160, 159, 158, 157, 173, 133],
    [263, 466, 388, 387, 386, 385, 384, 398, 362],
)
LOWER_LID = (
    [33, 7, 163, 144, 145, 153, 154, 155, 133],
    [263, 249, 390, 373, 374, 380, 381, 382, 362],
)
EYE = tuple(lower + upper[::-1] for lower, upper in zip(LOWER_LID, UPPER_LID, strict=True))
LID_POINTS = tuple(
    [*upper, *lower[1:-1]] for lower, upper in zip(LOWER_LID, UPPER_LID, strict=True)
)
EYE_OUTLINE = tuple(list(dict.fromkeys(eye)) for eye in EYE)  # each corner once
BROW_TOP = ([70, 63, 105, 66, 107], [300, 293, 334, 296, 336])  # outer to inner end
BROW_BOTTOM = ([46, 53, 52, 65, 55], [276, 283, 282, 295, 285])
BROW = tuple(top + bottom[::-1] for top, bottom in zip(BROW_TOP, BROW_BOTTOM, strict=True))
CONJUGATE = np.float32(0.85)  # share of the irises' turn that both eyes have in common
OPENS = (0.085, 0.15)  # height over width of an opening: shut .. open
WINK = (0.06, 0.12)
"""By how much heights differ, in widths of the near eye: lids that move together .. a wink."""
IRIS = ((468, [469, 470, 471, 472]), (473, [474, 475, 476, 477]))


def aperture(landmarks: Reals) -> tuple[float, float]:
    """Lid distance / eye width of both eyes."""
    values = []
    for upper, lower in zip(UPPER_LID, LOWER_LID, strict=True):
        gap = np.linalg.norm(landmarks[upper[3:6], :2] - landmarks[lower[3:6], :2], axis=1).mean()
        width = np.linalg.norm(landmarks[upper[0], :2] - landmarks[upper[-1], :2])
        values.append(float(gap / (width + 1e-6)))
    return values[0], values[1]


def eye_iris(landmarks: Reals, eye: int) -> tuple[int, list[int]]:
    """The iris (centre, ring) that belongs to an eye."""
    x, y = landmarks[LID_POINTS[eye], :2].mean(0).tolist()

    def away(iris: tuple[int, list[int]]) -> float:
        return math.hypot(float(landmarks[iris[0], 0]) - x, float(landmarks[iris[0], 1]) - y)

    return min(IRIS, key=away)


def openness(landmarks: Reals) -> tuple[float, float]:
    """0 closed .. 1 open, per eye."""
    left, right = aperture(landmarks)
    return step(*OPENS, left), step(*OPENS, right)


def openness_together(landmarks: Reals) -> tuple[float, float]:
    """`openness` of lids that move together, as they do but in a wink: measured one by one, those
    of narrow eyes shut and open one after the other."""
    left, right = aperture(landmarks)
    # A far eye is seen less wide, and so looks rounder than it is.
    widths = [float(np.linalg.norm(landmarks[u[0], :2] - landmarks[u[-1], :2])) for u in UPPER_LID]
    near = max(*widths, 1e-6)
    apart = step(*WINK, abs(left * widths[0] - right * widths[1]) / near)
    middle = (left + right) / 2
    left, right = middle + apart * (left - middle), middle + apart * (right - middle)
    return step(*OPENS, left), step(*OPENS, right)


def look_together(points: Floats, opened: tuple[float, float]) -> None:
    """Turn both irises by what they have in common, in place: people look at one thing with both
    eyes, and in eyes so large a pixel's difference is a squint.

    Args:
        points: float32 [478, 2 or more], a toon's landmarks.
        opened: of each eye, 0..1; a closed one does not count.
    """
    irises = [[centre, *ring] for centre, ring in (eye_iris(points, eye) for eye in range(2))]
    corners = [points[[upper[0], upper[-1]]] for upper in UPPER_LID]
    middles = [points[ids].mean(0) for ids in LID_POINTS]
    widths = [float(np.linalg.norm(pair[1] - pair[0])) + 1e-6 for pair in corners]
    turns = [
        (points[iris[0]] - middle) / width
        for iris, middle, width in zip(irises, middles, widths, strict=True)
    ]
    weights = np.array(opened) + 1e-3
    common = (weights @ np.stack(turns) / weights.sum()).astype(np.float32)
    for iris, turn, width in zip(irises, turns, widths, strict=True):
        points[iris] += CONJUGATE * width * (common - turn)
