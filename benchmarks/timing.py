"""Timing several tasks in turns, so that a noisy moment of the machine hits all of them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

from benchmarks.statistics import pooled


class DeviceClock(Protocol):
    """A clock on the device itself, read around one run."""

    def start(self) -> None: ...

    def stop(self) -> float:
        """Milliseconds since `start`, as the device counted them."""
        ...


class CudaClock:
    """CUDA events on one stream (None: the current one)."""

    def __init__(self, stream: torch.cuda.Stream | None = None) -> None:
        self._stream = stream or torch.cuda.current_stream()
        self._events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]

    def start(self) -> None:
        self._events[0].record(self._stream)

    def stop(self) -> float:
        self._events[1].record(self._stream)
        self._events[1].synchronize()
        return float(self._events[0].elapsed_time(self._events[1]))


@dataclass(frozen=True)
class Task:
    """One thing to time. `run` returns when its result is there."""

    name: str
    run: Callable[[], object]
    device_clock: DeviceClock | None = None


@dataclass(frozen=True)
class Budget:
    """When to stop: after `runs` timed runs or `seconds` of them, whichever comes first."""

    runs: int = 200
    seconds: float = 5.0
    rounds: int = 10
    warmup_runs: int = 10
    warmup_seconds: float = 1.0

    QUICK_RUNS = 60  # enough for a p95, not for a p99

    @classmethod
    def quick(cls) -> Budget:
        return cls(runs=cls.QUICK_RUNS, seconds=1.2, rounds=6, warmup_runs=3, warmup_seconds=0.2)


@dataclass
class Timing:
    """Milliseconds of every timed run, by round; `device` is empty without a device clock."""

    host: list[list[float]] = field(default_factory=list)
    device: list[list[float]] = field(default_factory=list)

    @property
    def best(self) -> list[list[float]]:
        """The device's own clock where there is one, else the host's."""
        return self.device or self.host

    @property
    def count(self) -> int:
        return len(pooled(self.host))


def take_turns(
    tasks: Sequence[Task],
    budget: Budget,
    *,
    between: Callable[[], None] = lambda: None,
    after: Callable[[Task], None] = lambda task: None,
    seed: int = 0,
) -> dict[str, Timing]:
    """Times every task in `budget.rounds` rounds, in a fresh order each round.

    The first run of each visit is not timed, because the caches still hold another task's data.

    Args:
        tasks: what to time.
        budget: when to stop.
        between: called before every round, to sample conditions.
        after: called after every visit to a task.
    """
    per_round = {task.name: _runs_per_round(_warm_up(task, budget), budget) for task in tasks}
    timings = {task.name: Timing() for task in tasks}
    order = list(tasks)
    shuffle = random.Random(seed).shuffle
    for _ in range(budget.rounds):
        between()
        shuffle(order)
        for task in order:
            _visit(task, per_round[task.name], timings[task.name])
            after(task)
    between()
    return timings


def _warm_up(task: Task, budget: Budget) -> float:
    """Runs until warm and returns the seconds one warm run takes."""
    started = time.perf_counter()
    last = 0.0
    for done in range(1, budget.warmup_runs + 1):
        before = time.perf_counter()
        task.run()
        last = time.perf_counter() - before
        if done >= 2 and time.perf_counter() - started > budget.warmup_seconds:
            break
    return last


def _runs_per_round(seconds_per_run: float, budget: Budget) -> int:
    affordable = budget.seconds / max(seconds_per_run, 1e-9)
    return max(1, math.ceil(min(budget.runs, affordable) / budget.rounds))


def _visit(task: Task, runs: int, timing: Timing) -> None:
    task.run()
    host, device = [], []
    for _ in range(runs):
        before = time.perf_counter()
        if task.device_clock is None:
            task.run()
        else:
            task.device_clock.start()
            task.run()
            device.append(task.device_clock.stop())
        host.append((time.perf_counter() - before) * 1e3)
    timing.host.append(host)
    if device:
        timing.device.append(device)
