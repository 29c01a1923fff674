"""Whole runs in which something goes wrong, under every guard mode, with a detector on the output:
under any mode but `pass` no pixel of a raw face may be in any picture, from the first to the last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engines.errors import ToonifyError
from realtime.controls import Controls
from realtime.frame import Frame
from realtime.guard import Guard
from realtime.pipeline import Pipeline
from realtime.settings import GUARD_MODES, GuardSettings, SourceSettings
from realtime.sinks import SinkError
from realtime.sources.camera import CameraSource
from tests.realtime.fakes import (
    BOX,
    SIZE,
    Collector,
    FakeDevice,
    FakeSource,
    MarkerStrangers,
    MarkerStylizer,
    MarkerTracker,
    Messages,
    marked,
    raw_pixels,
)

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


class Run:
    """A live run with fakes; `pictures` is all that came out."""

    def __init__(
        self,
        mode: str,
        source: Any = None,
        tracker: Any = None,
        stylizer: Any = None,
        sinks: list[Any] | None = None,
        paced: bool = True,
        strangers: Any = None,
        shared: bool = False,
        **settings: Any,
    ) -> None:
        self.messages = Messages()
        self.collector = Collector(live=paced)
        self.guard = Guard(mode, GuardSettings(**{"grace": 0.0, **settings}), SIZE, 2)  # type: ignore[arg-type]
        stylizer = stylizer or MarkerStylizer()
        self.controls = Controls(self.guard, stylizer, self.messages)
        self.pictures: list[Any] = []
        self.pipeline = Pipeline(
            source or FakeSource(),
            tracker or MarkerTracker(),
            stylizer,
            [self.collector, *(sinks or [])],
            self.controls,
            self.messages,
            rate=50,
            paced=paced,
            strangers=strangers,
            shared=shared,
            on_output=self.pictures.append,
        )

    def until(self, done: Callable[[], bool], limit: float = 20.0) -> Run:
        """Run until `done` or the source's end."""
        thread = threading.Thread(target=self._watch, args=(done, limit), daemon=True)
        thread.start()
        self.pipeline.run()
        return self

    def _watch(self, done: Callable[[], bool], limit: float) -> None:
        end = time.monotonic() + limit
        while not done() and time.monotonic() < end:
            time.sleep(0.005)
        self.controls.stop()

    def count(self, *kinds: str) -> int:
        return sum(picture.kind in kinds for picture in self.pictures)

    def check(self) -> None:
        """No raw face under any mode but pass; under pass it is there, so the detector works."""
        shown = [raw_pixels(p.image) for p in [*self.pictures, *self.collector.outputs]]
        assert shown
        if self.guard.mode != "pass":
            assert max(shown) == 0
        assert all(p.before is None and p.under is None for p in self.pictures)


def hidden(mode: str, early: bool = False) -> tuple[str, ...]:
    """Kinds of pictures while there is no toon; ``early``: a stranger came in at once, so that
    there is no toon from long enough before to be held."""
    if mode == "hold" and early:
        return "hold", "card"
    return ("raw",) if mode == "pass" else (mode,)


def camera(openings: list[Iterator[Any]], messages: Messages | None = None) -> CameraSource:
    """A camera that gives one script per opening, then cannot be opened."""
    scripts = iter(openings)

    def opener(settings: SourceSettings) -> FakeDevice:
        script = next(scripts, None)
        if script is None:
            raise OSError("no such device")
        return FakeDevice(script)

    return CameraSource(
        SourceSettings(source="0", size=SIZE, fps=100),
        messages if messages is not None else Messages(),
        opener,
        pauses=(0.02,),
        silence=0.3,
    )


def good(count: int, size: tuple[int, int] = SIZE) -> Iterator[Any]:
    for _ in range(count):
        yield marked(size)


@pytest.mark.parametrize("mode", GUARD_MODES)
class TestFaults:
    def test_nothing_wrong(self, mode: str) -> None:
        run = Run(mode)
        run.until(lambda: False)
        run.check()
        assert run.count("toon") > 10
        assert run.collector.kinds[-1] == "card"  # the farewell
        assert run.collector.closed

    def test_the_camera_dies_and_comes_back(self, mode: str) -> None:
        def dying() -> Iterator[Any]:
            yield from good(15)
            yield OSError("unplugged")

        messages = Messages()
        run = Run(mode, source=camera([dying(), good(500)], messages))
        run.until(lambda: any("is back" in line for line in messages) and run.count("toon") > 20)
        run.check()
        assert any("unplugged" in line for line in messages)
        assert any("is back" in line for line in messages)

    def test_the_camera_freezes(self, mode: str) -> None:
        released = threading.Event()

        def freezing() -> Iterator[Any]:
            yield from good(10)
            yield lambda: released.wait(20) and None

        messages = Messages()
        run = Run(mode, source=camera([freezing(), good(500)], messages))
        run.until(lambda: any("is back" in line for line in messages))
        released.set()
        run.check()
        assert any("delivers no pictures" in line for line in messages)
        assert sum(run.count(kind) for kind in hidden(mode)) > 5  # the output went on meanwhile

    def test_the_camera_changes_its_size(self, mode: str) -> None:
        def changing() -> Iterator[Any]:
            yield from good(15)
            yield from good(400, (640, 480))

        def see(frame: Frame) -> list[tuple[int, ...]]:
            return [BOX]

        messages = Messages()
        run = Run(mode, source=camera([changing()], messages), tracker=MarkerTracker(see))
        run.until(lambda: any("changed" in line for line in messages) and run.count("toon") > 40)
        run.check()
        assert {picture.image.shape for picture in run.pictures} == {(240, 320, 3)}
        assert any("640x480" in line for line in messages)

    def test_the_camera_returns_garbage(self, mode: str) -> None:
        def garbage() -> Iterator[Any]:
            yield from good(10)
            for _ in range(40):
                yield np.zeros((0, 0, 3), np.uint8)
            while True:
                yield "not a picture"

        messages = Messages()
        run = Run(mode, source=camera([garbage(), good(500)], messages))
        run.until(lambda: any("is back" in line for line in messages))
        run.check()
        assert any("unusable" in line for line in messages)

    def test_a_sink_blocks(self, mode: str) -> None:
        release = threading.Event()
        stuck = Collector(lambda count: None if count < 3 else release.wait(20) and None)
        run = Run(mode, sinks=[stuck])
        run.until(lambda: run.count("toon") > 20 and not release.set())
        run.check()
        assert len(stuck.outputs) < 10
        assert len(run.collector.outputs) > 20

    def test_a_sink_raises(self, mode: str) -> None:
        def fail(count: int) -> None:
            raise SinkError("The cable of this sink is loose.")

        run = Run(mode, sinks=[Collector(fail)])
        with pytest.raises(ToonifyError, match="loose"):
            run.until(lambda: len(run.collector.outputs) > 20)
        run.check()
        assert len(run.collector.outputs) > 20
        assert sum("loose" in line for line in run.messages) == 1

    def test_the_engine_raises(self, mode: str) -> None:
        def trouble(frame: Frame) -> None:
            if 10 <= frame.number < 20:
                raise RuntimeError("device lost")

        run = Run(mode, FakeSource(total=60), stylizer=MarkerStylizer(trouble))
        run.until(lambda: False)
        run.check()
        assert sum(run.count(kind) for kind in hidden(mode)) >= 3
        assert run.count("toon") > 10
        assert sum("device lost" in line for line in run.messages) == 1
        assert any("engine works again" in line for line in run.messages)

    def test_the_engine_hangs(self, mode: str) -> None:
        woken = threading.Event()

        def trouble(frame: Frame) -> None:
            if frame.number >= 10 and not woken.is_set():
                time.sleep(2.0 if mode == "blur" else 0.6)
                woken.set()

        run = Run(mode, FakeSource(total=1000), stylizer=MarkerStylizer(trouble))
        run.until(lambda: woken.is_set() and run.count("toon") > 12)
        run.check()
        # The output keeps its pace of 50 a second, at least roughly, while the engine hangs.
        assert sum(run.count(kind) for kind in hidden(mode)) > (50 if mode == "blur" else 8)

    def test_the_tracker_loses_the_face(self, mode: str) -> None:
        run = Run(
            mode,
            FakeSource(total=60),
            tracker=MarkerTracker(lambda frame: [] if 15 <= frame.number < 40 else [BOX]),
        )
        run.until(lambda: False)
        run.check()
        assert sum(run.count(kind) for kind in hidden(mode)) > 5
        assert run.count("toon") > 10

    def test_the_tracker_raises(self, mode: str) -> None:
        def see(frame: Frame) -> list[tuple[int, ...]]:
            if 15 <= frame.number < 40:
                raise ValueError("bad graph")
            return [BOX]

        run = Run(mode, FakeSource(total=60), tracker=MarkerTracker(see))
        run.until(lambda: False)
        run.check()
        assert any("bad graph" in line for line in run.messages)

    def test_a_stranger_whom_only_the_watch_sees(self, mode: str) -> None:
        stranger = (240, 20, 300, 90)

        def see(frame: Frame) -> bool:
            time.sleep(0.005)  # later than the toons are drawn
            return 20 <= frame.number < 50

        run = Run(
            mode,
            FakeSource(80, picture=lambda n: marked(boxes=[BOX, stranger][: 1 + (20 <= n < 50)])),
            strangers=MarkerStrangers(see),
        )
        run.until(lambda: False)
        if mode == "pass":
            assert {"toon"} == {picture.kind for picture in run.pictures if picture.timestamp}
        else:
            run.check()
            assert run.count(*hidden(mode, early=True)) > 5
            assert run.count("toon") > 10

    def test_the_watch_raises(self, mode: str) -> None:
        def see(frame: Frame) -> bool:
            if frame.number < 30:
                raise ValueError("no detector")
            return False

        run = Run(mode, FakeSource(total=60), strangers=MarkerStrangers(see))
        run.until(lambda: False)
        run.check()
        told = sum("no detector" in line for line in run.messages)
        assert told == (0 if mode == "pass" else 1)
        assert run.count("toon") > 10

    def test_the_watch_hangs(self, mode: str) -> None:
        woken = threading.Event()

        def see(frame: Frame) -> bool:
            if frame.number >= 10 and not woken.is_set():
                time.sleep(1.1)
                woken.set()
            return False

        run = Run(mode, FakeSource(total=1000), strangers=MarkerStrangers(see))
        run.until(lambda: (woken.is_set() or mode == "pass") and run.count("toon") > 20)
        run.check()
        if mode != "pass":
            assert run.count(*hidden(mode, early=True)) > 3

    def test_somebody_is_found_when_the_toons_are_on_their_way(self, mode: str) -> None:
        stranger = (240, 20, 300, 90)

        def find(frame: Frame) -> bool:
            time.sleep(0.005)  # later than the toons are drawn
            return 20 <= frame.number < 50

        run = Run(
            mode,
            FakeSource(80, picture=lambda n: marked(boxes=[BOX, stranger][: 1 + (20 <= n < 50)])),
            tracker=MarkerTracker(find=find),
        )
        run.until(lambda: False)
        if mode != "pass":
            run.check()
            assert run.count(*hidden(mode, early=True)) > 5
        assert run.count("toon") > 10

    def test_the_search_raises(self, mode: str) -> None:
        def find(frame: Frame) -> bool:
            if frame.number < 30:
                raise ValueError("no detector")
            return False

        run = Run(mode, FakeSource(total=60), tracker=MarkerTracker(find=find))
        run.until(lambda: False)
        run.check()
        assert sum("no detector" in line for line in run.messages) == 1
        assert any("search works again" in line for line in run.messages)
        assert run.count("toon") > 10
        if mode != "pass":  # there is no toon to hold yet
            assert run.count("card" if mode == "hold" else mode) > 5

    def test_the_search_hangs(self, mode: str) -> None:
        woken = threading.Event()

        def find(frame: Frame) -> bool:
            if frame.number >= 10 and not woken.is_set():
                time.sleep(0.8)
                woken.set()
            return False

        run = Run(mode, FakeSource(total=1000), tracker=MarkerTracker(find=find))
        run.until(lambda: woken.is_set() and run.count("toon") > 20)
        run.check()
        assert run.count(*hidden(mode, early=True)) > 3

    def test_pasting_raises(self, mode: str) -> None:
        class Torn(MarkerStylizer):
            def apply(self, frame: Frame, faces: Any) -> Any:
                if 10 <= frame.number < 20:
                    raise RuntimeError("no room")
                return super().apply(frame, faces)

        run = Run(mode, FakeSource(total=60), stylizer=Torn())
        run.until(lambda: False)
        run.check()
        assert sum(run.count(kind) for kind in hidden(mode)) >= 3
        assert run.count("toon") > 10
        assert sum("no room" in line for line in run.messages) == 1

    def test_the_toon_is_switched_off(self, mode: str) -> None:
        run = Run(mode, FakeSource(total=60))
        run.controls.toggle_toon()
        run.until(lambda: len(run.pictures) > 20)
        run.check()
        assert run.count("toon") == 0

    def test_no_face_is_ever_found(self, mode: str) -> None:
        run = Run(mode, tracker=MarkerTracker(lambda frame: []))
        run.until(lambda: False)
        run.check()
        assert run.count("toon") == 0
        if mode == "pass":
            assert max(raw_pixels(picture.image) for picture in run.pictures) > 7000

    def test_the_mode_is_changed_while_running(self, mode: str) -> None:
        run = Run("blur", FakeSource(total=2000), tracker=MarkerTracker(lambda frame: []))
        run.guard.mode = mode  # type: ignore[assignment]
        run.until(lambda: len(run.pictures) > 20)
        run.check()


def test_when_every_frame_counts_none_is_lost_and_order_is_kept() -> None:
    run = Run("blur", FakeSource(total=120, live=False), paced=False)
    run.pipeline.run()
    assert len(run.collector.outputs) == 120
    times = [output.media_time for output in run.collector.outputs]
    assert times == sorted(times)
    assert run.collector.kinds == ["toon"] * 120
    assert sum(run.pipeline.snapshot()["frames_dropped"].values()) == 0


def test_no_frame_is_tracked_that_the_stylizer_cannot_take() -> None:
    tracker = MarkerTracker()
    slow = MarkerStylizer(lambda frame: time.sleep(0.03))
    run = Run("blur", FakeSource(total=200, rate=400), tracker=tracker, stylizer=slow)
    run.until(lambda: False)
    drawn = run.pipeline.snapshot()["stages"]["stylize"]["count"]
    assert drawn > 5
    assert tracker.updates <= drawn + 2
    assert run.pipeline.snapshot()["frames_dropped"]["before stylizing"] <= 2


@pytest.mark.parametrize("paced", [True, False])
def test_nothing_runs_beside_an_engine_that_needs_the_cores(paced: bool) -> None:
    drawing = threading.Event()
    beside: list[str] = []

    def draw(frame: Frame) -> None:
        drawing.set()
        time.sleep(0.01)
        drawing.clear()

    def note(name: str) -> Callable[[Frame], bool]:
        def noted(frame: Frame) -> bool:
            if drawing.is_set():
                beside.append(name)
            return False

        return noted

    tracker = MarkerTracker(lambda frame: note("track")(frame) or [BOX], note("search"))
    run = Run(
        "blur",
        FakeSource(total=60, live=paced, rate=200),
        tracker=tracker,
        stylizer=MarkerStylizer(draw),
        paced=paced,
        shared=True,
    )
    run.until(lambda: False)
    assert run.count("toon") > 10
    assert tracker.refreshed == tracker.updates
    assert beside == []


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_when_every_frame_counts_a_failing_watch_ends_the_run(pause: float) -> None:
    def see(frame: Frame) -> bool:
        time.sleep(pause)  # with one, the next frame already waits for its verdict
        if frame.number == 7:
            raise RuntimeError("no detector")
        return False

    run = Run("blur", FakeSource(live=False), strangers=MarkerStrangers(see), paced=False)
    with pytest.raises(RuntimeError, match="no detector"):
        run.pipeline.run()
    run.check()
    assert run.count("toon") <= 8


def test_an_interrupted_file_does_not_keep_the_frames_that_were_held_back() -> None:
    run = Run("blur", FakeSource(total=500, live=False), paced=False, look_ahead=4)
    run.until(lambda: len(run.collector.outputs) > 20)
    assert run.pipeline.interrupted
    assert set(run.collector.kinds) == {"toon"}
    whole = Run("blur", FakeSource(total=30, live=False), paced=False, look_ahead=4)
    whole.pipeline.run()
    assert whole.collector.kinds == ["toon"] * 26 + ["blur"] * 4


def test_when_every_frame_counts_a_failure_ends_the_run() -> None:
    def trouble(frame: Frame) -> None:
        if frame.number == 7:
            raise RuntimeError("device lost")

    run = Run("pass", FakeSource(live=False), stylizer=MarkerStylizer(trouble), paced=False)
    with pytest.raises(RuntimeError, match="device lost"):
        run.pipeline.run()
    assert len(run.collector.outputs) <= 7
    assert all(raw_pixels(output.image) == 0 for output in run.collector.outputs)


def test_when_every_frame_counts_a_failing_sink_ends_the_run() -> None:
    def trouble(count: int) -> None:
        if count == 5:
            raise SinkError("The disk is full.")

    run = Run("pass", FakeSource(total=500, live=False), paced=False)
    run.collector._trouble = trouble
    with pytest.raises(ToonifyError, match="disk is full"):
        run.pipeline.run()


def test_the_numbers_of_a_run() -> None:
    run = Run("blur", FakeSource(total=50))
    run.until(lambda: False)
    numbers = run.pipeline.snapshot()
    assert numbers["frames_captured"] == 50
    assert numbers["frames_sent"] == sum(numbers["sent_by_kind"].values()) == len(run.pictures)
    assert numbers["stages"]["track"]["count"] + numbers["frames_dropped"]["before tracking"] == 50
    assert numbers["added_latency"]["count"] == numbers["sent_by_kind"]["toon"]


def test_a_window_gets_the_untooned_picture_and_sinks_do_not() -> None:
    shown = []

    class Window:
        def show(self, output: Any) -> None:
            shown.append(output)

        def pump(self) -> None:
            time.sleep(0.005)

        def close(self) -> None:
            shown.append(None)

    run = Run("blur")
    run.pipeline._window = Window()  # type: ignore[assignment]
    run.until(lambda: False)
    assert shown.pop() is None
    assert any(output.before is not None for output in shown)
    assert all(output.before is None for output in run.collector.outputs)


def test_green_hides_everything_but_toons() -> None:
    run = Run("pass")
    run.pipeline._green = True
    run.until(lambda: False)
    toons = [p for p in run.pictures if p.kind == "toon"]
    assert (toons[0].image[0, 0] == (0, 255, 0)).all()
    assert (toons[0].image[130, 160] == (255, 40, 40)).all()
    raws = [p for p in run.pictures if p.kind == "raw"]
    assert all((p.image == (0, 255, 0)).all() for p in raws)
