"""`toonify run`: from a camera to a virtual camera, until the user stops it."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.live import Live
from rich.text import Text

from engines.say import Say, say
from realtime.clocks import check_statistics, write_statistics
from realtime.commands.panel import Panel, check_panel
from realtime.commands.screen import err, print_statistics
from realtime.live.desk import Desk
from realtime.live.source import ChangingSource
from realtime.pipeline import Pipeline
from realtime.session import Session, find_chosen, use_session
from realtime.settings import (
    OutputSettings,
    Settings,
    SettingsError,
    SourceSettings,
    check_settings,
)
from realtime.sinks import Sink, open_sinks
from realtime.sinks.files import AlphaMovie, Recording
from realtime.sinks.preview import Preview, require_display
from realtime.sinks.stream import StreamSink
from realtime.sinks.switchable import Switchable
from realtime.sinks.virtual_camera import VirtualCamera
from realtime.sources import Source, SourceError, open_source


def run_live(
    settings: Settings,
    say: Say = say,
    *,
    stats: Path | None = None,
    seconds: float | None = None,
    session: Session | None = None,
    config: Path | None = None,
) -> dict[str, Any]:
    """Run until the source ends, the user stops it or `seconds` are over.

    Args:
        stats: takes the statistics as JSON.
        session: one that is ready, instead of one made from the settings.
        config: the file that the settings came from; a panel saves them there.

    Returns:
        The statistics of the run.

    Raises:
        ToonifyError: no picture came or could be shown, or something kept failing.
    """
    check_settings(settings)
    if stats:
        check_statistics(stats)
    bundle = session.bundle if session else find_chosen(settings.engine)
    if settings.output.preview:
        require_display()
    if settings.output.panel is not None:
        check_panel(settings.output, say)  # now, because the engine takes some seconds
    source, changing = _open_source(settings, say)
    size, rate = source.size, source.rate
    sinks: list[Sink] = open_sinks(settings.output, size, rate, source, paced=True, say=say)
    _require_somewhere(sinks, settings.output)
    with use_session(settings, say, bundle=bundle, session=session) as own:
        guard = own.guard(size)
        controls = own.controls(guard, say)
        recorder = Switchable(lambda: Recording(Path("recording.mp4"), size, rate, paced=True), say)
        desk = Desk(
            own, controls, settings, say, source=changing, sinks=tuple(sinks), recorder=recorder,
            folder=Path(), config=config,
        )  # fmt: skip
        window = None
        if settings.output.preview or settings.output.panel is not None:
            sinks.append(recorder)
        panel = nullcontext() if settings.output.panel is None else Panel(desk, sinks, say)
        if settings.output.preview:
            window = Preview(
                controls,
                say,
                numbers=lambda: {**recent_numbers(pipeline), "guard": guard.mode, "": guard.reason},
                record=recorder.toggle,
                folder=Path(),
                size=size,
            )
        green = settings.output.overlay == "green"
        pipeline = own.pipeline(
            source, sinks, controls, say=say, green=green, window=window, on_output=desk.note
        )
        desk.pipeline = pipeline
        timer = threading.Timer(seconds, controls.stop) if seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            live = Live(
                get_renderable=lambda: _status_line(pipeline, guard.mode, guard.reason),
                console=err,
                refresh_per_second=2,
                transient=True,
            )
            with panel, live:
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
            print_statistics(numbers)
            delay = numbers["microphone_delay_ms"]
            if delay and _in_call(pipeline):
                say(f"The picture is {delay} ms late: delay your microphone by {delay} ms.")
            for sink in sinks:
                made = sink.path if isinstance(sink, Recording | AlphaMovie | StreamSink) else None
                if made and made.is_file():
                    say(f"Recorded {made}.")
            if timer:
                timer.cancel()
    return numbers


def _open_source(settings: Settings, say: Say) -> tuple[Source, ChangingSource | None]:
    """The source, and the same if another one may follow it."""
    source = open_source(settings.source, say)
    if not source.live:
        return source, None

    def another(chosen: SourceSettings) -> Source:
        return open_source(chosen, say)

    changing = ChangingSource(source, settings.source, another)
    return changing, changing


def _require_somewhere(sinks: list[Sink], output: OutputSettings) -> None:
    """Tell at once what to install if the virtual camera is the only sink and cannot be opened."""
    shown = output.preview or output.panel is not None
    if not sinks and not shown and output.overlay == "green":
        raise SettingsError(
            "--overlay green is the colour behind the toons in what the sinks show, and --sink "
            "none leaves nothing that shows it; leave one of them out, or add --record, --preview "
            "or --panel."
        )
    if not sinks and not shown:
        raise SettingsError(
            "--sink none needs --record, --overlay, --preview or --panel beside it."
        )
    if len(sinks) == 1 and isinstance(sinks[0], VirtualCamera) and not shown:
        sinks[0].open()
        sinks[0].close()


def recent_numbers(pipeline: Pipeline) -> dict[str, object]:
    """What is shown during a run: numbers of the last pictures only.

    A whole snapshot for every picture would take too long.
    """
    numbers = pipeline.statistics
    latency = f"{numbers.latency.usual() * 1e3:.0f} ms" if numbers.latency.count else ""
    return {"fps": f"{numbers.sent.recent():.1f}", "latency": latency}


def _in_call(pipeline: Pipeline) -> bool:
    """Whether a call shows the pictures, and takes its sound elsewhere."""
    return any(isinstance(runner.sink, VirtualCamera) for runner in pipeline.outlets.runners)


def _status_line(pipeline: Pipeline, mode: str, reason: str) -> Text:
    numbers = recent_numbers(pipeline)
    hidden = f", hidden: {reason}" if reason and mode != "pass" else ""
    late = f"{numbers['latency'] or '-'} behind"
    if numbers["latency"] and _in_call(pipeline):
        late += f" (delay your microphone by {numbers['latency']})"
    return Text(f"{numbers['fps']} fps, {late}, guard {mode}{hidden} (Ctrl-C stops)")
