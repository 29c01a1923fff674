"""The loop that every training goes through, and the files it keeps."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from engines.errors import ToonifyError
from engines.training.learn.runs import (
    CHECKPOINT,
    CURVES,
    Deadline,
    Position,
    Task,
    append_curve,
    read_checkpoint,
    run,
    stop_on_interrupt,
    write_checkpoint,
)
from tests.engines.training.factory import StopAfter


class Counting:
    """A task of steps that only count."""

    def __init__(self, steps: int = 4, first: bool = True) -> None:
        self.fabric: Any = SimpleNamespace(
            world_size=1, is_global_zero=first, barrier=lambda: self.events.append("barrier")
        )
        self.steps, self.step = steps, 0
        self.events: list[str] = []

    @property
    def done(self) -> bool:
        return self.step >= self.steps

    @property
    def position(self) -> Position:
        return Position("counting", 8 * self.step, 8 * self.steps)

    def train_step(self) -> dict[str, float]:
        self.step += 1
        return {"l1": 1 / self.step}

    def state(self) -> dict[str, Any]:
        self.events.append(f"saved {self.step}")
        return {"step": self.step}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.step = state["step"]


def test_a_run_goes_on_until_all_is_done(tmp_path: Path) -> None:
    seen: list[int] = []

    def report(task: Task, losses: dict[str, float]) -> None:
        assert losses == {"l1": 1 / task.step}
        seen.append(task.step)

    first, second = Counting(), Counting()
    assert not run(first, tmp_path, StopAfter(3), report=report)
    assert first.events == ["saved 3", "barrier"]
    assert run(second, tmp_path, Deadline(), report=report)
    assert seen == [1, 2, 3, 4]
    assert read_checkpoint(tmp_path / CHECKPOINT) == {"step": 4}
    assert run(Counting(), tmp_path, Deadline(minutes=0), report=report)  # is done already
    assert seen == [1, 2, 3, 4]


def test_the_last_step_may_be_the_one_in_which_time_is_up(tmp_path: Path) -> None:
    assert run(Counting(1), tmp_path, Deadline(minutes=0))


def test_checkpoints_are_written_meanwhile(tmp_path: Path) -> None:
    task = Counting(3)
    assert run(
        task, tmp_path, Deadline(), save_every=0, on_save=lambda: task.events.append("sheet")
    )
    steps = [event for event in task.events if event.startswith("saved")]
    assert steps == ["saved 1", "saved 2", "saved 3", "saved 3"]
    assert task.events.count("sheet") == 4


def test_only_the_first_process_writes(tmp_path: Path) -> None:
    task = Counting(40, first=False)
    assert run(task, tmp_path, Deadline(), save_every=0)
    assert task.events == ["barrier"]
    assert not list(tmp_path.iterdir())


def test_curves_are_one_table(tmp_path: Path) -> None:
    assert run(Counting(40), tmp_path, Deadline())
    lines = (tmp_path / CURVES).read_text().splitlines()
    assert lines[0] == "time,stage,step,pictures,losses"
    assert [line.split(",")[1:4] for line in lines[1:]] == [
        ["counting", "20", "160"],
        ["counting", "40", "320"],
    ]


def test_curves_of_earlier_releases_are_continued(tmp_path: Path) -> None:
    path, task = tmp_path / CURVES, Counting()
    losses = json.dumps({"l1": 0.5, "shift": 0.1})
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["time", "step", "losses"], [1.5, 20, losses]])
    task.step = 40
    append_curve(path, task, {"l1": 0.25})
    with path.open(newline="") as file:
        old, new = csv.DictReader(file)
    assert old == {"time": "1.5", "stage": "", "step": "20", "pictures": "", "losses": losses}
    assert (new["stage"], new["step"], new["pictures"]) == ("counting", "40", "320")
    assert json.loads(new["losses"]) == {"l1": 0.25}
    assert [file.name for file in tmp_path.iterdir()] == [CURVES]


def test_checkpoints_of_earlier_releases_are_read_under_todays_names(tmp_path: Path) -> None:
    old = {"average": 1, "judge": 2, "judge_optimizer": 3, "optimizer": 4}
    torch.save(old, tmp_path / CHECKPOINT)
    assert read_checkpoint(tmp_path / CHECKPOINT) == {
        "ema": 1,
        "discriminator": 2,
        "discriminator_optimizer": 3,
        "optimizer": 4,
    }


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / CHECKPOINT
    write_checkpoint(path, {"step": 1})
    with pytest.raises(Exception, match="pickle"):
        write_checkpoint(path, {"step": lambda: None})
    assert read_checkpoint(path) == {"step": 1}


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / CHECKPOINT
    with pytest.raises(ToonifyError, match="no training checkpoint"):
        read_checkpoint(path)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(ToonifyError, match="is damaged"):
        run(Counting(), tmp_path, Deadline())
    torch.save([1], path)
    with pytest.raises(ToonifyError, match="not a training checkpoint"):
        read_checkpoint(path)


def test_the_first_interrupt_stops_after_the_step_the_second_at_once() -> None:
    deadline = Deadline()
    # A shell starts programs in the background with interrupts ignored; the tests may be one.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with stop_on_interrupt(deadline):
            assert not deadline.passed()
            signal.raise_signal(signal.SIGINT)
            assert deadline.passed()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
