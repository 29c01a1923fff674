"""One piece of work at a time, a few waiting, none for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from engines.errors import ToonifyError

T = TypeVar("T")
WAITING = 8
SECONDS = 10.0


class BusyError(ToonifyError):
    """Too many are waiting."""


class SlowError(ToonifyError):
    """A piece of work took too long."""


class GoneError(Exception):
    """Nobody waits for the answer any more, so the work was not begun."""


class Desk:
    """Does work in a thread of its own, in the order in which it was asked for.

    Args:
        waiting: how many pieces may wait while one is done.
        seconds: how long one may take; it holds the thread until it has really ended.
    """

    def __init__(self, waiting: int = WAITING, seconds: float = SECONDS) -> None:
        self._most, self._seconds = waiting, seconds
        self._waiting = 0
        self._free = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "photo")

    async def do(self, work: Callable[[], T], gone: Callable[[], Awaitable[bool]]) -> T:
        """What `work()` returns, done as soon as it is its turn.

        Args:
            work: called in the thread.
            gone: asked when it is its turn; true leaves the work undone.

        Raises:
            BusyError: as many as may are waiting already.
            SlowError: it takes too long.
            GoneError: nobody waits for it any more.
        """
        if self._free.locked() and self._waiting >= self._most:
            raise BusyError(
                f"{self._waiting} pictures are waiting already, which is the most; try again in a "
                "moment."
            )
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            if await gone():
                raise GoneError
            doing = asyncio.get_running_loop().run_in_executor(self._thread, work)
        except BaseException:
            self._free.release()
            raise
        doing.add_done_callback(self._ended)
        done, _ = await asyncio.wait([doing], timeout=self._seconds)
        if not done:
            raise SlowError(
                f"This picture took more than {self._seconds:g} s, which is the most; give a "
                "smaller one."
            )
        return doing.result()

    def close(self) -> None:
        """Let the thread end once its work is done."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _ended(self, doing: asyncio.Future[T]) -> None:
        self._free.release()
        if not doing.cancelled():
            doing.exception()  # told to whoever still waits
