"""All places that a run's pictures go to, as one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from engines.errors import ToonifyError
from engines.say import Say
from realtime.clocks import Statistics
from realtime.guard import Output
from realtime.sinks import Sink
from realtime.sinks.files import on_green
from realtime.sinks.runner import SinkRunner
from realtime.stages import Window

LIVE_TIMEOUT = 3.0  # seconds given to a live sink at the end
FINISH_TIMEOUT = 60.0  # seconds given to files to be finished


class Outlet:
    """Hands every picture to the sinks, the window and whoever listens.

    Args:
        sinks: each gets a thread of its own.
        statistics: takes note of what went out.
        paced: a late picture is replaced and a failing sink is tried again; else each picture
            counts, and the first failure ends the run.
        green: sinks get the toons on green instead of the whole picture.
        window: shown the untooned picture too.
        listener: called with every picture that went out.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        say: Say,
        statistics: Statistics,
        *,
        paced: bool,
        green: bool = False,
        window: Window | None = None,
        listener: Callable[[Output], None] | None = None,
    ) -> None:
        self._runners = [SinkRunner(sink, say, wait=not paced) for sink in sinks]
        self._say = say
        self._statistics = statistics
        self._paced = paced
        self._green = green
        self._window = window
        self._listener = listener

    def start(self) -> None:
        """Open the sinks."""
        for runner in self._runners:
            runner.start()

    def deliver(self, output: Output, captured: float | None) -> None:
        """One picture goes out.

        Args:
            captured: when it was captured, from which its latency counts; None if it does not.

        Raises:
            ToonifyError: a sink failed, and every picture counts.
        """
        if self._green:
            output = replace(output, image=on_green(output))
        public = output.for_others()
        for runner in self._runners:
            runner.put(output if runner.sink.local else public)
            if runner.failed and not self._paced:
                raise ToonifyError(runner.failed)
        if self._window:
            self._window.show(output)
        now = time.monotonic()
        latency = None if captured is None else now - captured
        self._statistics.note_sent(output.kind, now, latency, output.moved)
        if self._listener:
            self._listener(public)

    def stop(self, farewell: Output) -> ToonifyError | None:
        """Show live sinks a last picture and close all; the first sink's failure, if one failed."""
        failure = None
        for runner in self._runners:
            if runner.sink.live:
                runner.put(farewell.for_others())
        for runner in self._runners:
            limit = LIVE_TIMEOUT if runner.sink.live else FINISH_TIMEOUT
            if not runner.stop(limit):
                self._say(f"The {runner.sink.name} did not stop within {limit:g} s.")
            if runner.failed and not failure:
                failure = ToonifyError(runner.failed)
        if self._window:
            self._window.close()
        return failure

    @property
    def dropped(self) -> dict[str, int]:
        """By sink, pictures that a newer one replaced."""
        return {f"before {runner.sink.name}": runner.dropped for runner in self._runners}
