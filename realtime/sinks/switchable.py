"""A recording that is started and stopped while pictures run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from engines.say import Say
from realtime.guard import Output
from realtime.sinks.files import Recording


class Switchable:
    """A sink that the record key starts and stops; each start makes a new file."""

    live = False
    local = False

    def __init__(self, make: Callable[[], Recording], say: Say) -> None:
        self.name = "recording"
        self._make = make
        self._say = say
        self._lock = threading.Lock()
        self._current: Recording | None = None

    @property
    def path(self) -> Path | None:
        """The file at hand; None while nothing is recorded."""
        current = self._current
        return current.path if current else None

    def toggle(self) -> None:
        """Start, or finish the file."""
        with self._lock:
            if self._current is None:
                self._current = self._make()
                self._say(f"Recording to {self._current.path}.")
                return
            recording, self._current = self._current, None
        recording.close()
        self._say(f"Recorded {recording.path}.")

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
