"""One thread per sink: a slow one misses pictures; a failing one is reported and tried again."""

from __future__ import annotations

import contextlib
import threading
import time

from engines.errors import ToonifyError
from engines.say import Say
from realtime.guard import Output
from realtime.sinks import Sink
from realtime.slots import ClosedError, Slot

PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before each next attempt; the last one repeats


class SinkRunner:
    """Feeds `sink` from its own thread.

    Args:
        wait: `put` blocks until the sink can take the picture (nothing is lost); else the newest
            picture replaces one that the sink has not taken yet.
        pauses: seconds before each next attempt after a failure; the last one repeats.
        opened: the sink is open already.
    """

    def __init__(
        self,
        sink: Sink,
        say: Say,
        *,
        wait: bool,
        pauses: tuple[float, ...] = PAUSES,
        opened: bool = False,
    ) -> None:
        self.sink = sink
        self.sent = 0
        self.failed: str | None = None
        self._say = say
        self._wait = wait
        self._pauses = pauses
        self._opened = opened
        self._slot: Slot[Output] = Slot(wait=wait)
        self._thread = threading.Thread(target=self._run, name=sink.name, daemon=True)

    @property
    def dropped(self) -> int:
        """Pictures that a newer one replaced before the sink could take them."""
        return self._slot.dropped

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, output: Output) -> None:
        """Hand over a picture; does nothing once the sink has ended."""
        with contextlib.suppress(ClosedError):
            self._slot.put(output)

    def stop(self, timeout: float) -> bool:
        """Take no more pictures, finish what was handed over; returns whether that was in time."""
        self._slot.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        attempts = 0
        ended = False
        while not ended:
            before = self.sent
            try:
                if not self._opened:
                    self.sink.open()
                self._opened = False
                try:
                    while True:
                        self._send(self._slot.get())
                except ClosedError:
                    ended = True
                finally:
                    self.sink.close()
            except Exception as error:
                self._fail(error)
                if self._wait:
                    # Every picture counts here, and some would be missing: the task has failed.
                    self._slot.close()
                    return
                attempts = 1 if self.sent > before else attempts + 1
                ended = ended or self._rest(self._pauses[min(attempts, len(self._pauses)) - 1])

    def _send(self, output: Output) -> None:
        self.sink.send(output)
        self.sent += 1
        if self.failed:
            self.failed = None
            self._say(f"The {self.sink.name} works again.")

    def _fail(self, error: Exception) -> None:
        message = str(error) if isinstance(error, ToonifyError) else f"{self.sink.name}: {error!r}."
        if message != self.failed:
            again = "" if self._wait else " It is skipped; retrying."
            self._say(f"{message}{again}")
        self.failed = message
        with contextlib.suppress(Exception):
            self.sink.close()

    def _rest(self, seconds: float) -> bool:
        """Wait before the next attempt, letting pictures go by; returns whether the end came."""
        until = time.monotonic() + seconds
        try:
            while (left := until - time.monotonic()) > 0:
                self._slot.poll(left)
        except ClosedError:
            return True
        return False
