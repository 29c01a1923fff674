"""Whole runs with stand-ins for all that is plugged in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from realtime.controls import Controls
from realtime.guard import Guard
from realtime.pipeline import Pipeline
from realtime.settings import GuardSettings, SourceSettings
from realtime.sources.camera import CameraSource
from tests.realtime.fakes import (
    SIZE,
    Collector,
    FakeDevice,
    FakeSource,
    MarkerStylizer,
    MarkerTracker,
    Messages,
    marked,
    raw_pixels,
)


class Run:
    """A live run with fakes; `pictures` is all that came out."""

    def __init__(
        self,
        mode: str,
        source: Any = None,
        tracker: Any = None,
        stylizer: Any = None,
        sinks: list[Any] | None = None,
        paced: bool = True,
        strangers: Any = None,
        shared: bool = False,
        moves: bool = False,
        green: bool = False,
        window: Any = None,
        **settings: Any,
    ) -> None:
        self.messages = Messages()
        self.collector = Collector(live=paced)
        self.guard = Guard(mode, GuardSettings(**{"grace": 0.0, **settings}), SIZE, 2)  # type: ignore[arg-type]
        stylizer = stylizer or MarkerStylizer()
        self.controls = Controls(self.guard, stylizer, self.messages)
        self.pictures: list[Any] = []
        self.pipeline = Pipeline(
            source or FakeSource(),
            tracker or MarkerTracker(),
            stylizer,
            [self.collector, *(sinks or [])],
            self.controls,
            self.messages,
            rate=50,
            paced=paced,
            strangers=strangers,
            shared=shared,
            moves=moves,
            green=green,
            window=window,
            on_output=self.pictures.append,
        )

    def until(self, done: Callable[[], bool], limit: float = 20.0) -> Run:
        """Run until `done` or the source's end."""
        thread = threading.Thread(target=self._watch, args=(done, limit), daemon=True)
        thread.start()
        self.pipeline.run()
        return self

    def _watch(self, done: Callable[[], bool], limit: float) -> None:
        end = time.monotonic() + limit
        while not done() and time.monotonic() < end:
            time.sleep(0.005)
        self.controls.stop()

    def count(self, *kinds: str) -> int:
        return sum(picture.kind in kinds for picture in self.pictures)

    def check(self) -> None:
        """No raw face under any mode but pass; under pass it is there, so the detector works."""
        shown = [raw_pixels(p.image) for p in [*self.pictures, *self.collector.outputs]]
        assert shown
        if self.guard.mode != "pass":
            assert max(shown) == 0
        assert all(p.before is None and p.under is None for p in self.pictures)


def hidden(mode: str, early: bool = False) -> tuple[str, ...]:
    """Kinds of pictures while there is no toon; ``early``: a stranger came in at once, so that
    there is no toon from long enough before to be held."""
    if mode == "hold" and early:
        return "hold", "card"
    return ("raw",) if mode == "pass" else (mode,)


def camera(openings: list[Iterator[Any]], messages: Messages | None = None) -> CameraSource:
    """A camera that gives one script per opening, then cannot be opened."""
    scripts = iter(openings)

    def opener(settings: SourceSettings) -> FakeDevice:
        script = next(scripts, None)
        if script is None:
            raise OSError("no such device")
        return FakeDevice(script)

    return CameraSource(
        SourceSettings(source="0", size=SIZE, fps=100),
        messages if messages is not None else Messages(),
        opener,
        pauses=(0.02,),
        silence=0.3,
    )


def good(count: int, size: tuple[int, int] = SIZE) -> Iterator[Any]:
    for _ in range(count):
        yield marked(size)
