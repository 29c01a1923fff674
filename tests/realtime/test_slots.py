from __future__ import annotations

import threading

from realtime.slots import ClosedError, Slot


def test_the_latest_item_wins_and_the_loss_is_counted() -> None:
    slot: Slot[int] = Slot()
    for item in range(5):
        slot.put(item)
    assert slot.get() == 4
    assert slot.dropped == 4
    assert slot.poll(0.01) is None


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
