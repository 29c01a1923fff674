"""The guarded order, written once: track, draw, search, watch -> the guard's `Result` of a frame.

Everything that shows pictures goes through an `Observer`. The pipeline calls its steps one by one,
each from its own thread; `Toonifier` runs them all in one thread. Two rules hold everywhere:

- A part that looks for strangers and fails counts as having seen one.
- Under the guard's mode `pass` the stranger detector is not asked. A frame that was made under it
  counts as doubtful, in case the mode is changed before it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent import futures
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from engines.say import Say
from realtime.clocks import Statistics
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.guard import Guard, Result
from realtime.stages import Drawing, Strangers, Stylizer, Tracker

LOOKOUTS = ("search", "stranger detector", "refresh")
"""Parts that look for faces beside the tracker; without them a picture can still be made."""
PARTS = ("face tracker", "engine", "finisher", "compositor", *LOOKOUTS)
"""All parts that may fail, by the names used in messages."""

Verdict = futures.Future[bool]
"""Whether a stranger is seen in a frame; known a little later."""


@dataclass(frozen=True, eq=False)
class Observation:
    """A frame on its way, and what is known of it so far.

    Attributes:
        result: what the guard will be given, but for `stranger`.
        search: whether the tracker's search finds a face that is not in the result.
        watch: whether the stranger detector sees one.
        drawing: the toons; None before they are drawn.
        moving: whether it goes out with the toons of an earlier frame, moved with their faces.
    """

    result: Result
    search: Verdict = field(default_factory=Verdict)
    watch: Verdict = field(default_factory=Verdict)
    drawing: Drawing | None = None
    moving: bool = False

    def conclude(self, timeout: float | None = None) -> Result:
        """The result for the guard. A verdict that is not there after `timeout` seconds (None:
        waits for it) counts as a stranger."""
        try:
            stranger = any(verdict.result(timeout) for verdict in (self.search, self.watch))
        except futures.TimeoutError:
            stranger = True
        return replace(self.result, stranger=stranger)

    def doubt(self) -> None:
        """This frame will not be watched any more, so it counts as one with a stranger."""
        if not self.watch.done():
            self.watch.set_result(True)


class Observer:
    """Makes the guard's `Result` of each frame.

    `observe` and `still` do it all in the calling thread. With several threads, call the steps in
    this order for each frame: `track`, `draw`, `finish`, `paste` and, beside these two, `search`,
    `refresh` and (if `needs_watch`) `watch`; at last `Observation.conclude`.

    Args:
        guard: whose mode says whether strangers are watched for.
        strangers: the stranger detector; None if there is none.
        statistics: takes the time of every step.
        tolerated: those of `PARTS` whose failures are reported once while work continues; other
            failures are raised.
    """

    def __init__(
        self,
        tracker: Tracker,
        stylizer: Stylizer,
        guard: Guard,
        say: Say,
        *,
        strangers: Strangers | None = None,
        statistics: Statistics | None = None,
        tolerated: Collection[str] = PARTS,
    ) -> None:
        self.statistics = statistics or Statistics()
        self._tracker = tracker
        self._stylizer = stylizer
        self._guard = guard
        self._say = say
        self._strangers = strangers
        self._tolerated = tolerated
        self._problems: dict[str, str] = {}

    def observe(self, frame: Frame) -> Result:
        """The result of the next frame of a stream, all in this thread."""
        seen = self.paste(self.finish(self.draw(self.track(frame))))
        self.search(seen)
        if self.needs_watch(seen):
            self.watch(seen)
        self.refresh()
        return seen.conclude()

    def still(self, frame: Frame) -> Result:
        """The result of a single picture, all in this thread; nothing is remembered."""
        seen = self._tracked(frame, lambda: self._tracker.still(frame.image))
        seen = self.paste(self.finish(self.draw(seen)))
        seen.search.set_result(False)  # the tracker has just looked everywhere
        if self.needs_watch(seen) and (strangers := self._strangers):
            ask = partial(strangers.sees_stranger, frame.image, seen.result.faces)
            self._ask("watch", "stranger detector", seen.watch, ask)
        return seen.conclude()

    def track(self, frame: Frame) -> Observation:
        """Find the known faces in the next frame."""
        return self._tracked(frame, lambda: self._tracker.update(frame))

    def draw(self, seen: Observation) -> Observation:
        """Draw the toons, if there are faces."""
        result = seen.result
        if result.faces:
            with self._tolerate("engine"), self._timed("stylize"):
                seen = replace(seen, drawing=self._stylizer.draw(result.frame, result.faces))
        return seen

    def finish(self, seen: Observation) -> Observation:
        """Make the toons, if any, ready to be pasted; without them if that fails."""
        if not seen.drawing:
            return seen
        with self._tolerate("finisher"), self._timed("finish"):
            seen.drawing.finish()
            return seen
        return replace(seen, drawing=None)

    def paste(self, seen: Observation) -> Observation:
        """Put the drawn toons, if any, into the frame."""
        drawing, result = seen.drawing, seen.result
        if drawing:
            with self._tolerate("compositor"), self._timed("paste"):
                frame, faces = result.frame, result.faces
                done = drawing.move(frame, faces) if seen.moving else drawing.paste()
                result = replace(
                    result,
                    image=done.image,
                    alpha=done.alpha,
                    covered=done.covered,
                    heads=done.heads,
                )
                seen = replace(seen, result=result)
        return seen

    def search(self, seen: Observation, late: bool = False) -> None:
        """Search the frame tracked last for faces that are not followed.

        Args:
            late: the next frame would have to wait; search only as much as needed.
        """

        def ask() -> bool:
            suspected = self._strangers.suspected if self._strangers and self.watching else ()
            return self._tracker.search(suspected, late)

        self._ask("search", "search", seen.search, ask)

    def refresh(self, late: bool = False) -> None:
        """Detect one of the known faces again in the frame tracked last, if one is due.

        Args:
            late: the next frame would have to wait; put off what is not urgent.
        """
        with self._tolerate("refresh"):
            start = time.perf_counter()
            if self._tracker.refresh(late):
                self.statistics.stages["refresh"].add(time.perf_counter() - start)

    @property
    def watching(self) -> bool:
        """Whether the stranger detector is asked now."""
        return self._strangers is not None and self._guard.mode != "pass"

    def needs_watch(self, seen: Observation) -> bool:
        """Whether `watch` must be called for a frame; if not, its verdict is given here."""
        if self.watching:
            return True
        seen.watch.set_result(self._strangers is not None)
        return False

    def watch(self, seen: Observation) -> None:
        """Ask the stranger detector about a frame; frames come in the order of capture."""
        assert self._strangers
        ask = partial(self._strangers.alarmed, seen.result.frame, seen.result.faces)
        self._ask("watch", "stranger detector", seen.watch, ask)

    def _tracked(self, frame: Frame, find: Callable[[], Sequence[TrackedFace]]) -> Observation:
        seen = Observation(Result(frame, None, None, (), frozenset()))
        with self._tolerate("face tracker"):
            with self._timed("track"):
                faces = find()
            seen = replace(seen, result=replace(seen.result, faces=faces))
        return seen

    def _ask(self, stage: str, part: str, verdict: Verdict, ask: Callable[[], bool]) -> None:
        """Ask a part that looks for strangers; if it fails, it counts as having seen one."""
        try:
            with self._tolerate(part), self._timed(stage):
                verdict.set_result(ask())
        finally:
            if not verdict.done():
                verdict.set_result(True)

    def _timed(self, stage: str) -> AbstractContextManager[None]:
        return self.statistics.stages[stage].timed()

    @contextmanager
    def _tolerate(self, part: str) -> Iterator[None]:
        """Report a failure once, and once that it is over; raise it if it is not tolerated."""
        try:
            yield
        except Exception as error:
            if part not in self._tolerated:
                raise
            if self._problems.get(part) != repr(error):
                self._problems[part] = repr(error)
                self._say(f"The {part} failed ({error or type(error).__name__}); going on.")
        else:
            if self._problems.pop(part, None):
                self._say(f"The {part} works again.")
