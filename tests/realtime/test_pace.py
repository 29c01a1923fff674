from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from realtime.frame import Frame
from realtime.pace import Pace
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
