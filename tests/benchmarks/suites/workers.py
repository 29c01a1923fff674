"""What stands in for a GPU's process; it imports nothing heavy, so that processes start fast."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class LightSettings:
    """In place of the engine benchmark's settings, whose module would load PyTorch."""

    tiers: tuple[object, ...] = ()


def killed(settings: object, tiers: object, number: int, *rest: object) -> None:
    """In place of a GPU's process: the second one dies without a word."""
    barrier = rest[0]
    if number == 2:
        os._exit(9)
    try:
        barrier.wait(60)  # type: ignore[attr-defined]
    except threading.BrokenBarrierError:
        os._exit(3)


def hanging(*rest: object) -> None:
    """In place of a GPU's process: its driver never answers."""
    time.sleep(600)
