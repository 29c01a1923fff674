from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from realtime.clocks import (
    RECENT,
    WINDOW,
    Rate,
    StageClock,
    Statistics,
    write_statistics,
)
from realtime.frame import as_bgr, fit
from realtime.slots import ClosedError, Slot


def test_the_latest_item_wins_and_the_loss_is_counted() -> None:
    slot: Slot[int] = Slot()
    for item in range(5):
        slot.put(item)
    assert slot.get() == 4
    assert slot.dropped == 4
    assert slot.get(timeout=0.01) is None


def test_a_waiting_slot_loses_nothing() -> None:
    slot: Slot[int] = Slot(wait=True)
    taken = []

    def consume() -> None:
        while True:
            try:
                taken.append(slot.get())
            except ClosedError:
                return

    thread = threading.Thread(target=consume)
    thread.start()
    for item in range(200):
        slot.put(item)
    slot.close()
    thread.join(5)
    assert taken == list(range(200))
    assert slot.dropped == 0


def test_closing_wakes_a_blocked_producer_and_a_blocked_consumer() -> None:
    full: Slot[int] = Slot(wait=True)
    full.put(1)
    empty: Slot[int] = Slot()
    raised = []

    def expect(action: object) -> None:
        try:
            action()  # type: ignore[operator]
        except ClosedError:
            raised.append(action)

    threads = [
        threading.Thread(target=expect, args=(action,))
        for action in (lambda: full.put(2), empty.get)
    ]
    for thread in threads:
        thread.start()
    full.close()
    empty.close()
    for thread in threads:
        thread.join(5)
    assert len(raised) == 2
    assert full.get() == 1  # what was handed over can still be taken


def test_a_producer_can_wait_until_its_item_was_taken() -> None:
    slot: Slot[int] = Slot()
    slot.await_taken(5)  # nothing there: at once
    slot.put(1)
    slot.await_taken(0.01)
    assert slot.taken == -float("inf")
    taker = threading.Timer(0.02, slot.get)
    taker.start()
    slot.await_taken(5)
    assert slot.taken > 0
    taker.join()
    slot.put(2)
    slot.close()
    slot.await_taken(5)  # nobody will come any more


def test_the_usual_duration_follows_what_happens_now() -> None:
    clock = StageClock()
    assert clock.usual() == 0
    for _ in range(100):
        clock.add(0.05)
    clock.add(2.0)
    assert clock.usual() == 0.05
    for _ in range(RECENT):
        clock.add(0.01)
    assert clock.usual() == 0.01


def test_percentiles_are_those_of_the_samples_and_memory_is_bounded() -> None:
    clock = StageClock()
    for milliseconds in range(1, 102):
        clock.add(milliseconds / 1e3)
    assert clock.summary() == {"count": 101, "p50_ms": 51.0, "p95_ms": 96.0}
    for _ in range(WINDOW + 10):
        clock.add(0.002)
    assert clock.summary()["p95_ms"] == 2.0
    assert clock.count == 101 + WINDOW + 10


def test_rates() -> None:
    rate = Rate()
    for step in range(61):
        rate.tick(10 + step / 30)
    assert rate.overall() == pytest.approx(30)
    for step in range(1, 61):
        rate.tick(12 + step / 60)
    assert rate.recent() == pytest.approx(45, rel=0.05)


def test_statistics_are_written_whole(tmp_path: Path) -> None:
    statistics = Statistics(engine="torch")
    statistics.note_sent("toon", 1.0, 0.040)
    statistics.note_sent("blur", 1.1, None)
    path = tmp_path / "deep" / "stats.json"
    write_statistics(path, statistics.snapshot())
    numbers = json.loads(path.read_text())
    assert numbers["engine"] == "torch"
    assert numbers["sent_by_kind"] == {"toon": 1, "blur": 1}
    assert numbers["added_latency"] == {"count": 1, "p50_ms": 40.0, "p95_ms": 40.0}
    assert set(numbers["stages"]) == set(Statistics.STAGES)
    assert [entry.name for entry in path.parent.iterdir()] == ["stats.json"]


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3), (4, 6, 4)])
def test_any_uint8_picture_becomes_bgr(shape: tuple[int, ...]) -> None:
    image = as_bgr(np.full(shape, 7, np.uint8))
    assert image is not None
    assert image.shape == (4, 6, 3)
    assert (image == 7).all()


@pytest.mark.parametrize(
    "garbage",
    [None, "x", np.zeros((4, 6, 3)), np.zeros((0, 6, 3), np.uint8), np.zeros((4, 6, 2), np.uint8),
     np.zeros(5, np.uint8)],
)  # fmt: skip
def test_garbage_is_no_picture(garbage: object) -> None:
    assert as_bgr(garbage) is None


def test_fitting_keeps_the_aspect_and_centres() -> None:
    image = fit(np.full((100, 100, 3), 200, np.uint8), (320, 180))
    assert image.shape == (180, 320, 3)
    assert (image[:, 70:250] == 200).all()
    assert (image[:, :70] == 0).all()
    assert (image[:, 250:] == 0).all()
