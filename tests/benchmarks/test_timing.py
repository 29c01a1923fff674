"""Turns are taken fairly."""

from __future__ import annotations

import itertools
from functools import partial

from benchmarks.timing import Budget, Task, take_turns


class FakeClock:
    def start(self) -> None:
        pass

    def stop(self) -> float:
        return 7.0


def test_every_task_is_visited_in_every_round() -> None:
    calls: list[str] = []
    budget = Budget(runs=20, seconds=60, rounds=5, warmup_runs=2, warmup_seconds=0)
    tasks = [Task(name, partial(calls.append, name)) for name in "ab"]
    ticks: list[int] = []
    timings = take_turns(tasks, budget, between=lambda: ticks.append(len(calls)))
    for name in "ab":
        assert [len(one) for one in timings[name].host] == [4] * 5
        assert timings[name].count == 20
        assert calls.count(name) == 2 + 5 * (1 + 4)  # warm-up, and one untimed run a visit
    assert len(ticks) == 6
    between = [calls[a:b] for a, b in itertools.pairwise(ticks)]
    assert all(set(one) == {"a", "b"} for one in between)


def test_time_limits_slow_tasks() -> None:
    import time

    budget = Budget(runs=1000, seconds=0.05, rounds=5, warmup_runs=2, warmup_seconds=0)
    timing = take_turns([Task("slow", lambda: time.sleep(0.01))], budget)["slow"]
    assert timing.count <= 10
    assert len(timing.host) == 5


def test_the_device_clock_is_preferred() -> None:
    budget = Budget(runs=4, rounds=2, warmup_runs=1)
    timing = take_turns([Task("x", lambda: None, FakeClock())], budget)["x"]
    assert timing.best == [[7.0, 7.0], [7.0, 7.0]]
    assert timing.host != timing.best
