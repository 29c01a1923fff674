"""The ends of a measured loop, and one visit to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import psutil

from benchmarks.thread_times import OWN, processor_times
from engines.errors import ToonifyError
from engines.pictures import Image
from realtime.clocks import StageClock
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.guard import Output
from realtime.sinks import Sink
from realtime.stages import Drawing, Stylizer
from realtime.stylizer import StylizedFrame

if TYPE_CHECKING:
    from realtime.controls import Controls
    from realtime.pipeline import Pipeline
    from realtime.session import Session


class PreparedSource:
    """Plays frames forwards and backwards for some seconds; `rate` 0: unpaced."""

    name = "prepared frames"

    def __init__(self, frames: Sequence[Image], rate: float, seconds: float) -> None:
        self.live = rate > 0
        self.rate = rate or 30.0
        self.size = (frames[0].shape[1], frames[0].shape[0])
        self._frames = [*frames, *frames[-2:0:-1]]
        self._seconds = seconds
        self._closed = threading.Event()
        self.captured: list[float] = []

    def frames(self) -> Iterator[Frame]:
        """Late frames are skipped when paced, as a camera does."""
        start = time.monotonic()
        step = 0
        for number in range(2**31):
            if self.live:
                step = max(step, int((time.monotonic() - start) * self.rate))
                self._closed.wait(max(0.0, start + step / self.rate - time.monotonic()))
            now = time.monotonic()
            if self._closed.is_set() or now - start > self._seconds:
                return
            self.captured.append(now)
            yield Frame(self._frames[step % len(self._frames)], now, number, captured=now)
            step += 1

    def close(self) -> None:
        """Ends `frames()`."""
        self._closed.set()


class MeterSink:
    """Converts every picture as a virtual camera takes it, and notes when it came."""

    name, live, local = "meter", False, False

    def __init__(self) -> None:
        self.toons: list[float] = []
        self.moved = 0

    def open(self) -> None:
        """Nothing to open."""

    def send(self, output: Output) -> None:
        """Takes one picture."""
        cv2.cvtColor(output.image, cv2.COLOR_BGR2YUV_I420)
        if output.kind == "toon":
            self.toons.append(time.monotonic())
            self.moved += output.moved

    def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, eq=False)
class _Nothing:
    """A drawing of nothing."""

    frame: Frame
    faces: Sequence[TrackedFace]

    def finish(self) -> None:
        """Nothing to do."""

    def paste(self) -> StylizedFrame:
        """The frame as it came, every face reported as covered."""
        return self.move(self.frame, self.faces)

    def move(self, frame: Frame, faces: Sequence[TrackedFace]) -> StylizedFrame:
        """The same for a later frame."""
        alpha = np.zeros(frame.image.shape[:2], np.uint8)
        covered = frozenset(face.identity for face in faces)
        return StylizedFrame(frame.image, alpha, covered, {}, {})


class Bypass:
    """Stands in for the stylizer and draws nothing: what is left is the floor."""

    def draw(self, frame: Frame, faces: Sequence[TrackedFace]) -> Drawing:
        """A drawing of nothing."""
        return _Nothing(frame, faces)


class RecordingClock(StageClock):
    """A stage clock that keeps every duration, and when it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[tuple[float, float]] = []

    def add(self, seconds: float) -> None:
        """Notes one duration."""
        self.all.append((time.monotonic(), seconds))
        super().add(seconds)

    def milliseconds(self, since: float) -> list[float]:
        """Durations that ended after `since`."""
        return [seconds * 1e3 for ended, seconds in self.all if ended > since]


@dataclass(frozen=True)
class Visit:
    """One stretch of a loop, without its warm-up.

    `processor_ms` is what a toon cost, by work (see `benchmarks.thread_times`); `drawings` are the
    toons that were new, a second.
    """

    fps: float
    drawings: float
    intervals_ms: list[float]
    latency_ms: list[float]
    stages_ms: dict[str, list[float]]
    dropped_share: float
    cpu_cores: float
    processor_ms: dict[str, float]
    memory_times: list[float]
    memory_mib: list[float]


def visit(
    session: Session,
    stylizer: Stylizer | None,
    frames: Sequence[Image],
    rate: float,
    seconds: float,
    warmup: float,
    *,
    sinks: Sequence[Sink] = (),
    controls: Controls | None = None,
    begun: Callable[[Pipeline], None] = lambda pipeline: None,
) -> Visit:
    """Runs the pipeline for warm-up and `seconds`, and returns what was seen after the warm-up.

    Args:
        stylizer: draws instead of the session's engine; None for that one.
        sinks: are fed beside the one that measures.
        controls: of the run; None for its own.
        begun: called with the pipeline just before it runs.
    """
    source, sink = PreparedSource(frames, rate, warmup + seconds), MeterSink()
    pipeline = session.pipeline(
        source, [sink, *sinks], controls, say=lambda line: None, stylizer=stylizer
    )
    clocks = {name: RecordingClock() for name in pipeline.statistics.STAGES}
    latency = RecordingClock()
    pipeline.statistics.stages = dict(clocks)
    pipeline.statistics.latency = latency
    begun(pipeline)
    since = time.monotonic() + warmup
    with _Meter(since, sink) as meter:
        pipeline.run()
    arrivals = np.array([at for at in sink.toons if at > since])
    if len(arrivals) < 3:
        raise ToonifyError(
            f"Only {len(arrivals)} toons came out in {seconds:g} s at {source.size[0]}x"
            f"{source.size[1]}; run `toonify doctor`, or measure longer."
        )
    taken = sum(at > since for at in source.captured)
    fps = float((len(arrivals) - 1) / (arrivals[-1] - arrivals[0]))
    return Visit(
        fps=fps,
        drawings=fps * meter.new_share,
        intervals_ms=[float(step) * 1e3 for step in np.diff(arrivals)],
        latency_ms=latency.milliseconds(since),
        stages_ms={name: clock.milliseconds(since) for name, clock in clocks.items()},
        dropped_share=max(0.0, 1 - len(arrivals) / max(taken, 1)),
        cpu_cores=meter.cpu_cores,
        processor_ms=meter.processor_ms,
        memory_times=meter.times,
        memory_mib=meter.memory_mib,
    )


class _Meter:
    """Processor time and resident memory of this process from `since` on, sampled in a thread."""

    PERIOD = 0.2

    def __init__(self, since: float, sink: MeterSink) -> None:
        self._since = since
        self._sink = sink
        self._work: list[tuple[int, int, dict[str, float]]] = []  # toons, moved ones, seconds
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=OWN, daemon=True)
        self._busy: list[float] = []
        self.times: list[float] = []
        self.memory_mib: list[float] = []

    @property
    def cpu_cores(self) -> float:
        """Cores kept busy on average."""
        return (self._busy[-1] - self._busy[0]) / max(self.times[-1] - self.times[0], 1e-6)

    @property
    def processor_ms(self) -> dict[str, float]:
        """Milliseconds of processor for one toon, by work."""
        (before, _, first), (after, _, last) = self._work[0], self._work[-1]
        toons = max(after - before, 1)
        return {work: (last[work] - first.get(work, 0.0)) * 1e3 / toons for work in last}

    @property
    def new_share(self) -> float:
        """Share of the toons that were drawn for the first time."""
        (before, moved, _), (after, moved_after, _) = self._work[0], self._work[-1]
        return 1 - (moved_after - moved) / max(after - before, 1)

    def __enter__(self) -> _Meter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        self._stop.wait(max(0.0, self._since - time.monotonic()))
        while not self._stop.is_set():
            self._sample()
            # Only here: at the end the threads are gone, and what they have used with them.
            self._work.append((len(self._sink.toons), self._sink.moved, processor_times()))
            self._stop.wait(self.PERIOD)

    def _sample(self) -> None:
        times = self._process.cpu_times()
        self.times.append(time.monotonic())
        self._busy.append(times.user + times.system)
        self.memory_mib.append(self._process.memory_info().rss / 2**20)
