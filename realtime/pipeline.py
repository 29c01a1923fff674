"""The loop: capture, track, stylise, paste and send, each in its own thread, one frame apart.

Live, the hand-over between two threads holds one frame and the newest wins, so nothing waits and
nothing grows. For files it holds one frame too, but the faster side waits and nothing is lost.

Live, the tracker takes the newest frame just in time for the stylizer: tracking frames that a newer
one replaces would slow down the toons. What is not needed to draw a frame's toons, the search for
strangers, the guard's watch, a closer look at the known faces, comes after. Where the engine
computes on the cores that all this runs on, all its threads wait for the one that has to share a
core; there nothing else runs until it is done.
"""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from engines.errors import ToonifyError
from realtime.clocks import StageClock, Statistics
from realtime.controls import Controls
from realtime.frame import Frame
from realtime.guard import Guard, Output, Result
from realtime.job import Job, Verdict
from realtime.process import signals, single_threaded_opencv
from realtime.sinks import Sink
from realtime.sinks.files import on_green
from realtime.sinks.runner import SinkRunner
from realtime.slots import ClosedError, Slot
from realtime.sources import Report, Source
from realtime.stages import Stylizer, Tracker, Watch, Window

PATIENCE = (0.25, 2.0)  # seconds without a result before the guard fills in: least and most
HEAD_START = 0.005  # seconds before the stylizer is free by which the tracker means to be done
SEARCH = 0.004  # seconds that a look for strangers takes, about
STOP_TIMEOUT = 3.0  # seconds given to a thread that hangs, and to live sinks, at the end
FINISH_TIMEOUT = 60.0  # seconds given to files to be finished


class Pipeline:
    """One run from a source to its sinks.

    rate: pictures a second that go out while the guard fills in.
    paced: pictures happen in real time: late ones are replaced, failures are lived with. Else
        every frame counts, and the first failure ends the run.
    watch: asked about every frame unless the guard's mode is `pass`.
    shared: the engine computes on the cores on which all else runs.
    window: served from the main thread; given the untooned picture too.
    on_output: called with every picture that went out.
    green: sinks get the toons on green instead of the whole picture.
    """

    def __init__(
        self,
        source: Source,
        tracker: Tracker,
        stylizer: Stylizer,
        guard: Guard,
        sinks: Sequence[Sink],
        controls: Controls,
        report: Report,
        *,
        rate: float,
        paced: bool = True,
        green: bool = False,
        watch: Watch | None = None,
        shared: bool = False,
        window: Window | None = None,
        about: dict[str, object] | None = None,
        on_output: Callable[[Output], None] | None = None,
    ) -> None:
        self.statistics = Statistics(**(about or {}))
        self.failure: Exception | None = None
        self.interrupted = False  # whether something else than the source's end ended the run
        self._source = source
        self._tracker = tracker
        self._stylizer = stylizer
        self._guard = guard
        self._controls = controls
        self._report = report
        self._rate = rate
        self._paced = paced
        self._green = green
        self._watch = watch
        self._shared = shared
        self._window = window
        self._on_output = on_output
        self._runners = [SinkRunner(sink, report, wait=not paced) for sink in sinks]
        self._captured: Slot[Frame] = Slot(wait=not paced)
        self._tracked: Slot[Job] = Slot(wait=not paced)
        self._unwatched: Slot[Job] = Slot(wait=True)
        self._drawn: Slot[Job] = Slot(wait=not paced)
        self._stylized: Slot[Job] = Slot(wait=not paced)
        self._free = threading.Event()  # the engine has nothing to do
        self._free.set()
        self._tracking = StageClock()  # unlike the statistics', these count frames without faces
        self._drawing = StageClock()
        self._arriving = StageClock()  # from one captured frame to the next
        self._newest: Frame | None = None
        self._ended = threading.Event()
        self._problems: dict[str, str] = {}

    def run(self) -> None:
        """Run until the source ends, `controls.stop` or a signal; call from the main thread.

        Raises what ended the run early, or what a sink that failed to the last said.
        """
        threads = [
            threading.Thread(target=self._staged, args=(work, slots), name=name, daemon=True)
            for name, work, slots in (
                ("capture", self._capture, [self._captured]),
                ("track", self._track, [self._captured, self._tracked]),
                ("stylize", self._stylize, [self._tracked, self._unwatched, self._drawn]),
                ("watch", self._look_out, [self._unwatched]),
                ("paste", self._paste, [self._drawn, self._stylized]),
                ("send", self._send, [self._stylized]),
            )
        ]
        with signals(self._controls), single_threaded_opencv():
            for runner in self._runners:
                runner.start()
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

    def snapshot(self) -> dict[str, object]:
        """All numbers of the run so far."""
        self.statistics.dropped = {
            "before tracking": self._captured.dropped,
            "before stylizing": self._tracked.dropped,
            "before pasting": self._drawn.dropped,
            "before sending": self._stylized.dropped,
            **{f"before {runner.sink.name}": runner.dropped for runner in self._runners},
        }
        return self.statistics.snapshot()

    def _stop(self, threads: Sequence[threading.Thread]) -> None:
        self.interrupted = self._controls.stopped.is_set()
        self._controls.stop()
        self._source.close()
        if self._paced:
            slots = (self._captured, self._tracked, self._unwatched, self._drawn, self._stylized)
            for slot in slots:
                slot.close()
        deadline = time.monotonic() + (STOP_TIMEOUT if self._paced else FINISH_TIMEOUT)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self._report(f"The {thread.name} stage hangs and is left behind.")
        for runner in self._runners:
            if runner.sink.live:
                runner.put(self._guard.farewell().for_others())
        for runner in self._runners:
            if not runner.stop(STOP_TIMEOUT if runner.sink.live else FINISH_TIMEOUT):
                self._report(f"The {runner.sink.name} hangs and is left behind.")
            if runner.failed and not self.failure:
                self.failure = ToonifyError(runner.failed)
        if self._window:
            self._window.close()

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
        frames = self._source.frames()
        while not self._controls.stopped.is_set():
            with self.statistics.stages["capture"].timed():
                frame = next(frames, None)
            if frame is None:
                return
            self.statistics.captured.tick(frame.timestamp)
            if self._controls.mirror:
                frame = frame.mirrored()
            if self._newest:
                self._arriving.add(frame.timestamp - self._newest.timestamp)
            self._newest = frame
            self._captured.put(frame)

    def _track(self) -> None:
        while True:
            if self._paced:
                self._await_turn()
            frame = self._captured.get()
            assert frame
            job = Job(Result(frame, None, None, (), frozenset()))
            with self._tracking.timed(), self._lived_with("face tracker"):
                with self.statistics.stages["track"].timed():
                    faces = self._tracker.update(frame)
                job = replace(job, result=replace(job.result, faces=faces))
            self._free.clear()
            self._tracked.put(job)
            if self._shared:
                self._free.wait(PATIENCE[0])
            self._look_closer(job)

    def _look_closer(self, job: Job) -> None:
        """What the tracker does when the toons of a frame are on their way."""
        suspected = self._watch.suspected if self._watch and self._watching else ()
        ask = partial(self._tracker.search, suspected, self._hurried(SEARCH))
        self._settle("search", job.search, ask)
        clock = self.statistics.stages["look"]
        with self._lived_with("closer look"):
            start = time.perf_counter()
            if self._tracker.look(self._hurried(clock.usual())):
                clock.add(time.perf_counter() - start)

    def _settle(self, name: str, verdict: Verdict, ask: Callable[[], bool]) -> None:
        """Ask who looks for strangers; whoever cannot say counts as having seen one."""
        try:
            with self._lived_with(name), self.statistics.stages[name].timed():
                verdict.set_result(ask())
        finally:
            if not verdict.done():
                verdict.set_result(True)

    def _hurried(self, seconds: float) -> bool:
        """Whether the next frame would have to wait for work of so many seconds begun now."""
        if not self._paced or not self._newest:
            return False
        due = self._newest.timestamp + self._arriving.usual()
        return self._captured.filled or time.monotonic() + seconds > due

    @property
    def _watching(self) -> bool:
        return self._guard.mode != "pass"

    def _await_turn(self) -> None:
        """Wait until a frame tracked from now on is done when the stylizer can take it."""
        if self._shared:
            self._free.wait(PATIENCE[0])
            return
        self._tracked.await_taken(PATIENCE[0])
        free = self._tracked.taken + self._drawing.usual()
        early = free - self._tracking.usual() - HEAD_START - time.monotonic()
        self._controls.stopped.wait(min(max(early, 0.0), PATIENCE[0]))

    def _stylize(self) -> None:
        while True:
            job = self._tracked.get()
            assert job
            with self._drawing.timed():
                if job.result.faces and self._controls.toon:
                    with self._lived_with("engine"), self.statistics.stages["stylize"].timed():
                        paste = self._stylizer.draw(job.result.frame, job.result.faces)
                        job = replace(job, paste=paste)
            self._free.set()
            if self._watch and self._watching:
                self._unwatched.put(job)
            else:
                # Under `pass` nobody looks: whoever changes the mode meanwhile finds a doubt.
                job.watch.set_result(self._watch is not None)
            self._drawn.put(job)

    def _look_out(self) -> None:
        try:
            while True:
                job = self._unwatched.get()
                assert job
                assert self._watch
                ask = partial(self._watch.alarmed, job.result.frame, job.result.faces)
                self._settle("watch", job.watch, ask)
        finally:
            for job in self._unwatched.drain():  # somebody waits for the verdict
                job.watch.set_result(True)

    def _paste(self) -> None:
        while True:
            job = self._drawn.get()
            assert job
            if job.paste:
                with self._lived_with("compositor"), self.statistics.stages["paste"].timed():
                    done = job.paste()
                    result = replace(
                        job.result, image=done.image, alpha=done.alpha, covered=done.covered
                    )
                    job = replace(job, result=result)
            self._stylized.put(job)

    def _send(self) -> None:
        arrivals: deque[float] = deque(maxlen=15)
        patience = 0.0  # at the start nothing is there to look at, so the guard fills in at once
        while not self._controls.stopped.is_set() or not self._paced:
            try:
                job = self._stylized.get(timeout=patience if self._paced else None)
            except ClosedError:
                break
            now = time.monotonic()
            if job is None:
                self._deliver(self._guard.fill(self._newest, now), None)
                patience = 1 / self._rate
                continue
            arrivals.append(now)
            steps = np.diff(arrivals)
            usual = statistics.median(steps) if len(steps) else 0.0
            patience = min(PATIENCE[1], max(PATIENCE[0], 3 * usual))
            with self.statistics.stages["guard"].timed():
                stranger = job.stranger(PATIENCE[0] if self._paced else None)
                output = self._guard.admit(replace(job.result, stranger=stranger))
            if output:
                self._deliver(output, output.timestamp)
        if not self._paced and (self._controls.stopped.is_set() or self.failure):
            return  # a later run will make the rest of the file, with frames to look ahead to
        for output in self._guard.finish():
            self._deliver(output, None)

    def _deliver(self, output: Output, captured: float | None) -> None:
        if self._green:
            output = replace(output, image=on_green(output))
        public = output.for_others()
        for runner in self._runners:
            runner.put(output if runner.sink.local else public)
            if runner.failed and not self._paced:
                raise ToonifyError(runner.failed)
        if self._window:
            self._window.show(output)
        now = time.monotonic()
        self.statistics.note_sent(output.kind, now, None if captured is None else now - captured)
        if self._on_output:
            self._on_output(public)

    @contextlib.contextmanager
    def _lived_with(self, part: str) -> Iterator[None]:
        """Live, a failure is told once and the guard takes over until it is past."""
        try:
            yield
        except Exception as error:
            if not self._paced:
                raise
            if self._problems.get(part) != repr(error):
                self._problems[part] = repr(error)
                self._report(f"The {part} failed ({error or type(error).__name__}); going on.")
        else:
            if self._problems.pop(part, None):
                self._report(f"The {part} works again.")
