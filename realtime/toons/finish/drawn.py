"""A toon as its engine drew it, crisp, for all that is done to it before it is pasted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.finish import PLAIN, Finish
from engines.pictures import FloatMask, Image


class Drawn(NamedTuple):
    """A toon that was just drawn.

    Attributes:
        crop: what the engine was given, uint8 [S, S, 3] BGR.
        toon: uint8 [R, R, 3] BGR, as fine as the frame shows it.
        points: float32 [478, 3], the face's landmarks, 0..1 across the crop.
        head: where the toon's head is, float32 [GRID, GRID].
        known: whether the engine said so; else it is a guess.
        plan: see `realtime.toons.detail.Detail`; None for an engine that does not say.
        finish: what the style wants done to it.
        right: unit vector [2] to the crop's right, in the frame.
    """

    crop: Image
    toon: Image
    points: NDArray[np.float32]
    head: FloatMask
    known: bool
    plan: NDArray[np.float32] | None = None
    finish: Finish = PLAIN
    right: tuple[float, float] = (1.0, 0.0)
