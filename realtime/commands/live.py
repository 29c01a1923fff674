"""`toonify run` and `toonify demo`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.live import Live
from rich.text import Text

from engines.errors import ToonifyError
from engines.files import check_writable
from realtime.clocks import write_statistics
from realtime.commands.screen import err, frame_progress, out, say, statistics_table
from realtime.frame import Image, fit
from realtime.guard import Output
from realtime.pipeline import Pipeline
from realtime.session import Session, check_settings, find_chosen
from realtime.settings import Settings, SourceSettings
from realtime.sinks import Sink, SinkError, open_sinks
from realtime.sinks.files import AlphaMovie, Recording, write_bgr_png
from realtime.sinks.preview import Preview, has_display
from realtime.sinks.virtual_camera import VirtualCamera
from realtime.sources import Report, SourceError, open_source
from realtime.sources.demo import DemoSource


class Switchable:
    """A sink that the record key starts and stops; each start makes a new file."""

    live = False
    local = False

    def __init__(self, make: Callable[[], Recording], report: Report) -> None:
        self.name = "recording"
        self._make = make
        self._report = report
        self._lock = threading.Lock()
        self._current: Recording | None = None

    def toggle(self) -> None:
        """Start, or finish the file."""
        with self._lock:
            if self._current is None:
                self._current = self._make()
                self._report(f"Recording to {self._current.path}.")
                return
            recording, self._current = self._current, None
        recording.close()
        self._report(f"Recorded {recording.path}.")

    def open(self) -> None:
        """Nothing to do before the key is pressed."""

    def send(self, output: Output) -> None:
        """Add a picture if recording."""
        with self._lock:
            if self._current:
                self._current.send(output)

    def close(self) -> None:
        """Finish the file at hand."""
        if self._current:
            self.toggle()


def run_live(
    settings: Settings,
    report: Report = say,
    *,
    stats: Path | None = None,
    seconds: float | None = None,
    session: Session | None = None,
) -> dict[str, Any]:
    """Run until the source ends, the user stops it or `seconds` are over; returns statistics.

    Raises `ToonifyError` when nothing came or could be shown, or something failed to the last.
    """
    check_settings(settings)
    if stats:
        check_writable(stats)
    bundle = session.bundle if session else find_chosen(settings.engine)
    if settings.output.preview and not has_display():
        raise SinkError(
            "There is no display for a preview window; leave out --preview or log in to a "
            "desktop session."
        )
    source = open_source(settings.source, report)
    size, rate = source.size, source.rate
    sinks: list[Sink] = open_sinks(settings.output, size, rate, source, paced=True)
    _require_somewhere(sinks, settings.output.preview)
    own = session or Session(settings, report, bundle)
    try:
        guard = own.guard(size)
        controls = own.controls(guard, report)
        window = None
        if settings.output.preview:
            recorder = Switchable(
                lambda: Recording(Path("recording.mp4"), size, rate, paced=True), report
            )
            sinks.append(recorder)
            window = Preview(
                controls,
                report,
                numbers=lambda: {**_numbers(pipeline), "guard": guard.mode, "": guard.reason},
                record=recorder.toggle,
                folder=Path(),
                size=size,
            )
        pipeline = Pipeline(
            source,
            own.tracker,
            own.stylizer,
            guard,
            sinks,
            controls,
            report,
            rate=rate,
            green=settings.output.overlay == "green",
            window=window,
            watch=own.watch,
            shared=own.shared,
            about=own.about,
        )
        timer = threading.Timer(seconds, controls.stop) if seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            with Live(
                get_renderable=lambda: _status_line(pipeline, guard.mode, guard.reason),
                console=err,
                refresh_per_second=2,
                transient=True,
            ):
                pipeline.run()
            if not pipeline.statistics.captured.count:
                raise SourceError(
                    f"Not one picture came from {source.name}; `toonify devices` tells what is "
                    "wrong with each camera."
                )
        finally:
            numbers = pipeline.snapshot()
            if stats:
                write_statistics(stats, numbers)
            out.print(statistics_table(numbers))
            for sink in sinks:
                if isinstance(sink, Recording | AlphaMovie) and sink.path.is_file():
                    report(f"Recorded {sink.path}.")
            if timer:
                timer.cancel()
    finally:
        if session is None:
            own.close()
    return numbers


def _require_somewhere(sinks: list[Sink], preview: bool) -> None:
    """Say at once what to install when the virtual camera is all there is, and is not there."""
    if not sinks and not preview:
        raise SinkError("There is nowhere to send pictures: add --sink, --record or --preview.")
    if len(sinks) == 1 and isinstance(sinks[0], VirtualCamera) and not preview:
        sinks[0].open()
        sinks[0].close()


def _numbers(pipeline: Pipeline) -> dict[str, object]:
    """What is shown while it runs: of the last pictures only, as a whole snapshot takes too long
    to be made for every one of them."""
    numbers = pipeline.statistics
    latency = f"{numbers.latency.usual() * 1e3:.0f} ms" if numbers.latency.count else ""
    return {"fps": f"{numbers.sent.recent():.1f}", "latency": latency}


def _status_line(pipeline: Pipeline, mode: str, reason: str) -> Text:
    numbers = _numbers(pipeline)
    hidden = f", hidden: {reason}" if reason and mode != "pass" else ""
    return Text(
        f"{numbers['fps']} fps, {numbers['latency'] or '-'} behind, guard {mode}{hidden} "
        "(Ctrl-C stops)"
    )


class BeforeAfter:
    """The demo's film and contact sheet: the camera's picture beside the toon's."""

    live = False
    local = True

    def __init__(self, folder: Path, size: tuple[int, int], rate: float, total: int) -> None:
        self.name = "demo film"
        self.film = folder / "demo.mp4"
        self.sheet = folder / "contact-sheet.png"
        self._half = (size[0] * 3 // 4, size[1] * 3 // 4)
        self._film = Recording(self.film, (2 * self._half[0], self._half[1]), rate, paced=False)
        self._picked = {round((i + 0.5) * total / 8) for i in range(8)}
        self._thumbs: list[Image] = []
        self._count = 0

    def open(self) -> None:
        """Replace the files of an earlier demo."""
        for path in (self.film, self.sheet):
            path.unlink(missing_ok=True)
        self._film.open()

    def send(self, output: Output) -> None:
        """Add one picture to the film, and every so often to the sheet."""
        assert output.before is not None
        pair = np.hstack([fit(output.before, self._half), fit(output.image, self._half)])
        self._film.send(replace(output.for_others(), image=pair))
        if self._count in self._picked:
            self._thumbs.append(fit(pair, (960, 270)))
        self._count += 1

    def close(self) -> None:
        """Finish both files."""
        self._film.close()
        if self._thumbs:
            blank = np.zeros_like(self._thumbs[0])
            cells = [*self._thumbs, *([blank] * (len(self._thumbs) % 2))]
            rows = [np.hstack(cells[i : i + 2]) for i in range(0, len(cells), 2)]
            write_bgr_png(self.sheet, np.vstack(rows))
            self._thumbs = []


def run_demo(
    folder: Path,
    settings: Settings,
    *,
    seconds: float = 8.0,
    report: Report = say,
    session: Session | None = None,
) -> dict[str, Any]:
    """Make the demo film, its contact sheet and stats.json in `folder`; returns statistics.

    Raises `ToonifyError`; after an interruption the files hold what was made by then.
    """
    check_writable(folder / "stats.json")
    wanted: SourceSettings = settings.source
    total = max(1, round(seconds * wanted.fps))
    source = DemoSource(wanted.size, wanted.fps, live=False, total=total)
    film = BeforeAfter(folder, wanted.size, wanted.fps, total)
    own = session or Session(settings, report)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        guard = own.guard(wanted.size)
        with frame_progress() as bar:
            task = bar.add_task("Demo", total=total)
            pipeline = Pipeline(
                source,
                own.tracker,
                own.stylizer,
                guard,
                [film],
                own.controls(guard, report),
                report,
                rate=wanted.fps,
                paced=False,
                watch=own.watch,
                shared=own.shared,
                about=own.about,
                on_output=lambda _: bar.advance(task),
            )
            pipeline.run()
    finally:
        if session is None:
            own.close()
    numbers = pipeline.snapshot()
    write_statistics(folder / "stats.json", numbers)
    out.print(statistics_table(numbers))
    if pipeline.interrupted:
        raise ToonifyError(
            f"The demo was interrupted after {numbers['frames_sent']} of {total} pictures; run it "
            "again for the whole film."
        )
    say(f"Film: {film.film}. Contact sheet: {film.sheet}. Numbers: {folder / 'stats.json'}.")
    return numbers
