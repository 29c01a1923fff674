"""Processor time by work."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from benchmarks.thread_times import ENGINE, beside_engine, processor_times

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux names the threads of libraries"
)


def busy(seconds: float, done: threading.Event) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    done.wait(10)


@pytest.mark.parametrize(("thread", "work"), [("paste", "paste"), ("stylize", ENGINE)])
def test_the_time_of_a_thread_counts_for_its_work(thread: str, work: str) -> None:
    before, done = processor_times(), threading.Event()
    worker = threading.Thread(target=busy, args=(0.2, done), name=thread)
    worker.start()
    end = time.monotonic() + 20
    while processor_times().get(work, 0.0) - before.get(work, 0.0) < 0.15:
        assert time.monotonic() < end
        time.sleep(0.01)
    done.set()
    worker.join()


def test_what_is_beside_the_engine() -> None:
    assert beside_engine({ENGINE: 9.0, "paste": 1.0, "track": 0.5}) == 1.5
