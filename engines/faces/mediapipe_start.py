"""MediaPipe is imported and started here, quietly and without the programs that it would start."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def importing_mediapipe() -> Iterator[None]:
    """Around imports of MediaPipe.

    It imports what it does not need here. `sounddevice` looks for PortAudio by starting `ldconfig`,
    `gcc` and `ld`: MediaPipe does without it if it cannot be imported. `matplotlib` would warn the
    user if it cannot write its cache.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    absent = "sounddevice" not in sys.modules
    if absent:
        sys.modules["sounddevice"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules["sounddevice"]
