"""The loop: source to sink as in `toonify run`, unpaced and at a camera's pace.

The demo's frames are drawn first, because a camera does not draw; each visit plays them
forwards and backwards. The sink converts every picture as a virtual camera wants it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.conditions import Monitor
from benchmarks.faces import crowd_frames
from benchmarks.loop_parts import Bypass, Visit, visit
from benchmarks.machine import device_kind
from benchmarks.report import Aim, Label, Report, Result, Series
from benchmarks.thread_times import beside_engine
from engines.catalogue import DEFAULT_BUNDLE
from engines.errors import ToonifyError
from engines.pictures import Image
from engines.say import Say
from realtime.pace import usable_cores
from realtime.session import Session
from realtime.settings import (
    EngineSettings,
    GuardSettings,
    OutputSettings,
    Precision,
    Settings,
    TrackerSettings,
)

if TYPE_CHECKING:
    from engines.bundle import Bundle

Size = tuple[int, int]

BANK = 45
"""Frames drawn in advance per picture size, face count and rate."""
PROCESSOR = "processor_ms:"
"""Begins the names of metrics that are milliseconds of processor for one toon."""
HOLDS = 0.98
"""Share of the source's rate from which on a paced run counts as holding it."""

LEAST_FOR_GROWTH = 12.0
"""Seconds that a round must last for its memory's slope to say anything."""


@dataclass(frozen=True)
class LoopSettings:
    """What to run. A rate of 0 is unpaced: every frame, as fast as it goes.

    `cpu` is the share of all cores that a run may take, 0.05 to 1; None for no budget.
    """

    sizes: Sequence[Size] = ((640, 480), (1280, 720), (1920, 1080))
    faces: Sequence[int] = (1, 2, 4)
    rates: Sequence[float] = (0.0, 30.0, 60.0)
    engine: str = "auto"
    seconds: float = 5.0
    rounds: int = 3
    warmup: float = 1.0
    toons: bool = True
    cpu: float | None = None
    model: str = DEFAULT_BUNDLE
    precision: Precision | None = None

    @classmethod
    def quick(cls) -> LoopSettings:
        """Under a minute: one face at 1280x720, unpaced and at a camera's rate."""
        return cls(((1280, 720),), (1,), (0.0, 30.0), seconds=3.0, rounds=2)

    def record(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            **asdict(self),
            "sizes": [f"{width}x{height}" for width, height in self.sizes],
            "faces": list(self.faces),
            "rates": list(self.rates),
        }


def parse_size(text: str) -> Size:
    """WIDTHxHEIGHT -> (width, height)."""
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) > 15 and int(height) > 15):
        raise ToonifyError(f"A size is WIDTHxHEIGHT in pixels, such as 1280x720, not {text!r}.")
    return int(width), int(height)


def run(settings: LoopSettings, say: Say, bundle: Bundle | None = None) -> Report:
    """Runs every combination; rates of one picture take turns."""
    monitor = Monitor()
    results: list[Result] = []
    for count in settings.faces:
        with open_session(settings, count, bundle) as session:
            for size in settings.sizes:
                results += run_rates(settings, session, size, count, monitor, say)
    return Report(
        kind="loop",
        settings=settings.record(),
        conditions=monitor.finish().record(),
        results=results,
        aims=_aims(results),
    )


def open_session(settings: LoopSettings, faces: int, bundle: Bundle | None = None) -> Session:
    """Tracker, engine and stylizer as the live filter has them, for this many faces.

    Without toons MediaPipe looks at every frame, because then it is what is measured.
    """
    tracker = TrackerSettings(max_faces=faces)
    return Session(
        Settings(
            faces=tracker if settings.toons else replace(tracker, refresh_interval=0.0),
            engine=EngineSettings(
                settings.model,
                backend=settings.engine,
                precision=settings.precision,
                cpu=settings.cpu,
            ),
            guard=GuardSettings(mode="blur"),
            output=OutputSettings(sinks=("none",)),
        ),
        lambda line: None,
        bundle,
    )


def run_rates(
    settings: LoopSettings, session: Session, size: Size, faces: int, monitor: Monitor, say: Say
) -> list[Result]:
    """All rates at one picture size and face count, in turns."""
    say(f"{size[0]}x{size[1]}, {faces} faces: drawing frames")
    banks: dict[float, list[Image]] = {}
    for rate in settings.rates:
        banks.setdefault(rate or 30.0, crowd_frames(size, faces, rate or 30.0, BANK))
    visits: dict[float, list[Visit]] = {rate: [] for rate in settings.rates}
    for number in range(settings.rounds):
        for rate in settings.rates:
            pace = f"at {rate:g} fps" if rate else "unpaced"
            say(f"{size[0]}x{size[1]}, {faces} faces, {pace}: round {number + 1}")
            monitor.tick()
            stylizer = None if settings.toons else Bypass()
            visits[rate].append(
                visit(
                    session, stylizer, banks[rate or 30.0], rate, settings.seconds, settings.warmup
                )
            )
            if settings.toons and device_kind(session.engine) == "cuda":
                monitor.look_at_gpu()
    engine = session.engine
    about = f"{engine.name} {engine.precision}" if settings.toons else "no toons"
    results = [loop_result(size, faces, rate, about, seen) for rate, seen in visits.items()]
    if settings.cpu is not None:
        for result in results:
            result.metrics["cpu_asked"] = settings.cpu
            result.metrics["cpu_used"] = result.metrics["cpu_cores"] / usable_cores()
    return results


def loop_result(size: Size, faces: int, rate: float, about: str, visits: Sequence[Visit]) -> Result:
    """What all visits of one configuration add up to."""
    pace = f"{rate:g} fps" if rate else "unpaced"
    name = f"{size[0]}x{size[1]} {faces} face{'s' if faces > 1 else ''} {pace}"
    series = {"frame_interval": Series("ms", "lower", [seen.intervals_ms for seen in visits])}
    if rate:
        series["latency"] = Series("ms", "lower", [seen.latency_ms for seen in visits])
    for stage in visits[0].stages_ms:
        rounds = [seen.stages_ms[stage] for seen in visits if seen.stages_ms[stage]]
        waiting = stage == "capture" and rate > 0  # for the camera's next picture
        if rounds and not waiting:
            series[f"stage:{stage}"] = Series("ms", "lower", rounds)
    series["memory"] = Series("MiB", "neither", [seen.memory_mib for seen in visits])
    fps = float(np.median([seen.fps for seen in visits]))
    metrics = {
        "fps": fps,
        "drawings_per_s": float(np.median([seen.drawings for seen in visits])),
        "cpu_cores": float(np.mean([seen.cpu_cores for seen in visits])),
    }
    for work in sorted({work for seen in visits for work in seen.processor_ms}):
        spent = [seen.processor_ms.get(work, 0.0) for seen in visits]
        metrics[f"{PROCESSOR}{work}"] = float(np.median(spent))
    if all(seen.processor_ms for seen in visits):
        beside = [beside_engine(seen.processor_ms) for seen in visits]
        metrics["beside_engine_ms"] = float(np.median(beside))
    last = visits[-1]  # by then everything that is built once is there
    if len(visits) > 1 and last.memory_times[-1] - last.memory_times[0] >= LEAST_FOR_GROWTH:
        metrics["memory_growth_mib_per_min"] = _growth(last)
    if rate:
        metrics["dropped_share"] = float(np.mean([seen.dropped_share for seen in visits]))
        metrics["holds"] = float(fps >= HOLDS * rate)
    labels: dict[str, Label] = {
        "run": about,
        "size": f"{size[0]}x{size[1]}",
        "faces": faces,
        "rate": rate,
    }
    labels["engine"] = about
    return Result(name, labels, series, metrics)


def _growth(visit: Visit) -> float:
    """Slope of resident memory over the time of a visit, MiB a minute (least squares)."""
    return float(np.polyfit(np.asarray(visit.memory_times) / 60, visit.memory_mib, 1)[0])


def _aims(results: Sequence[Result]) -> list[Aim]:
    """What the live filter promises at 1280x720 with one face."""
    aims = []
    for result in results:
        if (result.labels["size"], result.labels["faces"]) != ("1280x720", 1):
            continue
        if result.labels["rate"] == 0:
            aims.append(Aim(f"{result.name}, fps", result.metrics["fps"], 30, "higher"))
        elif result.labels["rate"] == 30 and (p95 := result.series["latency"].summary.p95):
            aims.append(Aim(f"{result.name}, latency p95 in ms", p95.value, 60, "lower"))
            if (spent := result.metrics.get("beside_engine_ms")) is not None:
                name = f"{result.name}, ms of processor beside the engine"
                aims.append(Aim(name, spent, 15, "lower"))
    return aims
