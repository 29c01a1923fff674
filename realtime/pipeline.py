"""The loop: capture, track, draw, finish, paste and send, each in its own thread, one frame apart.

Live, the hand-over between two threads holds one frame and the newest wins, so nothing waits and
nothing grows. For files it holds one frame too, but the faster side waits and nothing is lost.

Live, the tracker takes the newest frame just in time for the stylizer: tracking frames that a newer
one replaces would slow down the toons. What is not needed to draw a frame's toons comes after: the
search for strangers, the stranger detector, detecting a known face again. An engine that shares the
cores with all this is as slow as its slowest thread, so nothing else runs beside one at work.

Live, an engine that is slower than the camera holds nothing up either (see `realtime.pace`): frames
pass it by, and go out with the newest drawing moved along with their faces.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from engines.say import Say
from realtime.clocks import Statistics
from realtime.controls import Controls
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.guard import Output
from realtime.observe import PARTS, Observation, Observer
from realtime.pace import PATIENCE, Pace, Patience
from realtime.process import signals, tuned_for_threads
from realtime.sinks import Sink
from realtime.sinks.outlets import FINISH_TIMEOUT, Outlets
from realtime.slots import ClosedError, Slot
from realtime.sources import Source
from realtime.stages import Strangers, Stylizer, Tracker, Window
from realtime.toons.latest import LatestDrawing

SEARCH = 0.004  # seconds that a search for strangers takes, about
STOP_TIMEOUT = 3.0  # seconds given to the threads of a live run at the end


class Pipeline:
    """One run from a source to its sinks.

    Args:
        controls: the switches of the run; their guard decides what goes out.
        rate: pictures a second that go out while the guard fills in.
        paced: pictures happen in real time: late ones are replaced, failures are tolerated. Else
            every frame counts, and the first failure ends the run.
        green: sinks get the toons on green instead of the whole picture.
        strangers: asked about every frame unless the guard's mode is `pass`.
        shared: the engine computes on the cores on which all else runs.
        moves: toons may move with their faces while the engine cannot keep up.
        cpu: share of the machine's processor that may be taken, 0..1; None for all of it.
        window: served from the main thread; given the untooned picture too.
        about: what runs, for the statistics.
        on_output: called with every picture that went out.
    """

    def __init__(
        self,
        source: Source,
        tracker: Tracker,
        stylizer: Stylizer,
        sinks: Sequence[Sink],
        controls: Controls,
        say: Say,
        *,
        rate: float,
        paced: bool = True,
        green: bool = False,
        strangers: Strangers | None = None,
        shared: bool = False,
        moves: bool = False,
        cpu: float | None = None,
        window: Window | None = None,
        about: dict[str, object] | None = None,
        on_output: Callable[[Output], None] | None = None,
    ) -> None:
        self.statistics = Statistics(**(about or {}))
        self.failure: Exception | None = None
        self.interrupted = False  # whether something else than the source's end ended the run
        self.source, self.size, self.rate = source, source.size, rate
        self._guard = controls.guard
        self._observer = Observer(
            tracker,
            stylizer,
            controls.guard,
            say,
            strangers=strangers,
            statistics=self.statistics,
            tolerated=PARTS if paced else (),
        )
        self._controls = controls
        self._say = say
        self._paced = paced
        self._window = window
        self.outlets = Outlets(
            sinks, say, self.statistics, paced=paced, green=green, window=window, listener=on_output
        )
        self.faces: Sequence[TrackedFace] = ()  # of the newest frame that reached the guard
        self._captured: Slot[Frame] = Slot(wait=not paced)
        self._tracked: Slot[Observation] = Slot(wait=not paced)
        self._unwatched: Slot[Observation] = Slot(wait=True)
        self._unfinished: Slot[Observation] = Slot(wait=True)  # or engines would draw in vain
        self._drawn: Slot[Observation] = Slot(wait=not paced)
        self._stylized: Slot[Observation] = Slot(wait=not paced)
        self._latest = LatestDrawing()
        self._pace = Pace(paced, shared, moves, cpu)
        self._ended = threading.Event()

    def run(self) -> None:
        """Run until the source ends, `controls.stop` or a signal; call from the main thread.

        Raises:
            Exception: what ended the run early, or the error of a sink that kept failing.
        """
        threads = [
            threading.Thread(target=self._staged, args=(work, slots), name=name, daemon=True)
            for name, work, slots in (
                ("capture", self._capture, [self._captured]),
                ("track", self._track, [self._captured, self._tracked]),
                ("stylize", self._stylize, [self._tracked, self._unwatched, self._unfinished]),
                ("finish", self._finish, [self._unfinished, self._drawn]),
                ("watch", self._watch, [self._unwatched]),
                ("paste", self._paste, [self._drawn, self._stylized]),
                ("send", self._send, [self._stylized]),
            )
        ]
        with signals(self._controls), tuned_for_threads():
            self.outlets.start()
            for thread in threads:
                thread.start()
            try:
                while not (self._ended.is_set() or self._controls.stopped.is_set()):
                    if self._window:
                        self._window.pump()
                    else:
                        self._ended.wait(0.05)
            finally:
                self._stop(threads)
        if self.failure:
            raise self.failure

    def snapshot(self) -> dict[str, Any]:
        """All numbers of the run so far."""
        self.statistics.dropped = {
            "before tracking": self._captured.dropped,
            "before stylizing": self._tracked.dropped,
            "before pasting": self._drawn.dropped,
            "before sending": self._stylized.dropped,
            **self.outlets.dropped,
        }
        return self.statistics.snapshot()

    def _stop(self, threads: Sequence[threading.Thread]) -> None:
        self.interrupted = self._controls.stopped.is_set()
        self._controls.stop()
        self.source.close()
        if self._paced:
            for slot in self._captured, self._tracked, self._unwatched, self._drawn, self._stylized:
                slot.close()
            self._unfinished.close()
        deadline = time.monotonic() + (limit := STOP_TIMEOUT if self._paced else FINISH_TIMEOUT)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self._say(f"The {thread.name} stage did not stop within {limit:g} s.")
        failure = self.outlets.stop(self._guard.farewell())
        self.failure = self.failure or failure

    def _staged(self, work: Callable[[], None], slots: Sequence[Slot]) -> None:
        """Run one stage; its end, whatever the reason, ends the stages before and after it."""
        try:
            work()
        except ClosedError:
            pass
        except Exception as error:
            self.failure = self.failure or error
        finally:
            for slot in slots:
                slot.close()
            if work == self._send:
                self._ended.set()

    def _capture(self) -> None:
        frames = self.source.frames()
        while not self._controls.stopped.is_set():
            with self.statistics.stages["capture"].timed():
                frame = next(frames, None)
            if frame is None:
                return
            self.statistics.captured.tick(frame.captured)
            if self._controls.mirror:
                frame = frame.mirrored()
            self._pace.captured(frame)
            self._captured.put(frame)

    def _track(self) -> None:
        before: Observation | None = None
        while True:
            self._pace.await_turn(self._tracked, self._controls.stopped)
            frame = self._captured.get()
            with self._pace.tracking.timed():
                seen = self._observer.track(frame)
            if self._pace.moving:
                self._pass_by(seen)
            else:
                self._pace.begin()
                self._tracked.put(seen)
                self._pace.await_engine()
            if before and not self._paced and self._observer.watching:
                before.watch.result()  # the search must know these strangers, even if late
            self._observer.search(seen, self._is_late(SEARCH))
            self._observer.refresh(self._is_late(self.statistics.stages["refresh"].usual()))
            before = seen

    def _pass_by(self, seen: Observation) -> None:
        """Send a frame on at once, with the toons of an earlier one; the engine may draw it too."""
        seen = replace(seen, moving=True)
        self._drawn.put(seen)
        self._tracked.put(seen, spare=True)
        if self._observer.needs_watch(seen):
            self._unwatched.put(seen)

    def _is_late(self, seconds: float) -> bool:
        return self._pace.is_late(seconds, self._captured.filled)

    def _stylize(self) -> None:
        while True:
            seen = self._tracked.get()
            try:
                with self._pace.drawing.timed():
                    if self._controls.toon:
                        seen = self._observer.draw(seen)
                    self._unfinished.put(seen)
                self._pace.drew()
                if not seen.moving and self._observer.needs_watch(seen):
                    self._unwatched.put(seen)
            except BaseException:
                if not seen.moving:
                    seen.doubt()
                raise
            self._pace.rest(self._controls.stopped)

    def _finish(self) -> None:
        while True:
            seen = self._observer.finish(self._unfinished.get())
            self._latest.put(seen)
            if not seen.moving:  # else it has gone out already
                self._drawn.put(seen)

    def _watch(self) -> None:
        try:
            while True:
                seen = self._unwatched.get()
                if not self._paced:
                    seen.search.result()  # see `_track`
                self._observer.watch(seen)
        finally:
            for seen in self._unwatched.drain():  # another thread waits for the verdict
                seen.doubt()

    def _paste(self) -> None:
        newest = -1
        while True:
            seen = self._drawn.get()
            if seen.result.frame.number < newest:
                continue  # overtaken by frames that did not wait for their drawing
            newest = seen.result.frame.number
            if seen.moving and self._controls.toon:
                seen = self._latest.give(seen)
            self._stylized.put(self._observer.paste(seen))

    def _send(self) -> None:
        patience = Patience(self.rate)
        while not self._controls.stopped.is_set() or not self._paced:
            try:
                seen = (
                    self._stylized.poll(patience.seconds) if self._paced else self._stylized.get()
                )
            except ClosedError:
                break
            now = time.monotonic()
            if seen is None:
                self.outlets.deliver(self._guard.fill(self._pace.newest, now), None)
                patience.filled_in()
                continue
            patience.arrived(now)
            with self.statistics.stages["guard"].timed():
                result = seen.conclude(PATIENCE[0] if self._paced else None)
                output = self._guard.admit(result)
            self.faces = result.faces
            if output:
                self.outlets.deliver(output, output.captured)
        if not self._paced and (self._controls.stopped.is_set() or self.failure):
            return  # a later run will make the rest of the file, with frames to look ahead to
        for output in self._guard.finish():
            self.outlets.deliver(output, None)
