"""What a run changes in its process, and restores at the end."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.controls import Controls

HAND_OVER = 0.0005  # seconds for which a thread keeps the interpreter while another one waits


class _Noted:
    """A signal handler that only notes that it was called."""

    def __init__(self) -> None:
        self.called = False

    def __call__(self, *_: object) -> None:
        self.called = True


@contextlib.contextmanager
def early_panic() -> Iterator[None]:
    """Note the panic key until `signals` takes it over; else it would end the process.

    Pressing it twice is the same as once: the user cannot see yet whether the slate is shown.
    """
    if not hasattr(signal, "SIGUSR1") or not _in_main_thread():
        yield
        return
    before = signal.signal(signal.SIGUSR1, _Noted())
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


@contextlib.contextmanager
def signals(controls: Controls) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end the run; SIGUSR1, where there is one, is the
    panic key. Pressed early (see `early_panic`), it counts now."""
    if not _in_main_thread():
        yield
        return
    handlers = {signal.SIGINT: controls.stop, signal.SIGTERM: controls.stop}
    # A run that was started with nohup is meant to continue.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        handlers[signal.SIGHUP] = controls.stop
    if hasattr(signal, "SIGUSR1"):
        handlers[signal.SIGUSR1] = controls.toggle_panic
    before = {
        number: signal.signal(number, lambda *_, act=act: act()) for number, act in handlers.items()
    }
    if any(isinstance(handler, _Noted) and handler.called for handler in before.values()):
        controls.toggle_panic()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def tuned_for_threads() -> Iterator[None]:
    """What makes many threads with small steps fast: each gets the interpreter soon after it asks,
    and OpenCV has no threads of its own, which gain nothing on pictures of this size and keep a
    core busy waiting."""
    import cv2

    threads, interval = cv2.getNumThreads(), sys.getswitchinterval()
    cv2.setNumThreads(1)
    sys.setswitchinterval(min(HAND_OVER, interval))
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        sys.setswitchinterval(interval)


def _in_main_thread() -> bool:
    """Whether this thread may set signal handlers."""
    return threading.current_thread() is threading.main_thread()
