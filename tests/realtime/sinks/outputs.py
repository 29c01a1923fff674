"""A numbered picture as it reaches sinks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from realtime.guard import Output
from tests.realtime.media import (
    RATE,
    numbered,
)

SIZE = (160, 120)


def output(number: int = 0, rate: int = RATE, size: tuple[int, int] = SIZE) -> Output:
    """A numbered picture; its left half is a toon."""
    alpha = np.zeros(size[::-1], np.uint8)
    alpha[:, : size[0] // 2] = 255
    return Output(numbered(number, size), alpha, "toon", 0.0, Fraction(number, rate))
