"""A microphone, heard as much later as the picture is seen."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from engines.errors import reason
from engines.say import Say
from realtime.sinks.stream_writer import SOUND_RATE

DEFAULT = "default"
ALSA_SETTINGS = Path("/usr/share/alsa")  # of the system, on Linux
PAUSE = 3.0  # seconds before the next attempt to open a device
MEMORY = 10.0  # seconds of sound that are kept
JUMP = 0.05  # seconds of error from which on sound is left out or repeated at once
STRETCH = 5  # samples in about a thousand by which a smaller error is mended, too few to be heard
MARGIN = 0.02  # seconds by which a device may be late with a block
GAP = 0.03  # seconds between two stamped blocks from which on sound between them was lost
OLDEST = 1.0  # seconds that a block may take from the device to here

Samples = NDArray[np.float32]
Opener = Callable[[str], Any]


def _system() -> str:
    """FFmpeg's name of what captures sound on this system, which is ready to be used.

    PyAV brings its own ALSA, which would look for its settings in a folder of the machine that
    built it, and find no device without them.
    """
    name = {"darwin": "avfoundation", "win32": "dshow"}.get(sys.platform, "alsa")
    if name == "alsa" and (ALSA_SETTINGS / "alsa.conf").is_file():
        os.environ.setdefault("ALSA_CONFIG_DIR", str(ALSA_SETTINGS))
    return name


def list_microphones() -> list[tuple[str, str]]:
    """Name, as `--audio` takes it, and description of every microphone that PyAV can see."""
    try:
        devices = av.enumerate_input_devices(_system())
    except (av.error.FFmpegError, OSError, ValueError):
        return []
    return [
        (device.description if sys.platform == "win32" else device.name, device.description)
        for device in devices
        if "video" not in device.media_types
    ]


def open_microphone(name: str) -> Any:
    """An open PyAV container with the sound of a device of this machine.

    Args:
        name: as `list_microphones` gives it, or "default".

    Raises:
        av.error.FFmpegError, OSError, ValueError: it cannot be opened.
    """
    options: dict[str, str] = {}
    if sys.platform == "darwin":
        name = f":{name}"
    elif sys.platform == "win32":
        if name == DEFAULT:
            name = next((first for first, _ in list_microphones()), name)
        name = f"audio={name}"
        options = {"audio_buffer_size": "20"}  # ms; the driver's own is half a second
    return av.open(name, format=_system(), options=options)


class DelayedSound:
    """What was heard lately, by the moment at which it was heard. One thread adds, one takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ring = np.zeros((2, int(MEMORY * SOUND_RATE)), np.float32)  # sample n at n % length
        self._total = 0  # samples added so far
        self._begin: float | None = None  # monotonic seconds at which sample 0 was heard
        self._block = 0.0  # seconds that the device hands over at once
        self._place: float | None = None  # number of the sample to be taken next

    def add(self, samples: Samples, heard: float, *, stamped: bool = False) -> None:
        """Add float32 [2, N] whose last sample was heard at `heard`, monotonic seconds.

        Args:
            stamped: the device says so; else it is when the block arrived, which may be late.
        """
        count = samples.shape[1]
        with self._lock:
            begin = heard - (self._total + count) / SOUND_RATE
            late = 0.0 if self._begin is None else begin - self._begin
            if stamped and GAP < late < MEMORY:
                self._append(np.zeros((2, round(late * SOUND_RATE)), np.float32))
                begin -= late
            self._append(samples)
            self._block = max(count / SOUND_RATE, 0.99 * self._block)
            if self._begin is None or abs(begin - self._begin) > 0.5:
                self._begin = begin  # the first block, or one after a gap
            elif stamped:
                self._begin += 0.1 * (begin - self._begin)
            else:  # a block may come late but not early
                self._begin += (0.2 if begin < self._begin else 0.01) * (begin - self._begin)

    def _append(self, samples: Samples) -> None:
        count = samples.shape[1]
        self._ring[:, (self._total + np.arange(count)) % self._ring.shape[1]] = samples
        self._total += count

    @property
    def least_delay(self) -> float:
        """Seconds after which sound is there for certain."""
        return 1.5 * self._block + MARGIN

    def take(self, count: int, heard: float) -> Samples:
        """The next float32 [2, count]; the first of them should be what was heard at `heard`.

        The device's clock and the picture's latency drift. Small errors are mended by playing a
        little faster or slower, large ones by a jump. What is missing is silence.
        """
        with self._lock:
            if self._begin is None:
                return np.zeros((2, count), np.float32)
            wanted = (heard - self._begin) * SOUND_RATE
            if self._place is None or abs(wanted - self._place) > JUMP * SOUND_RATE:
                self._place = wanted
            stretch = float(np.clip((wanted - self._place) / 10, -STRETCH, STRETCH))
            places = self._place + np.arange(count) * (1 + stretch / count)
            self._place += count + stretch
            low = np.floor(places).astype(np.int64)
            length = self._ring.shape[1]
            known = (low >= max(0, self._total - length)) & (low + 1 < self._total)
            share = (places - low).astype(np.float32)
            before, after = self._ring[:, low % length], self._ring[:, (low + 1) % length]
            sound = np.where(known, before + (after - before) * share, np.float32(0))
            return np.ascontiguousarray(sound)


class Microphone:
    """Fills a `DelayedSound` from its own thread; opens the device again after any failure.

    Args:
        name: as `open_microphone` takes it.
        open_device: opens the real device; tests pass a stand-in.
    """

    def __init__(self, name: str, say: Say, open_device: Opener = open_microphone) -> None:
        self.name = name
        self.sound = DelayedSound()
        self._say = say
        self._open = open_device
        self._problem = ""
        self._closed = threading.Event()
        threading.Thread(target=self._run, name=f"microphone {name}", daemon=True).start()

    def close(self) -> None:
        """Let go of the device after the block at hand."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with self._open(self.name) as device:
                    self._listen(device)
                problem = "it ended"
            except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
                problem = reason(error)
            if problem != self._problem and not self._closed.is_set():
                self._problem = problem
                self._say(
                    f"The microphone {self.name} cannot be heard: {problem}; the stream is silent "
                    "until it can. `toonify devices` lists microphones."
                )
            self._closed.wait(PAUSE)

    def _listen(self, device: Any) -> None:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SOUND_RATE)
        for frame in device.decode(device.streams.audio[0]):
            heard, stamped = end_of(frame)
            if self._closed.is_set():
                return
            if self._problem:
                self._problem = ""
                self._say(f"The microphone {self.name} is back.")
            for part in resampler.resample(frame):
                samples = part.to_ndarray().astype(np.float32, copy=False)
                self.sound.add(samples, heard, stamped=stamped)


def end_of(frame: Any) -> tuple[float, bool]:
    """When the last sample of a new frame was heard, monotonic seconds; whether the device says so.

    FFmpeg stamps what ALSA hands over with the system's clock at the first sample, so that blocks
    that wait on a busy machine do not move the sound. Other systems count from a zero of their
    own: there it is when the frame arrived.
    """
    for _ in range(5):
        now, wall = time.monotonic(), time.time()
        if time.monotonic() - now < 0.001:  # else this thread had to wait between the two
            break
    if frame.pts is None:
        return now, False
    age = wall - float(frame.pts * frame.time_base) - frame.samples / frame.sample_rate
    return (now - max(age, 0.0), True) if -MARGIN < age < OLDEST else (now, False)
