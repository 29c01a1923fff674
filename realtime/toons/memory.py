"""What is known of somebody, and how it follows what is seen of them."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Generic, TypeVar

Known = TypeVar("Known")


class Memory(Generic[Known]):
    """What is known of everybody, by the numbers by which they are told apart."""

    def __init__(self) -> None:
        self._known: dict[int, Known] = {}

    def forget(self, but: Collection[int] = ()) -> None:
        """Forget everybody `but` some."""
        self._known = {k: v for k, v in self._known.items() if k in but}


def lately(elapsed: float, interval: float) -> bool:
    """Whether less than an `interval` has passed, both in seconds: not where a clock went back."""
    return 0 <= elapsed < interval


def share_of(elapsed: float, memory: float) -> float:
    """How far to go towards what is seen now, 0..1.

    Args:
        elapsed: seconds since the last time; none where a clock went back.
        memory: seconds in which about two thirds of the way are gone; 0 for all of it at once.
    """
    return 1 - math.exp(-max(elapsed, 0.0) / memory) if memory > 0 else 1.0
