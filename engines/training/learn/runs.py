"""Training in slices of time: one checkpoint that resumes exactly, curves, a clean stop.

What is trained is behind the `Task` protocol; how long, how often it is saved and who hears of it
is decided here.
"""

from __future__ import annotations

import csv
import hashlib
import json
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from engines.errors import ToonifyError
from engines.files import atomic_path

CHECKPOINT = "checkpoint.pt"
CURVES = "curves.csv"
RUN = "run.json"  # by which `claim` marks a folder
PICTURES = "pictures.json"
PRECISIONS = ("32-true", "bf16-mixed")


class Task(Protocol):
    """Something that is trained step by step."""

    step: int
    fabric: Any

    @property
    def steps(self) -> int:
        """How many steps the training has in all."""

    def train_step(self) -> dict[str, float]:
        """One optimiser step: the losses by name. Raises ``step`` by one."""

    def state(self) -> dict[str, Any]:
        """Tensors, plain values and JSON text: everything the next step depends on."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`."""


class ByPictures:
    """The part of a `Task` whose length is told in pictures: ``settings`` has ``pictures`` and
    ``batch_size``.
    """

    settings: Any
    fabric: Any
    step: int

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return max(1, self.settings.pictures // self.settings.batch_size // self.fabric.world_size)

    @property
    def drawn(self) -> int:
        """Pictures drawn so far, by all processes."""
        return self.step * self.settings.batch_size * self.fabric.world_size


@dataclass(frozen=True)
class Hardware:
    """What to train on, in Lightning Fabric's words.

    Attributes:
        device: "auto", "cpu" or "cuda".
        devices: how many of them, or "auto" for all.
        precision: "32-true" or "bf16-mixed"; FP16's loss scale would not survive a checkpoint.

    Raises:
        ToonifyError: another precision.
    """

    device: str = "auto"
    devices: int | str = 1
    precision: str = "bf16-mixed"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ToonifyError(
                f"Training runs in {' or '.join(PRECISIONS)}, not in {self.precision!r}; choose "
                f"one of those."
            )

    def launch(self, seed: int) -> Any:
        """A Lightning Fabric that runs, with torch's random numbers set to ``seed``.

        Raises:
            ToonifyError: when there is no such device.
        """
        from lightning_fabric import Fabric, seed_everything

        # Growing leaves the highest blocks idle, and the mapping network is on no training path.
        several: Any = "auto" if self.devices in (1, "1") else "ddp_find_unused_parameters_true"
        precision: Any = self.precision
        try:
            fabric = Fabric(
                accelerator=self.device,
                devices=self.devices,
                precision=precision,
                strategy=several,
            )
        except (RuntimeError, ValueError, TypeError) as error:
            raise ToonifyError(
                f"Training cannot start on {self.devices} x {self.device!r} in {self.precision} "
                f"({str(error).splitlines()[0]}); try --device cpu --precision 32-true."
            ) from error
        fabric.launch()
        seed_everything(seed, verbose=False)
        return fabric


@dataclass
class Deadline:
    """When to stop: after ``minutes`` from now, or once `interrupted`."""

    minutes: float = float("inf")
    interrupted: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.start = time.monotonic()

    def passed(self) -> bool:
        """Whether training should stop at the next step."""
        return self.interrupted.is_set() or time.monotonic() - self.start > self.minutes * 60


@contextmanager
def stop_on_interrupt(deadline: Deadline) -> Iterator[None]:
    """The first Ctrl-C ends training at the next step, with a checkpoint; the second, at once."""
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


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Save ``state`` so that a crash leaves the old file or the new one, never half of one."""
    with atomic_path(path) as part:
        torch.save(dict(state), part)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Load a checkpoint without running anything from it.

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
    return state


def fingerprint(*states: Mapping[str, torch.Tensor]) -> str:
    """sha256 (hex) of the names and values of weights: what a training started from."""
    digest = hashlib.sha256()
    for state in states:
        for name in sorted(state):
            digest.update(name.encode())
            digest.update(state[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def claim(folder: Path, run: Mapping[str, Any], note: str = RUN) -> None:
    """Mark a working folder as that of ``run`` (plain values), or check that it is.

    ``note``: the file in it that says so; what is known later stands in a second one.

    Raises:
        ToonifyError: when it belongs to another run: going on would mix the two.
    """
    path, mine = folder / note, json.dumps(run, indent=2)
    if path.is_file() and path.read_text(encoding="utf-8") != mine:
        raise ToonifyError(
            f"{folder} belongs to a training of other pictures or settings; choose another --work "
            f"folder, or delete this one to start again."
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(mine, encoding="utf-8")


def run_slice(
    task: Task,
    folder: Path,
    deadline: Deadline,
    *,
    save_every: float = 5.0,
    report: Callable[[int, dict[str, float]], None] = lambda step, losses: None,
    on_save: Callable[[], None] = lambda: None,
) -> bool:
    """Go on from the folder's checkpoint until all steps are done (True) or time is up (False).

    Args:
        task: what is trained; its state is replaced by the checkpoint's if there is one.
        folder: where ``checkpoint.pt`` and ``curves.csv`` go.
        deadline: when to stop.
        save_every: minutes between checkpoints.
        report: called with the step and its losses, after every step.
        on_save: called after each checkpoint, for sample sheets.
    """
    path = folder / CHECKPOINT
    if path.is_file():
        task.load_state(read_checkpoint(path))

    def save() -> None:
        if task.fabric.is_global_zero:
            write_checkpoint(path, task.state())
            on_save()

    saved = time.monotonic()
    while task.step < task.steps and not agreed(task.fabric, deadline.passed()):
        losses = task.train_step()
        report(task.step, losses)
        if task.step % 20 == 0 and task.fabric.is_global_zero:
            append_curve(folder / CURVES, task.step, losses)
        if time.monotonic() - saved > save_every * 60:
            save()
            saved = time.monotonic()
    save()
    return task.step >= task.steps


def agreed(fabric: Any, stop: bool) -> bool:
    """The first process decides for all, so that none waits for one that has left."""
    return stop if fabric.world_size == 1 else bool(fabric.broadcast(stop))


def own_stretch(rng: np.random.Generator, rank: int) -> np.random.Generator:
    """``rng`` for the first process; far ahead on its sequence for every other one."""
    bits: Any = rng.bit_generator
    return np.random.Generator(bits.jumped(rank)) if rank else rng


def append_curve(path: Path, step: int, losses: Mapping[str, float]) -> None:
    """Add a line of losses to a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(["time", "step", "losses"])
        values = json.dumps({name: round(value, 5) for name, value in losses.items()})
        writer.writerow([round(time.time(), 1), step, values])
