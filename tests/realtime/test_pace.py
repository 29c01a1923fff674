from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from realtime.frame import Frame
from realtime.pace import LONGEST_REST, Budget, Pace
from realtime.slots import Slot


def feed(pace: Pace, start: float, step: float, count: int = 9) -> None:
    """Frames that were captured `step` seconds apart from `start` on."""
    frame = Frame(np.zeros((2, 2, 3), np.uint8), 0.0, 0)
    for number in range(count):
        pace.captured(replace(frame, number=number, captured=start + number * step))


def test_work_that_ends_before_the_next_frame_is_not_late() -> None:
    pace = Pace(paced=True, shared=False)
    assert not pace.is_late(9.0, waiting=True)  # no frame has come
    feed(pace, time.monotonic() - 8.0, 1.0)  # the next one is due in a second
    assert not pace.is_late(0.1, waiting=False)
    assert pace.is_late(2.0, waiting=False)
    assert pace.is_late(0.1, waiting=True)


def test_nothing_is_late_where_every_frame_counts() -> None:
    pace = Pace(paced=False, shared=False)
    feed(pace, time.monotonic() - 60, 1.0)
    assert not pace.is_late(9.0, waiting=True)


@pytest.mark.parametrize("paced", [True, False])
def test_the_tracker_waits_for_an_engine_that_needs_the_cores(paced: bool) -> None:
    pace, slot = Pace(paced=paced, shared=True), Slot[int]()
    pace.free.clear()
    start = time.monotonic()
    threading.Timer(0.05, pace.free.set).start()
    pace.await_engine()
    pace.await_turn(slot, threading.Event())
    assert pace.free.is_set()
    assert time.monotonic() - start > 0.04


def test_the_tracker_begins_just_before_the_stylizer_is_free() -> None:
    pace, slot = Pace(paced=True, shared=False), Slot[int]()
    pace.drawing.add(0.24)
    pace.tracking.add(0.02)
    slot.put(1)
    slot.get()  # the stylizer begins now, and will be free in 0.24 s
    start = time.monotonic()
    pace.await_turn(slot, threading.Event())
    assert time.monotonic() - start > 0.15
    stopped = threading.Event()
    stopped.set()
    slot.put(2)
    slot.get()
    start = time.monotonic()
    pace.await_turn(slot, stopped)
    assert time.monotonic() - start < 0.15


def slow_run(pace: Pace, drawing: float = 0.05, count: int = 9) -> None:
    """Frames 33 ms apart, of which each drawing takes `drawing` seconds."""
    feed(pace, time.monotonic(), 1 / 30)
    for _ in range(count):
        pace.drawing.add(drawing)
        pace._between.add(1.2 * drawing)


def test_toons_move_while_the_engine_is_slower_than_the_camera() -> None:
    pace = Pace(paced=True, shared=True, moves=True)
    assert not pace.choose()
    slow_run(pace)
    assert pace.choose()
    assert pace.choose()
    pace._switched -= 10
    assert pace.choose()  # still slow
    for _ in range(9):
        pace.drawing.add(0.01)
    assert not pace.choose()
    assert not pace.choose()  # it keeps up; what was before does not count


@pytest.mark.parametrize(
    ("paced", "moves", "drawing"),
    [(False, True, 0.05), (True, False, 0.05), (True, True, 0.015), (True, True, 0.6)],
)
def test_toons_do_not_move_without_need_or_for_too_long(
    paced: bool, moves: bool, drawing: float
) -> None:
    pace = Pace(paced=paced, shared=True, moves=moves)
    slow_run(pace, drawing)
    pace._between.add(9.0)
    assert not pace.choose()


def test_a_frame_that_waits_for_its_drawing_ends_before_toons_move() -> None:
    pace = Pace(paced=True, shared=False, moves=True)
    slow_run(pace)
    pace.begin()
    start = time.monotonic()
    threading.Timer(0.05, pace.free.set).start()
    assert pace.choose()
    assert time.monotonic() - start > 0.04


def test_the_engine_rests_until_what_was_used_is_paid_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, used = 100.0, 5.0
    monkeypatch.setattr("realtime.pace.usable_cores", lambda: 4)
    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr("time.process_time", lambda: used)
    budget = Budget(0.5)
    now, used = now + 0.1, used + 0.2  # just what half of four cores give
    assert budget.owed() == pytest.approx(0.0)
    used += 0.1
    assert budget.owed() == pytest.approx(0.05)
    now += 0.05  # it rested
    assert budget.owed() == pytest.approx(0.0)
    now += 50.0  # nothing can be saved up but a burst
    used += 2.2
    budget.owed()
    used += 0.4
    assert budget.owed() == pytest.approx(0.1)
    used += 50
    assert budget.owed() == LONGEST_REST


def test_only_with_a_budget_the_engine_rests() -> None:
    stopped = threading.Event()
    free, tight = Pace(True, True), Pace(True, True, cpu=0.05)
    for pace in (free, tight):
        pace.begin()
        pace.drew()
    assert free.free.is_set()
    assert not tight.free.is_set()
    stopped.set()
    tight.rest(stopped)
    assert tight.free.is_set()
