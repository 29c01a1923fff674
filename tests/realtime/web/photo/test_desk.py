from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest

from realtime.web.photo.desk import BusyError, Desk, GoneError, SlowError


async def here() -> bool:
    return False


async def gone() -> bool:
    return True


def run(work: Coroutine[Any, Any, None]) -> None:
    """Playwright's own loop may be running in this thread."""
    failed: list[BaseException] = []

    def target() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    if failed:
        raise failed[0]


def test_one_at_a_time_in_order_and_no_more_than_may_wait() -> None:
    async def check() -> None:
        desk, release, order = Desk(waiting=2), threading.Event(), list[int]()

        def work(number: int) -> int:
            assert release.wait(30)
            order.append(number)
            return number

        asked = [asyncio.create_task(desk.do(partial(work, i), here)) for i in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match=r"^2 pictures are waiting already"):
            await desk.do(lambda: work(9), here)
        release.set()
        assert await asyncio.gather(*asked) == [0, 1, 2]
        assert order == [0, 1, 2]
        assert await desk.do(lambda: work(4), here) == 4
        desk.close()

    run(check())


def test_what_takes_too_long_holds_its_place_until_it_ends() -> None:
    async def check() -> None:
        desk, release = Desk(seconds=0.05), threading.Event()
        with pytest.raises(SlowError, match=r"more than 0\.05 s"):
            await desk.do(lambda: release.wait(30), here)
        after = asyncio.create_task(desk.do(lambda: "next", here))
        await asyncio.sleep(0.1)
        assert not after.done()
        release.set()
        assert await after == "next"
        desk.close()

    run(check())


def test_what_nobody_waits_for_is_not_begun() -> None:
    async def check() -> None:
        desk = Desk()
        done: list[int] = []
        with pytest.raises(GoneError):
            await desk.do(lambda: done.append(1), gone)
        await desk.do(lambda: done.append(2), here)
        assert done == [2]
        desk.close()

    run(check())


def test_a_fault_goes_to_who_asked_and_the_next_is_served() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def check() -> None:
        desk = Desk()
        with pytest.raises(ValueError, match="no"):
            await desk.do(fail, here)
        assert await desk.do(lambda: 1, here) == 1
        desk.close()

    run(check())
