"""The sinks of one run; they may come and go while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from engines.say import Say
from realtime.guard import Output
from realtime.sinks import Sink
from realtime.sinks.runner import SinkRunner

STOP_TIMEOUT = 3.0  # seconds given to live sinks at the end
FINISH_TIMEOUT = 60.0  # seconds given to files to be finished


class Outlets:
    """Feeds every sink from a thread of its own.

    Args:
        wait: see `SinkRunner`.

    Attributes:
        runners: those at work; replaced, never changed, so that any thread may read it.
    """

    def __init__(self, sinks: Sequence[Sink], say: Say, *, wait: bool) -> None:
        self._say = say
        self._wait = wait
        self._changing = threading.Lock()
        self._ended = False
        self.runners = tuple(SinkRunner(sink, say, wait=wait) for sink in sinks)

    def start(self) -> None:
        """Begin."""
        for runner in self.runners:
            runner.start()

    def put(self, output: Output) -> None:
        """Hand a picture to every sink; only local ones get the untooned pictures in it."""
        public = output.for_others()
        for runner in self.runners:
            runner.put(output if runner.sink.local else public)

    @property
    def failed(self) -> str | None:
        """What the first sink that fails now says of it."""
        return next((runner.failed for runner in self.runners if runner.failed), None)

    @property
    def dropped(self) -> dict[str, int]:
        """By sink, the pictures that a newer one replaced before it could take them."""
        return {f"before {runner.sink.name}": runner.dropped for runner in self.runners}

    def add(self, sink: Sink) -> None:
        """One more sink, from the next picture on."""
        runner = SinkRunner(sink, self._say, wait=self._wait)
        with self._changing:
            if not self._ended:
                runner.start()
                self.runners = (*self.runners, runner)

    def remove(self, sink: Sink, farewell: Output) -> None:
        """Take one away; waits until it has finished.

        Args:
            farewell: the last picture of a live sink.
        """
        with self._changing:
            gone = [runner for runner in self.runners if runner.sink is sink]
            self.runners = tuple(runner for runner in self.runners if runner.sink is not sink)
        self._finish(gone, farewell)

    def stop(self, farewell: Output) -> str | None:
        """Finish all; returns what the first sink that kept failing said."""
        with self._changing:
            self._ended = True
        self._finish(self.runners, farewell)
        return self.failed

    def _finish(self, runners: Sequence[SinkRunner], farewell: Output) -> None:
        for runner in runners:
            if runner.sink.live:
                runner.put(farewell.for_others())
        for runner in runners:
            limit = STOP_TIMEOUT if runner.sink.live else FINISH_TIMEOUT
            if not runner.stop(limit):
                self._say(f"The {runner.sink.name} did not stop within {limit:g} s.")
