"""Progress of training on the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from engines.training.learn.runs import Task

T = TypeVar("T")
# Of several processes on several GPUs, the first one speaks.
console = Console(stderr=True, highlight=False, quiet=os.environ.get("LOCAL_RANK", "0") != "0")


class Meter:
    """One bar for each phase of a training, with its losses beside it."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.phase: str | None = None

    def show(self, phase: str, done: int, total: int, text: str = "") -> None:
        """Move the bar of `phase`, a new one if it was another before."""
        if phase != self.phase:
            self.progress.start()
            self.phase = phase
            self.bar = self.progress.add_task(phase, total=total, text="")
        self.progress.update(self.bar, completed=done, total=total, text=text)

    def task(self, task: Task, losses: dict[str, float]) -> None:
        """`show` for a step of a training, with its losses as text."""
        text = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        self.show(*task.position, text)

    def each(self, items: Sequence[T], phase: str = "pictures") -> Iterator[T]:
        """The items one by one, with a bar."""
        for i, item in enumerate(items):
            self.show(phase, i, len(items))
            yield item
        self.show(phase, len(items), len(items))


@contextmanager
def meter() -> Iterator[Meter]:
    """Bars on the terminal's error output until the block is left."""
    columns = (
        TextColumn(
            "{task.description}", markup=False, table_column=Column(min_width=8, no_wrap=True)
        ),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
    )
    progress = Progress(*columns, console=console, refresh_per_second=2)
    bars = Meter(progress)
    try:
        yield bars
    finally:
        if bars.phase is not None:
            progress.stop()
