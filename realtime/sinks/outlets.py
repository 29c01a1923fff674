"""All places that a run's pictures go to, as one; sinks may come and go while it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from engines.errors import ToonifyError
from engines.say import Say
from realtime.clocks import Statistics
from realtime.guard import Output
from realtime.sinks import Sink
from realtime.sinks.runner import SinkRunner
from realtime.stages import Window
from realtime.toons.matting import on_green

LIVE_TIMEOUT = 3.0  # seconds given to a live sink at the end
FINISH_TIMEOUT = 60.0  # seconds given to files to be finished


class Outlets:
    """Hands every picture to the sinks, the window and whoever listens.

    Args:
        sinks: each gets a thread of its own.
        statistics: takes note of what went out.
        paced: a late picture is replaced and a failing sink is tried again; else each picture
            counts, and the first failure ends the run.
        green: sinks get the toons on green instead of the whole picture.
        window: shown the untooned picture too.
        listener: called with every picture that went out.

    Attributes:
        runners: of the sinks at work; replaced, never changed, so that any thread may read it.
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
        self.runners = tuple(SinkRunner(sink, say, wait=not paced) for sink in sinks)
        self._say = say
        self._statistics = statistics
        self._paced = paced
        self._green = green
        self._window = window
        self._listener = listener
        self._changing = threading.Lock()
        self._ended = False

    def start(self) -> None:
        """Open the sinks."""
        for runner in self.runners:
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
        for runner in self.runners:
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

    def add(self, sink: Sink) -> None:
        """One more sink, from the next picture on; does nothing after the end.

        Raises:
            ToonifyError: it cannot be opened.
        """
        if self._ended:
            return
        sink.open()  # now, so that what is wrong is told at once
        runner = SinkRunner(sink, self._say, wait=not self._paced, opened=True)
        with self._changing:
            ended = self._ended
            if not ended:
                runner.start()
                self.runners = (*self.runners, runner)
        if ended:
            sink.close()

    def remove(self, sink: Sink, farewell: Output) -> None:
        """Take a sink away; waits until it has finished.

        Args:
            farewell: the last picture of a live sink.
        """
        with self._changing:
            gone = [runner for runner in self.runners if runner.sink is sink]
            self.runners = tuple(runner for runner in self.runners if runner.sink is not sink)
        self._finish(gone, farewell)

    def stop(self, farewell: Output) -> ToonifyError | None:
        """Show live sinks a last picture and close all; the first sink's failure, if one failed."""
        with self._changing:
            self._ended = True
        self._finish(self.runners, farewell)
        if self._window:
            self._window.close()
        failed = [runner.failed for runner in self.runners if runner.failed]
        return ToonifyError(failed[0]) if failed else None

    @property
    def dropped(self) -> dict[str, int]:
        """By sink, pictures that a newer one replaced."""
        return {f"before {runner.sink.name}": runner.dropped for runner in self.runners}

    def _finish(self, runners: Sequence[SinkRunner], farewell: Output) -> None:
        for runner in runners:
            if runner.sink.live:
                runner.put(farewell.for_others())
        for runner in runners:
            limit = LIVE_TIMEOUT if runner.sink.live else FINISH_TIMEOUT
            if not runner.stop(limit):
                self._say(f"The {runner.sink.name} did not stop within {limit:g} s.")
