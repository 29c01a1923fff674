"""A microphone of which a test knows when it heard what."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 44_100
BLOCK = 441  # samples that are handed over at once

Sound = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Desk:
    """What PyAV opens for a microphone: 10 ms at once, as soon as the last of it was heard.

    Args:
        sound: what is heard at moments, monotonic seconds.
        stamped: blocks carry the system's time of their first sample, as FFmpeg's from ALSA do;
            else they count from 0.
    """

    def __init__(self, sound: Sound, *, stamped: bool) -> None:
        self.streams = SimpleNamespace(audio=[None])
        self._sound = sound
        self._stamped = stamped

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def decode(self, _stream: object) -> Iterator[Any]:
        start, zero = time.monotonic(), time.time() - time.monotonic()
        for number in range(10**9):
            begin = number * BLOCK / RATE
            time.sleep(max(0.0, start + begin + BLOCK / RATE - time.monotonic()))
            heard = self._sound(start + begin + np.arange(BLOCK) / RATE)
            block = np.asarray(heard, np.float32)[None]
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = RATE, Fraction(1, 1_000_000)
            frame.pts = round((begin + (start + zero if self._stamped else 0)) * 1e6)
            yield frame
