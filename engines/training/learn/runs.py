"""One training run: resume, step, log, save, stop cleanly. Every training goes through `run`.

What is trained is behind the `Task` protocol. This module decides how long it runs, how often it is
saved and what is reported.
"""

from __future__ import annotations

import csv
import json
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from engines.errors import ToonifyError
from engines.files import atomic_path
from engines.training.hardware import agreed

CHECKPOINT = "checkpoint.pt"
CURVES = "curves.csv"
LOG_EVERY = 20  # steps between two lines of the curves
_COLUMNS = ("time", "stage", "step", "pictures", "losses")

# Keys of a checkpoint under the names that earlier releases wrote.
_RENAMED = {
    "average": "ema",
    "judge": "discriminator",
    "judge_optimizer": "discriminator_optimizer",
}


class Position(NamedTuple):
    """How far a training is.

    Attributes:
        stage: name of the stage that the last step belongs to.
        pictures: pictures drawn in that stage so far, by all processes.
        length: pictures of the whole stage.
    """

    stage: str
    pictures: int
    length: int


class Task(Protocol):
    """Something that is trained step by step."""

    fabric: Any
    step: int

    @property
    def done(self) -> bool:
        """Whether all steps have been done."""

    @property
    def position(self) -> Position:
        """Where the last step left the training."""

    def train_step(self) -> dict[str, float]:
        """Do one optimiser step and raise `step` by one: the losses by name."""

    def state(self) -> dict[str, Any]:
        """Tensors, plain values and JSON text: everything the next step depends on."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `state`.

        Raises:
            ToonifyError: why it cannot, as the second half of a sentence.
        """


OnStep = Callable[[Task, dict[str, float]], None]
"""Called after a training step with what is trained and its losses by name."""


@dataclass
class Deadline:
    """When to stop: `minutes` from now, or once `interrupted`."""

    minutes: float = float("inf")
    interrupted: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.start = time.monotonic()

    def passed(self) -> bool:
        """Whether training should stop after the current step."""
        return self.interrupted.is_set() or time.monotonic() - self.start > self.minutes * 60


@contextmanager
def stop_on_interrupt(deadline: Deadline) -> Iterator[None]:
    """The first Ctrl-C ends training after this step, with a checkpoint; the second at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        deadline.interrupted.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run(
    task: Task,
    folder: Path,
    deadline: Deadline,
    *,
    save_every: float = 5.0,
    report: OnStep = lambda task, losses: None,
    on_save: Callable[[], None] = lambda: None,
) -> bool:
    """Continue from the folder's checkpoint until all steps are done (True) or time is up (False).

    A step is always finished, and a checkpoint always written at the end.

    Args:
        task: what is trained; its state is replaced by the checkpoint's if there is one.
        folder: where `checkpoint.pt` and `curves.csv` go.
        deadline: when to stop.
        save_every: minutes between checkpoints.
        report: called with the task and its losses, after every step.
        on_save: called after each checkpoint, for sample sheets.

    Raises:
        ToonifyError: when the checkpoint is damaged or that of another training.
    """
    resume(task, folder)

    def save() -> None:
        if task.fabric.is_global_zero:
            write_checkpoint(folder / CHECKPOINT, task.state())
            on_save()

    saved = time.monotonic()
    while not task.done:
        losses = task.train_step()
        report(task, losses)
        if task.step % LOG_EVERY == 0 and task.fabric.is_global_zero:
            append_curve(folder / CURVES, task, losses)
        if agreed(task.fabric, deadline.passed()):
            break
        if time.monotonic() - saved > save_every * 60:
            save()
            saved = time.monotonic()
    save()
    task.fabric.barrier()  # no process reads the checkpoint before it is written
    return task.done


def resume(task: Task, folder: Path) -> bool:
    """Load the folder's checkpoint into `task`; False when there is none.

    Raises:
        ToonifyError: when it is damaged or that of another training.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return False
    state = read_checkpoint(path)
    try:
        task.load_state(state)
    except ToonifyError as error:
        raise ToonifyError(f"{path} cannot be continued: {error}") from error
    return True


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Save `state` so that a crash leaves the old file or the new one, never half of one."""
    with atomic_path(path) as part:
        torch.save(dict(state), part)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Load a checkpoint, of this or an earlier release, without running anything from it.

    Raises:
        ToonifyError: when there is none, or the file is something else or damaged.
    """
    if not path.is_file():
        raise ToonifyError(f"There is no training checkpoint at {path}; give the training folder.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ToonifyError(
            f"{path} is not a training checkpoint or is damaged ({type(error).__name__}); start "
            f"again in an empty folder."
        ) from error
    if not isinstance(state, dict):
        raise ToonifyError(f"{path} is not a training checkpoint; give the training folder.")
    return {_RENAMED.get(str(key), str(key)): value for key, value in state.items()}


def append_curve(path: Path, task: Task, losses: Mapping[str, float]) -> None:
    """Add a line of losses to a CSV file; one of an earlier release gets today's columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or not path.read_bytes().startswith(",".join(_COLUMNS).encode()):
        _start_curves(path)
    values = json.dumps({name: round(value, 5) for name, value in losses.items()})
    stage, pictures, _ = task.position
    with path.open("a", newline="") as file:
        csv.writer(file).writerow([round(time.time(), 1), stage, task.step, pictures, values])


def _start_curves(path: Path) -> None:
    """Write the header, and below it the lines of a file with other columns, if there is one."""
    rows: list[dict[str, str]] = []
    if path.is_file():
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
    with atomic_path(path) as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
