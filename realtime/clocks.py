"""How long every stage takes: percentiles over a bounded window, at any time, from any thread."""

from __future__ import annotations

import contextlib
import json
import statistics
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engines.errors import ToonifyError
from engines.files import check_writable, write_atomically

WINDOW = 18_000  # ten minutes at 30 fps; memory stays flat whatever the length of a call
RECENT = 9
LARGEST = 1 << 20  # bytes of a snapshot, which takes a few thousand: a film is not read to tell


class StageClock:
    """Durations of one stage in seconds."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=WINDOW)
        self._recent: deque[float] = deque(maxlen=RECENT)
        self.count = 0

    def add(self, seconds: float) -> None:
        """Note one duration."""
        self._samples.append(seconds)
        self._recent.append(seconds)
        self.count += 1

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time the body of a `with`."""
        start = time.perf_counter()
        yield
        self.add(time.perf_counter() - start)

    def usual(self) -> float:
        """Median of the last `RECENT` durations in seconds; 0 before the first."""
        return statistics.median(list(self._recent) or [0.0])

    def summary(self) -> dict[str, float | int | None]:
        """Count and p50, p95 in milliseconds of the last `WINDOW` samples."""
        samples = np.array(list(self._samples))
        if not samples.size:
            return {"count": 0, "p50_ms": None, "p95_ms": None}
        p50, p95 = np.percentile(samples, [50, 95]) * 1e3
        return {"count": self.count, "p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


class Rate:
    """Events per second over the last few seconds and over the whole run."""

    def __init__(self, window: float = 2.0) -> None:
        self._window = window
        self._recent: deque[float] = deque(maxlen=1024)
        self._first: float | None = None
        self._last = 0.0
        self.count = 0

    def tick(self, now: float) -> None:
        """Note one event at `now`, monotonic seconds."""
        if self._first is None:
            self._first = now
        self._last = now
        self.count += 1
        self._recent.append(now)
        while self._recent[0] < now - self._window:
            self._recent.popleft()

    def silent(self, now: float) -> float:
        """Seconds from the last event to `now`, monotonic seconds; 0 before the first event."""
        return 0.0 if self._first is None else now - self._last

    def recent(self) -> float:
        """Events per second over the last window."""
        times = list(self._recent)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0

    def overall(self) -> float:
        """Events per second from the first event to the last."""
        if self._first is None or self._last <= self._first:
            return 0.0
        return (self.count - 1) / (self._last - self._first)


class Statistics:
    """All counters of one run; the pipeline's threads write, anyone reads `snapshot`."""

    STAGES = (
        "capture", "track", "stylize", "search", "refresh", "watch", "finish", "paste", "guard",
    )  # fmt: skip

    def __init__(self, **about: Any) -> None:
        self.about = about
        self.stages = {name: StageClock() for name in self.STAGES}
        self.latency = StageClock()
        self.captured = Rate()
        self.sent = Rate()
        self.sent_by_kind: dict[str, int] = {}
        self.drawn = Rate()
        self.moved = 0
        self.dropped: dict[str, int] = {}
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def note_sent(self, kind: str, now: float, latency: float | None, moved: bool = False) -> None:
        """One picture of `kind` went out at `now`; `latency` seconds after its capture. `moved`:
        it showed toons that were shown before, moved with their faces."""
        with self._lock:
            self.sent.tick(now)
            self.sent_by_kind[kind] = self.sent_by_kind.get(kind, 0) + 1
            if kind == "toon":
                self.moved += moved
                if not moved:
                    self.drawn.tick(now)
            if latency is not None:
                self.latency.add(latency)

    def snapshot(self) -> dict[str, Any]:
        """Everything known now, ready for JSON. Times in ms, rates in frames per second."""
        with self._lock:
            latency = self.latency.summary()
            delay = latency["p50_ms"]
            return {
                **self.about,
                "seconds": round(time.monotonic() - self._started, 3),
                "fps": round(self.sent.overall(), 2),
                "fps_recent": round(self.sent.recent(), 2),
                "source_fps": round(self.captured.overall(), 2),
                "frames_captured": self.captured.count,
                "frames_sent": self.sent.count,
                "sent_by_kind": dict(self.sent_by_kind),
                "toons_drawn": self.drawn.count,
                "toons_moved": self.moved,
                "drawings_per_second": round(self.drawn.overall(), 2),
                "frames_dropped": dict(self.dropped),
                "added_latency": latency,
                # by so much the picture is late, so a microphone should be
                "microphone_delay_ms": None if delay is None else 10 * round(delay / 10),
                "stages": {name: clock.summary() for name, clock in self.stages.items()},
            }


def check_statistics(path: Path) -> None:
    """Check that a snapshot can be written, and that a film or notes there would not be lost.

    Raises:
        ToonifyError: it cannot, or the file holds something other than a snapshot.
    """
    check_writable(path)
    if not path.is_file() or not (size := path.stat().st_size):
        return
    with contextlib.suppress(OSError, TypeError, ValueError):  # or it is no snapshot
        if size <= LARGEST and "frames_sent" in json.loads(path.read_bytes()):
            return
    raise ToonifyError(
        f"{path} holds something other than the numbers of a run, so it stays as it is; give "
        "--stats another file."
    )


def write_statistics(path: Path, snapshot: dict[str, Any]) -> None:
    """Write a snapshot as JSON, atomically.

    Raises:
        ToonifyError: see `check_statistics`; what is there may have come since that was asked.
    """
    check_statistics(path)
    write_atomically(path, (json.dumps(snapshot, indent=2) + "\n").encode())
