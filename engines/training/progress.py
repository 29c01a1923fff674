"""Callbacks that long work calls to show how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
Progress = Callable[[str, int, int], None]
"""Called with the name of the phase, what is done of it, and its total."""
Track = Callable[[Sequence[T]], Iterator[T]]
"""Wraps a list that is worked through, for a progress bar; `iter` shows none."""


def silent(phase: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""
