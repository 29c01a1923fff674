"""What travels through the loop from the tracker on."""

from __future__ import annotations

from concurrent import futures
from dataclasses import dataclass, field

from realtime.guard import Result
from realtime.stages import Paste

Verdict = futures.Future[bool]
"""Whether somebody sees a stranger in a frame, known a little later."""


@dataclass(frozen=True, eq=False)
class Job:
    """A frame on its way, and what the tracker and the watch will say about it."""

    result: Result
    search: Verdict = field(default_factory=Verdict)
    watch: Verdict = field(default_factory=Verdict)
    paste: Paste | None = None

    def stranger(self, timeout: float | None) -> bool:
        """Whether anybody sees a stranger; whoever has not said so in time counts as if."""
        try:
            return any(verdict.result(timeout) for verdict in (self.search, self.watch))
        except futures.TimeoutError:
            return True
