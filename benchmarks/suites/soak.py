"""The loop for minutes or hours: does memory, the number of handles or threads, or latency grow?

A camera's pace, with the person out of the picture for a moment in every minute, so that losing and
finding a face, the guard's pictures and the still engine are in it. What is kept in bounded windows
fills them at first, so the first third is run but not judged.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks.conditions import Monitor
from benchmarks.faces import crowd_frames
from benchmarks.loop_parts import MeterSink, PreparedSource, RecordingClock
from benchmarks.report import Aim, Label, Report, Result, Series
from benchmarks.statistics import Verdict, judge, slope
from benchmarks.suites.loop import BANK, LoopSettings, Size, open_session
from engines.errors import ToonifyError
from engines.pictures import Image
from engines.say import Say

if TYPE_CHECKING:
    from engines.bundle import Bundle

SAMPLES = 400
"""Samples of a run, at least `SHORTEST` seconds apart."""
SHORTEST = 1.0
UNJUDGED = 1 / 3
"""Share of the run at its start that is left out of the verdict."""
AWAY = 2.0
"""Seconds of each minute without a person."""
VERDICTS = {
    Verdict.SAME: "steady",
    Verdict.WORSE: "grows",
    Verdict.BETTER: "falls",
    Verdict.UNCLEAR: "too noisy to say",
}
MARKS = {"memory": 16.0, "handles": 1.0, "threads": 1.0, "latency": 0.05, "processor": 0.05}
"""Growth in an hour that counts: MiB, numbers; for times a share of their mean."""
UNITS = {
    "memory": "MiB", "handles": "", "threads": "", "latency": "ms", "processor": "ms a frame",
}  # fmt: skip
TIMES = ("latency", "processor")


@dataclass(frozen=True)
class SoakSettings:
    """What to run, and for how long."""

    minutes: float = 30.0
    size: Size = (1280, 720)
    faces: int = 1
    rate: float = 30.0
    engine: str = "auto"

    def record(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "size": f"{self.size[0]}x{self.size[1]}"}


@dataclass(frozen=True)
class Sample:
    """One moment, `minutes` after the start; latency is the median since the sample before.

    `processor` is the time that all threads together took for one frame, ms.
    """

    minutes: float
    memory: float
    handles: int
    threads: int
    latency: float
    processor: float
    frames: int


def run(settings: SoakSettings, say: Say, bundle: Bundle | None = None) -> Report:
    """One long run.

    Raises:
        ToonifyError: fewer toons than are needed came out.
    """
    monitor = Monitor()
    monitor.tick()
    loop = LoopSettings(engine=settings.engine)
    with open_session(loop, settings.faces, bundle) as session:
        source = PreparedSource(_frames(settings), settings.rate, settings.minutes * 60)
        sink = MeterSink()
        pipeline = session.pipeline(source, [sink], say=lambda line: None)
        latency = RecordingClock()
        pipeline.statistics.latency = latency
        with _Sampler(settings, source, sink, latency, monitor, say) as sampler:
            pipeline.run()
        about = f"{session.engine.name} {session.engine.precision}"
    conditions = monitor.finish().record()
    # A busy machine spoils times, and nothing else.
    noise, conditions["complaints"] = conditions.get("complaints", []), []
    conditions["noise"] = noise
    results = examine(sampler.samples, about, noisy=bool(noise))
    return Report(
        kind="soak",
        settings=settings.record(),
        conditions=conditions,
        results=results,
        aims=[
            Aim(f"{result.name}: growth an hour, upper end of its interval", result.metrics["high"],
                result.metrics["bound"], "lower")
            for result in results
            if result.labels["quantity"] not in TIMES and "high" in result.metrics
        ],
    )  # fmt: skip


def _frames(settings: SoakSettings) -> list[Image]:
    """About a minute of frames, few of which are pictures of their own."""
    people = crowd_frames(settings.size, settings.faces, settings.rate, BANK)
    people += people[-2:0:-1]
    # `PreparedSource` plays to and fro, so half of the time without people stands at one end.
    minute = people * max(1, round((30 - AWAY / 2) * settings.rate / len(people)))
    empty = np.full_like(people[0], 90)
    return [*minute, *[empty] * max(1, round(AWAY / 2 * settings.rate))]


class _Sampler:
    """Takes samples in a thread of its own and keeps what the loop's meters hold from growing."""

    def __init__(
        self,
        settings: SoakSettings,
        source: PreparedSource,
        sink: MeterSink,
        latency: RecordingClock,
        monitor: Monitor,
        say: Say,
    ) -> None:
        self.samples: list[Sample] = []
        self._minutes = settings.minutes
        self._period = max(SHORTEST, settings.minutes * 60 / SAMPLES)
        self._meters = (source, sink, latency)
        self._monitor = monitor
        self._say = say
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="soak", daemon=True)

    def __enter__(self) -> _Sampler:
        self._start = time.monotonic()
        self._busy = self._processor()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._period):
            self._sample()

    def _sample(self) -> None:
        source, sink, latency = self._meters
        times, frames = [seconds for _, seconds in latency.all], len(sink.toons)
        for held in (latency.all, sink.toons, source.captured):
            held.clear()
        busy, before = self._processor(), self._busy
        self._busy = busy
        if not times or not frames:  # the person was away, or the engine is not there yet
            return
        minutes = (time.monotonic() - self._start) / 60
        self.samples.append(
            Sample(
                minutes,
                self._process.memory_info().rss / 2**20,
                _handles(self._process),
                self._process.num_threads(),
                float(np.median(times)) * 1e3,
                (busy - before) * 1e3 / frames,
                frames,
            )
        )
        self._monitor.tick()
        last = self.samples[-1]
        self._say(
            f"{minutes:.0f} of {self._minutes:g} minutes: {last.memory:.0f} MiB, {last.handles} "
            f"handles, {last.threads} threads, {last.latency:.0f} ms"
        )

    def _processor(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


def _handles(process: psutil.Process) -> int:
    """Open files, sockets and the like."""
    if sys.platform == "win32":
        return int(process.num_handles())
    return int(process.num_fds())


def examine(samples: Sequence[Sample], about: str, *, noisy: bool) -> list[Result]:
    """A verdict for each quantity.

    Args:
        samples: of the whole run, in order.
        about: which engine ran.
        noisy: the machine was too busy for times to say anything.

    Raises:
        ToonifyError: there are too few samples.
    """
    start = max((sample.minutes for sample in samples), default=0.0) * UNJUDGED
    judged = [sample for sample in samples if sample.minutes > start]
    if len(judged) < 3:
        raise ToonifyError(
            f"Only {len(samples)} samples with a toon were taken; soak longer, or run "
            "`toonify doctor`."
        )
    hours = [sample.minutes / 60 for sample in judged]
    results = []
    for quantity, mark in MARKS.items():
        values = [float(getattr(sample, quantity)) for sample in judged]
        growth = slope(hours, values)
        bound = mark * float(np.mean(values)) if quantity in TIMES else mark
        verdict = judge(growth, lower_is_better=True, tolerance=bound, unchanged=0.0)
        if noisy and quantity in TIMES:
            verdict = Verdict.UNCLEAR
        labels: dict[str, Label] = {
            "quantity": quantity,
            "verdict": VERDICTS[verdict],
            "engine": about,
        }
        tenth = max(1, len(values) // 10)
        metrics = {
            "begin": float(np.mean(values[:tenth])),
            "end": float(np.mean(values[-tenth:])),
            "growth": growth.value,
            "bound": bound,
            "judged_minutes": judged[-1].minutes - judged[0].minutes,
        }
        if growth.low is not None and growth.high is not None:
            metrics |= {"low": growth.low, "high": growth.high}
        whole = [float(getattr(sample, quantity)) for sample in samples]
        series = {
            "samples": Series(UNITS[quantity], "lower", [whole]),
            "minutes": Series("min", "neither", [[sample.minutes for sample in samples]]),
        }
        unit = f", {UNITS[quantity]}" if UNITS[quantity] else ""
        results.append(Result(f"{quantity}{unit}", labels, series, metrics))
    return results
