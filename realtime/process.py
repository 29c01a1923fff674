"""What a run changes in its process, and puts back in the end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

import cv2

from realtime.controls import Controls


@contextlib.contextmanager
def signals(controls: Controls) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end the run; SIGUSR1, where there is one, is the
    panic key."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signal.SIGINT: controls.stop, signal.SIGTERM: controls.stop}
    # Who was started with nohup means to go on.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        handlers[signal.SIGHUP] = controls.stop
    if hasattr(signal, "SIGUSR1"):
        handlers[signal.SIGUSR1] = controls.toggle_panic
    before = {
        number: signal.signal(number, lambda *_, act=act: act()) for number, act in handlers.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def single_threaded_opencv() -> Iterator[None]:
    """OpenCV's own threads gain nothing on pictures of this size, and wait with a core in hand."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
