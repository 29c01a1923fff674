"""The loop by itself: order, pace, what ends it, what it counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engines.errors import ToonifyError
from realtime.frame import Frame
from realtime.sinks import SinkError
from tests.realtime.fakes import (
    BOX,
    FakeSource,
    MarkerStrangers,
    MarkerStylizer,
    MarkerTracker,
    raw_pixels,
)
from tests.realtime.runs import Run

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


def test_when_every_frame_counts_none_is_lost_and_order_is_kept() -> None:
    run = Run("blur", FakeSource(total=120, live=False), paced=False)
    run.pipeline.run()
    assert len(run.collector.outputs) == 120
    times = [output.media_time for output in run.collector.outputs if output.media_time is not None]
    assert len(times) == 120
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

    def track(frame: Frame) -> list[tuple[int, ...]]:
        note("track")(frame)
        return [BOX]

    tracker = MarkerTracker(track, note("search"))
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

    run = Run("blur", window=Window())
    run.until(lambda: False)
    assert shown.pop() is None
    assert any(output.before is not None for output in shown)
    assert all(output.before is None for output in run.collector.outputs)


def test_green_hides_everything_but_toons() -> None:
    run = Run("pass", green=True)
    run.until(lambda: False)
    toons = [p for p in run.pictures if p.kind == "toon"]
    assert (toons[0].image[0, 0] == (0, 255, 0)).all()
    assert (toons[0].image[130, 160] == (255, 40, 40)).all()
    raws = [p for p in run.pictures if p.kind == "raw"]
    assert all((p.image == (0, 255, 0)).all() for p in raws)
