"""When the tracker starts on a frame, whether there is time for more, whether toons must move.

An engine that keeps up with the camera draws every frame that goes out. One that does not would
hold up every frame. Then toons move: each frame goes out as soon as it is tracked, with the newest
drawing placed where its faces are, and the engine draws as many frames as it can beside that.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Any

import numpy as np

from realtime.clocks import StageClock
from realtime.frame import Frame
from realtime.slots import Slot

PATIENCE = (0.25, 2.0)  # seconds without a result before the guard fills in: least and most
LONGEST_WAIT = 0.25  # seconds that the tracker waits for its turn, at most
SLOW = 1.25  # intervals of the camera from one drawing to the next, above which toons must move
BUSY = 0.6  # share of that interval that a drawing must take for the engine to be the reason
QUICK = 0.5  # share of it that a drawing takes when the engine keeps up again
TOO_SLOW = 0.45  # seconds from one drawing to the next, above which a toon would be moved too long
SETTLING = 5  # drawings before the pace is judged
LEAST_MOVING = 2.0  # seconds for which toons move, at least
BURST = 0.1  # seconds of the budget that may be saved up
LONGEST_REST = 0.35  # seconds that the engine rests after a drawing, at most: two a second are due
HEAD_START = 0.005  # the tracker aims to be done this many seconds before the stylizer is free


class Budget:
    """How much of the machine's processor the whole process may take.

    Only the engine can wait; all else is due with every frame. So it rests after each drawing,
    until what was used is paid for (a token bucket).

    Args:
        share: 0..1 of all cores that this process may run on.
    """

    def __init__(self, share: float) -> None:
        self._cores = share * usable_cores()  # seconds of processor a second
        self._credit = 0.0
        self._last = (time.monotonic(), time.process_time())

    def owed(self) -> float:
        """Seconds to rest now: 0 if the budget is not used up, `LONGEST_REST` at most."""
        now, used = time.monotonic(), time.process_time()
        earned = (now - self._last[0]) * self._cores
        self._credit += earned - (used - self._last[1])
        self._credit = min(self._credit, BURST * self._cores)
        self._last = (now, used)
        return min(max(-self._credit / self._cores, 0.0), LONGEST_REST)


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Patience:
    """How long the next picture is waited for before the guard fills in for it.

    Args:
        rate: pictures a second that go out while the guard fills in.

    Attributes:
        seconds: the longest wait. At the start nothing is there to look at, so there is none.
    """

    def __init__(self, rate: float) -> None:
        self.seconds = 0.0
        self._rate = rate
        self._arrivals: deque[float] = deque(maxlen=15)

    def filled_in(self) -> None:
        """The guard filled in."""
        self.seconds = 1 / self._rate

    def arrived(self, now: float) -> None:
        """A picture came, at so many monotonic seconds."""
        self._arrivals.append(now)
        steps = np.diff(self._arrivals)
        usual = float(np.median(steps)) if len(steps) else 0.0
        self.seconds = min(PATIENCE[1], max(PATIENCE[0], 3 * usual))


class Pace:
    """The pace of one run, from the time that its stages take.

    Args:
        paced: pictures happen in real time; else every frame counts and nothing is ever late.
        shared: the engine computes on the cores on which all else runs.
        moves: toons may move with their faces while the engine cannot keep up.
        cpu: share of the machine's processor that may be taken, 0..1; None for all of it.

    Attributes:
        newest: the newest captured frame.
        tracking, drawing: unlike the statistics', these count frames without faces.
        free: set while the engine has nothing to do.
        moving: whether toons move now.
    """

    def __init__(
        self, paced: bool, shared: bool, moves: bool = False, cpu: float | None = None
    ) -> None:
        self.newest: Frame | None = None
        self.tracking = StageClock()
        self.drawing = StageClock()
        self.free = threading.Event()
        self.free.set()
        self._paced = paced
        self._shared = shared
        self._moves = paced and moves
        self._budget = None if cpu is None else Budget(cpu)
        self._resting = StageClock()
        self.moving = False
        self._switched = -float("inf")
        self._begun = 0.0  # when the last drawing that frames wait for was begun
        self._between = StageClock()  # from one of them to the next
        self._arriving = StageClock()  # from one captured frame to the next

    def captured(self, frame: Frame) -> None:
        """Note the next frame."""
        if self.newest:
            self._arriving.add(frame.captured - self.newest.captured)
        self.newest = frame

    def drew(self) -> None:
        """The engine has made a drawing; without a budget it is free."""
        if not self._budget:
            self.free.set()

    def rest(self, stopped: threading.Event) -> None:
        """After a drawing was handed on, wait until the budget, if there is one, allows the next.

        Args:
            stopped: ends the wait.
        """
        if self._budget:
            owed = self._budget.owed()
            self._resting.add(owed)
            stopped.wait(owed)
            self.free.set()

    def begin(self) -> None:
        """The tracker hands over a frame that waits for its own drawing."""
        self.free.clear()
        now = time.monotonic()
        if self._begun:
            self._between.add(now - self._begun)
        self._begun = now

    def choose(self) -> bool:
        """Decide, before the next frame is tracked, whether toons move; see `moving`."""
        if not self._moves:
            return False
        arriving = self._arriving.usual()
        drawing = self.drawing.usual() + self._resting.usual()
        if self.moving:
            settled = time.monotonic() - self._switched > LEAST_MOVING
            if settled and not QUICK * arriving <= drawing <= TOO_SLOW:
                self._switch(False)
        elif self._between.count >= SETTLING:
            waits = self._between.usual() > SLOW * arriving
            if waits and 0 < BUSY * arriving < drawing < TOO_SLOW:
                self._switch(True)
        return self.moving

    def _switch(self, moving: bool) -> None:
        if moving:
            self.free.wait(LONGEST_WAIT)  # the frame that waits for its drawing comes first
        self.moving, self._switched = moving, time.monotonic()
        self._begun, self._between = 0.0, StageClock()

    def await_turn(self, tracked: Slot[Any], stopped: threading.Event) -> None:
        """Live, wait until a frame tracked from now on is done when the stylizer can take it.

        Args:
            tracked: where the stylizer takes its frames from.
            stopped: ends the wait.
        """
        if not self._paced or self.choose():
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
