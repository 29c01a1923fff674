"""What a run changes in its process is as it was when the run is over."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator

import cv2
import pytest

from realtime.controls import Controls
from realtime.guard import Guard
from realtime.process import HAND_OVER, early_panic, signals, tuned_for_threads
from realtime.settings import GuardSettings
from tests.realtime.fakes import SIZE, MarkerStylizer, Messages

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGUSR1 and no SIGHUP")


@pytest.fixture
def controls() -> Controls:
    return Controls(Guard("blur", GuardSettings(), SIZE, 1), MarkerStylizer(), Messages())


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The handlers of this process, whatever a test does to them."""
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name)]
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}
    yield
    after = {name: signal.getsignal(getattr(signal, name)) for name in names}
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)
    assert after == before


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_the_run(name: str, controls: Controls) -> None:
    number = getattr(signal, name)
    # Neither ignored, as under nohup, nor the default, which would end the tests.
    before = signal.signal(number, lambda *_: None)
    try:
        with signals(controls):
            signal.raise_signal(number)
            assert controls.stopped.is_set()
    finally:
        signal.signal(number, before)


@posix
def test_a_run_under_nohup_goes_on_when_its_terminal_is_closed(controls: Controls) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals(controls):
            signal.raise_signal(signal.SIGHUP)
            assert not controls.stopped.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


@posix
@pytest.mark.parametrize("early", [0, 1, 2])
def test_the_panic_key_counts_once_however_early(early: int, controls: Controls) -> None:
    with early_panic():
        for _ in range(early):
            signal.raise_signal(signal.SIGUSR1)
        with signals(controls):
            assert controls.guard.panic == (early > 0)
            signal.raise_signal(signal.SIGUSR1)
            assert controls.guard.panic == (early == 0)


def test_in_another_thread_no_signal_is_touched(controls: Controls) -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def run() -> None:
        with early_panic(), signals(controls):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert seen == [before]


def test_opencv_and_the_interpreter_suit_threads_for_the_time_of_a_run() -> None:
    before = cv2.getNumThreads(), sys.getswitchinterval()
    cv2.setNumThreads(2)
    try:
        with tuned_for_threads():
            assert cv2.getNumThreads() == 1
            assert sys.getswitchinterval() == pytest.approx(HAND_OVER)
        assert cv2.getNumThreads() == 2
        assert sys.getswitchinterval() == pytest.approx(before[1])
    finally:
        cv2.setNumThreads(before[0])
