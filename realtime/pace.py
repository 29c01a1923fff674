"""When the tracker starts on a frame, and whether there is time for more."""

from __future__ import annotations

import threading
import time
from typing import Any

from realtime.clocks import StageClock
from realtime.frame import Frame
from realtime.slots import Slot

LONGEST_WAIT = 0.25  # seconds that the tracker waits for its turn, at most
HEAD_START = 0.005  # the tracker aims to be done this many seconds before the stylizer is free


class Pace:
    """The pace of one run, from the time that its stages take.

    Args:
        paced: pictures happen in real time; else every frame counts and nothing is ever late.
        shared: the engine computes on the cores on which all else runs.

    Attributes:
        newest: the newest captured frame.
        tracking, drawing: unlike the statistics', these count frames without faces.
        free: set while the engine has nothing to do.
    """

    def __init__(self, paced: bool, shared: bool) -> None:
        self.newest: Frame | None = None
        self.tracking = StageClock()
        self.drawing = StageClock()
        self.free = threading.Event()
        self.free.set()
        self._paced = paced
        self._shared = shared
        self._arriving = StageClock()  # from one captured frame to the next

    def captured(self, frame: Frame) -> None:
        """Note the next frame."""
        if self.newest:
            self._arriving.add(frame.captured - self.newest.captured)
        self.newest = frame

    def await_turn(self, tracked: Slot[Any], stopped: threading.Event) -> None:
        """Live, wait until a frame tracked from now on is done when the stylizer can take it.

        Args:
            tracked: where the stylizer takes its frames from.
            stopped: ends the wait.
        """
        if not self._paced:
            return
        if self._shared:
            self.free.wait(LONGEST_WAIT)
            return
        tracked.await_taken(LONGEST_WAIT)
        free = tracked.taken + self.drawing.usual()
        early = free - self.tracking.usual() - HEAD_START - time.monotonic()
        stopped.wait(min(max(early, 0.0), LONGEST_WAIT))

    def await_engine(self) -> None:
        """Wait for an engine that needs the cores, after a frame was handed to it."""
        if self._shared:
            self.free.wait(LONGEST_WAIT)

    def is_late(self, seconds: float, waiting: bool) -> bool:
        """Whether work of this many seconds, started now, would make the next frame wait.

        Args:
            waiting: the next frame is there already.
        """
        if not self._paced or not self.newest:
            return False
        due = self.newest.captured + self._arriving.usual()
        return waiting or time.monotonic() + seconds > due
