"""The loop with panel and overlay open beside the same loop without, and how soon a change shows.

A process of its own reads both pages as a browser does: it acknowledges each picture, but draws
none. Both loops take turns, so that a slow moment of the machine affects them alike. A change is
sent over the panel's WebSocket; it counts as shown with the first picture that comes out changed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benchmarks.conditions import Monitor
from benchmarks.faces import crowd_frames
from benchmarks.loop_parts import PreparedSource, Visit, visit
from benchmarks.report import Aim, Label, Report, Result, Series
from benchmarks.suites.loop import BANK, LoopSettings, loop_result, open_session
from benchmarks.suites.panel_reader import enter, listen, read
from engines.errors import ToonifyError
from engines.pictures import Image
from engines.say import Say
from realtime.controls import Controls
from realtime.guard import Output
from realtime.live.desk import Desk
from realtime.pipeline import Pipeline
from realtime.sinks.files import Recording
from realtime.sinks.switchable import Switchable
from realtime.web.panel.feed import Feed
from realtime.web.panel.routes import OVERLAY, panel_routes
from realtime.web.server import WebServer

if TYPE_CHECKING:
    from engines.bundle import Bundle
    from realtime.session import Session

LOST = 0.10
"""Share of frames that may be lost with both pages open."""

CHANGES = 24  # of each kind that needs no building; a p95 needs 20
PATIENCE = 60.0  # seconds until a change that does not show ends the benchmark


@dataclass
class OpenPanel:
    """A server with panel and overlay for one run; `feed` is one of the run's sinks."""

    desk: Desk
    feed: Feed
    server: WebServer


@contextmanager
def open_panel(session: Session, controls: Controls) -> Iterator[OpenPanel]:
    """Serve a run's pages while the body runs; `desk.pipeline` must be set before it begins."""
    recorder = Switchable(lambda: Recording(Path("never.mp4"), (2, 2), 30), session.say)
    desk = Desk(
        session, controls, session.settings, session.say, source=None, sinks=(),
        recorder=recorder, folder=Path(),
    )  # fmt: skip
    feed = Feed()
    routes = panel_routes(desk, feed, lambda: server.guest_url("/overlay"))
    with WebServer(routes, say=session.say, guests=OVERLAY) as server:
        yield OpenPanel(desk, feed, server)


def read_visit(session: Session, frames: Sequence[Image], rate: float, settings: Any) -> Visit:
    """A visit to the loop while another process reads both pages."""
    size = (frames[0].shape[1], frames[0].shape[0])
    controls = session.controls(session.guard(size))
    with open_panel(session, controls) as panel:
        command = [sys.executable, "-m", "benchmarks.suites.panel_reader"]
        reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def begun(pipeline: Pipeline) -> None:
            assert reader.stdin
            assert reader.stdout
            panel.desk.pipeline = pipeline
            reader.stdin.write(f"{panel.server.url()}\n")  # not as an argument: it is a secret
            reader.stdin.flush()
            if reader.stdout.readline().strip() != "open":
                raise ToonifyError("The pages could not be opened; run `toonify run --panel`.")

        try:
            return visit(
                session, None, frames, rate, settings.seconds, settings.warmup,
                sinks=[panel.feed], controls=controls, begun=begun,
            )  # fmt: skip
        finally:
            reader.kill()
            reader.communicate()


def run(settings: LoopSettings, say: Say, bundle: Bundle | None = None) -> Report:
    """Every size and rate with one face: closed and open in turns, then the changes."""
    monitor = Monitor()
    results, aims = [], []
    with open_session(settings, 1, bundle) as session:
        for size in settings.sizes:
            for rate in settings.rates:
                name = f"{size[0]}x{size[1]} {f'{rate:g} fps' if rate else 'unpaced'}"
                frames = crowd_frames(size, 1, rate or 30.0, BANK)
                closed, open_ = [], []
                for number in range(settings.rounds):
                    say(f"{name}, pages closed and open: round {number + 1}")
                    monitor.tick()
                    seconds, warmup = settings.seconds, settings.warmup
                    closed.append(visit(session, None, frames, rate, seconds, warmup))
                    open_.append(read_visit(session, frames, rate, settings))
                about = f"{session.engine.name} {session.engine.precision}"
                for state, seen in (("closed", closed), ("open", open_)):
                    result = loop_result(size, 1, rate, about, seen)
                    results.append(replace(result, name=f"{result.name}, pages {state}"))
                pairs = zip(closed, open_, strict=True)
                lost = float(np.median([1 - after.fps / before.fps for before, after in pairs]))
                results[-1].metrics["lost_share"] = lost
                if size == (1280, 720):
                    what = f"{name}, frames lost with both pages open"
                    aims.append(Aim(what, lost, LOST, "lower"))
        say("how soon changes show")
        frames = crowd_frames(settings.sizes[0], 1, 30.0, BANK)
        results.append(changes(session, frames, monitor))
    return Report(
        kind="loop",
        settings=settings.record(),
        conditions=monitor.finish().record(),
        results=results,
        aims=aims,
    )


Shows = Callable[[Output], bool]
"""Whether a picture shows a change."""


class _Watch:
    """A sink that notes when the first picture comes that shows what was waited for."""

    name, live, local = "watch", True, True

    def __init__(self) -> None:
        self._shows: Shows | None = None
        self._seen = threading.Event()
        self.at = 0.0
        self.area = 0.0

    def await_(self, shows: Shows, act: Callable[[], None]) -> float:
        """Seconds from `act` to the picture."""
        self._seen.clear()
        start = time.monotonic()
        act()
        self._shows = shows
        if not self._seen.wait(PATIENCE):
            raise ToonifyError("A change did not show; run `toonify run --panel` and try it.")
        return self.at - start

    def open(self) -> None:
        """Nothing to open."""

    def send(self, output: Output) -> None:
        """Look at one picture."""
        cv2.cvtColor(output.image, cv2.COLOR_BGR2YUV_I420)  # as a virtual camera does
        if output.kind == "toon":
            self.area = float(np.count_nonzero(output.alpha))
        if self._shows and self._shows(output):
            self.at, self._shows = time.monotonic(), None
            self._seen.set()

    def close(self) -> None:
        """Nothing to close."""


def changes(session: Session, frames: Sequence[Image], monitor: Monitor) -> Result:
    """The time from a change on the panel to the first picture that shows it, by kind."""
    source = PreparedSource(frames, 30.0, 1e6)
    controls = session.controls(session.guard(source.size))
    controls.set_guard("pass")
    watch = _Watch()
    seconds: dict[str, list[float]] = {}
    with open_panel(session, controls) as panel:
        pipeline = session.pipeline(source, [watch, panel.feed], controls)
        panel.desk.pipeline = pipeline
        thread = threading.Thread(target=pipeline.run)
        thread.start()
        try:
            with listen(panel.server.url(), "/panel/live", enter(panel.server.url())) as socket:
                threading.Thread(target=read, args=(socket,), daemon=True).start()
                watch.await_(lambda output: output.kind == "toon", lambda: None)
                for kind, value, shows in _script(session, controls, watch):
                    monitor.tick()
                    name = kind.partition(" ")[0]
                    message = json.dumps({"do": name, "value": value})
                    took = watch.await_(shows, partial(socket.send, message))
                    seconds.setdefault(kind, []).append(took)
        finally:
            controls.stop()
            thread.join()
    series = {
        f"change:{kind}": Series("ms", "lower", [[took * 1e3 for took in taken]])
        for kind, taken in seconds.items()
    }
    labels: dict[str, Label] = {"run": "changes", "size": f"{source.size[0]}x{source.size[1]}"}
    return Result("from a change on the panel to the first changed picture", labels, series, {})


def _script(
    session: Session, controls: Controls, watch: _Watch
) -> Iterator[tuple[str, Any, Shows]]:
    """What is changed, and which picture shows it."""
    for step in range(CHANGES):
        yield "panic", step % 2 == 0, partial(_hidden, step % 2 == 0)
    for step in range(CHANGES):
        there = step % 2 == 0
        yield "strength", 0.5 if there else 1.0, partial(_faded, there)
        yield "region", "face" if there else "head", partial(_other_area, watch.area)
    swaps = [swap for swap in controls.swaps if swap]
    for swap in [*swaps, *[None, swaps[-1]] * (CHANGES // 2)]:
        known = session.blends.ready(controls.blend._replace(swap=swap))
        yield f"swap {'kept' if known else 'built'}", swap, _redrawn(session)


def _hidden(hidden: bool, output: Output) -> bool:
    return (output.kind == "card") == hidden


def _faded(faded: bool, output: Output) -> bool:
    return output.kind == "toon" and (int(output.alpha.max()) < 200) == faded


def _other_area(area: float, output: Output) -> bool:
    return bool(abs(np.count_nonzero(output.alpha) - area) > 0.2 * area)


def _redrawn(session: Session) -> Shows:
    """Whether a picture was captured after another engine had taken over."""
    old, since = session.stylizer.engine, [float("inf")]

    def shows(output: Output) -> bool:
        if session.stylizer.engine is not old and since[0] == float("inf"):
            since[0] = time.monotonic()
        return output.captured is not None and output.captured > since[0]

    return shows
