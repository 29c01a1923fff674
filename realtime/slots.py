"""Hand-over between threads: one place, never a queue that grows."""

from __future__ import annotations

import threading
import time
from typing import Generic, TypeVar

T = TypeVar("T")


class ClosedError(Exception):
    """The slot was closed: nothing more will come."""


class Slot(Generic[T]):
    """One place between two threads.

    With `wait=False` a new item replaces the one not yet taken (latest wins, for live pictures);
    with `wait=True` the producer blocks until the place is free (nothing is lost, for files).
    """

    def __init__(self, wait: bool = False) -> None:
        self._wait = wait
        self._changed = threading.Condition()
        self._item: list[T] = []
        self._closed = False
        self.dropped = 0
        self.taken = -float("inf")  # monotonic seconds, when an item was last taken

    def put(self, item: T, *, spare: bool = False) -> None:
        """Hand over `item`; raises `ClosedError` once the slot is closed.

        Args:
            spare: an item that this one replaces does not count as dropped.
        """
        with self._changed:
            while self._wait and self._item and not self._closed:
                self._changed.wait()
            if self._closed:
                raise ClosedError
            if self._item and not spare:
                self.dropped += 1
            self._item = [item]
            self._changed.notify_all()

    def get(self) -> T:
        """The item, once there is one; raises `ClosedError` when empty and closed."""
        with self._changed:
            while not self._item:
                if self._closed:
                    raise ClosedError
                self._changed.wait()
            return self._take()

    def poll(self, timeout: float) -> T | None:
        """The item, or None after `timeout` seconds; raises `ClosedError` when empty and closed."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._item:
                if self._closed:
                    raise ClosedError
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            return self._take()

    def _take(self) -> T:
        item = self._item.pop()
        self.taken = time.monotonic()
        self._changed.notify_all()
        return item

    def drain(self) -> list[T]:
        """Close, and take what was handed over but not taken."""
        self.close()
        with self._changed:
            left, self._item = self._item, []
            return left

    @property
    def filled(self) -> bool:
        """Whether an item waits to be taken."""
        return bool(self._item)

    def await_taken(self, timeout: float) -> None:
        """Wait until the place is free or the slot closed, `timeout` seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._item or self._closed, timeout)

    def close(self) -> None:
        """Wake everybody; an item already handed over can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
