"""Callers who share one server: how long each waits for a toon, and how many it serves.

Each caller sends one face and asks again as soon as it has its toon. All of them run in this
process, so beyond some hundred pictures a second it is this machine that is measured:
`client_cores` says how much of it they took.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.conditions import Monitor
from benchmarks.report import Label, Result, Series, Skipped
from benchmarks.runners import random_crops
from benchmarks.timing import Budget
from engines.backends import BackendError, Engine, create_engine
from engines.backends.remote.engine import LIVE_DEADLINE, RemoteEngine
from engines.backends.remote.interface import interface_of
from engines.errors import ToonifyError
from engines.networks.toon import ToonNetwork
from engines.say import Say

FRAMES = 30.0
"""Pictures a second that a live caller asks for."""


@dataclass
class Window:
    """What some callers got in one stretch of time.

    Attributes:
        latencies: milliseconds of every toon.
        lost: frames without a toon in time.
    """

    latencies: list[float] = field(default_factory=list)
    lost: int = 0
    seconds: float = 0.0
    processor: float = 0.0


def time_callers(
    tier: str,
    network: ToonNetwork,
    name: str,
    callers: Sequence[int],
    budget: Budget,
    monitor: Monitor,
    skipped: list[Skipped],
    say: Say,
    ready: Callable[[], None] = lambda: None,
) -> list[Result]:
    """Times every number of callers in `budget.rounds` rounds, in a fresh order each round.

    Args:
        name: the engine, remote:HOST:PORT or remote:HOST:PORT/MODEL.
        callers: numbers of callers.
        budget: each number is timed for its `seconds`.
        skipped: takes what cannot be measured, and why.
        say: takes one line on what is going on.
        ready: called before each round.
    """
    label = f"{tier} {name.partition(':')[0]}"
    with ExitStack() as stack:
        engines: list[Engine] = []
        try:
            for number in range(max(callers)):
                say(f"{label}: caller {number + 1} of {max(callers)} connects")
                engine = create_engine(network, name, max_batch=1, say=lambda line: None)
                engines.append(stack.enter_context(closing(engine)))
                if isinstance(engine, RemoteEngine):
                    engine.deadline = LIVE_DEADLINE
        except ToonifyError as error:
            skipped.append(Skipped(label, str(error)))
            return []
        crops = random_crops(network.input_size, 1)
        windows: dict[int, list[Window]] = {count: [] for count in callers}
        order, shuffle = list(callers), random.Random(0).shuffle
        call_together(engines, crops, min(1.0, budget.warmup_seconds))
        for turn in range(budget.rounds):
            say(f"{label}: round {turn + 1} of {budget.rounds}")
            ready()
            monitor.tick()
            shuffle(order)
            for count in order:
                seconds = budget.seconds / budget.rounds
                windows[count].append(call_together(engines[:count], crops, seconds))
        monitor.tick()
        wire = sum(interface_of(network).wire)
        return [
            result
            for count, found in windows.items()
            if (result := _result(tier, engines[0], count, wire, found, skipped)) is not None
        ]


def call_together(engines: Sequence[Engine], crops: NDArray[np.uint8], seconds: float) -> Window:
    """Let every engine draw `crops`, uint8 [1, S, S, 3], again and again for `seconds`."""
    window, lock = Window(), threading.Lock()
    together = threading.Barrier(len(engines) + 1)

    def call(engine: Engine) -> None:
        latencies, lost = [], 0
        together.wait()
        while time.perf_counter() < end:
            start = time.perf_counter()
            try:
                engine.run(crops)
            except BackendError:
                lost += 1
            else:
                latencies.append((time.perf_counter() - start) * 1e3)
        with lock:
            window.latencies += latencies
            window.lost += lost

    threads = [threading.Thread(target=call, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    processor, started = time.process_time(), time.perf_counter()
    end = started + seconds
    together.wait()
    for thread in threads:
        thread.join()
    window.seconds = time.perf_counter() - started
    window.processor = time.process_time() - processor
    return window


def _result(
    tier: str,
    engine: Engine,
    count: int,
    wire: int,
    windows: Sequence[Window],
    skipped: list[Skipped],
) -> Result | None:
    """What `count` callers got; `wire` is the bytes of one face, both ways."""
    name = f"{tier} {engine.name}, {count} caller{'s' if count > 1 else ''}"
    rounds = [window.latencies for window in windows if window.latencies]
    drawn, lost = sum(map(len, rounds)), sum(window.lost for window in windows)
    if not rounds:
        skipped.append(Skipped(name, f"None of {lost} toons came within {LIVE_DEADLINE:g} s."))
        return None
    seconds = sum(window.seconds for window in windows)
    labels: dict[str, Label] = {
        "tier": tier,
        "engine": engine.name,
        "device": engine.device,
        "precision": engine.precision,
        "batch": 1,
        "callers": count,
        "kind": "other",
    }
    metrics = {
        "images_per_s": drawn / seconds,
        "callers_at_30_fps": drawn / seconds / FRAMES,
        "lost_share": lost / (drawn + lost),
        "mbit_per_s": drawn / seconds * wire * 8 / 1e6,
        "client_cores": sum(window.processor for window in windows) / seconds,
        "build_s": engine.build_seconds,
    }
    return Result(name, labels, {"latency": Series("ms", "lower", rounds)}, metrics)
