"""The newest drawing, which shows in every frame until the engine has made the next one."""

from __future__ import annotations

import threading
from dataclasses import replace

from realtime.observe import Observation
from realtime.stages import Drawing

STALE = 1.0  # seconds for which a drawing is moved along; then its face has no toon any more


class LatestDrawing:
    """Hands drawings from the thread that draws to the one that pastes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: tuple[Drawing, float] | None = None
        self._shown: Drawing | None = None

    def put(self, seen: Observation) -> None:
        """A frame has been drawn, or passed the engine without a drawing."""
        with self._lock:
            captured = seen.result.frame.captured
            self._newest = (seen.drawing, captured) if seen.drawing else None

    def give(self, seen: Observation) -> Observation:
        """A frame that is `moving`, with the newest drawing.

        There is none before the first one, or if the newest is from more than `STALE` seconds
        before the frame: an engine that hangs must not show a face that has stopped.
        """
        with self._lock:
            if not self._newest or seen.result.frame.captured - self._newest[1] > STALE:
                return seen
            drawing = self._newest[0]
            again, self._shown = drawing is self._shown, drawing
        return replace(seen, drawing=drawing, result=replace(seen.result, moved=again))
