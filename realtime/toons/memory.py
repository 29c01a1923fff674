"""How what is known of somebody follows what is seen of them."""

from __future__ import annotations

import math


def share_of(elapsed: float, memory: float) -> float:
    """How far to go towards what is seen now, 0..1.

    Args:
        elapsed: seconds since the last time; none where a clock went back.
        memory: seconds in which about two thirds of the way are gone; 0 for all of it at once.
    """
    return 1 - math.exp(-max(elapsed, 0.0) / memory) if memory > 0 else 1.0
