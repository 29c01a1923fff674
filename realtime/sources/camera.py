"""A camera that is asked for MJPG and one buffer, and that is opened again after any failure."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import cv2

from engines.pictures import Image
from engines.say import Say
from realtime.clocks import Rate
from realtime.frame import Frame, as_bgr
from realtime.settings import SourceSettings
from realtime.slots import ClosedError, Slot
from realtime.sources import SourceError

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each next attempt; the last one repeats
SILENCE = 2.0  # seconds without a picture after which a camera counts as stalled
RATE_CHECK = 5.0  # seconds after which the measured rate is compared with the one asked for
FROZEN = 3.0  # seconds of bit-identical pictures after which a camera counts as frozen
AGAIN = "; opening it again."
BAD_PICTURES = 30  # unusable pictures in a row after which the camera is opened again


class Device(Protocol):
    """What we use of `cv2.VideoCapture`."""

    def read(self) -> tuple[bool, Any]: ...
    def release(self) -> None: ...


Opener = Callable[[SourceSettings], Device]


@dataclass(frozen=True)
class CameraInfo:
    """One camera of this machine: `index` for `--source`, its `name` and device `path`."""

    index: int
    name: str
    path: str
    backend: int


def list_cameras() -> list[CameraInfo]:
    """The cameras of this machine, each once."""
    from cv2_enumerate_cameras import enumerate_cameras

    backend = {
        "linux": cv2.CAP_V4L2,
        "darwin": cv2.CAP_AVFOUNDATION,
        "win32": cv2.CAP_DSHOW,
    }.get(sys.platform, cv2.CAP_ANY)
    found = enumerate_cameras(backend)
    cameras = [CameraInfo(c.index, c.name or "", c.path or "", backend) for c in found]
    return sorted(cameras, key=lambda camera: camera.index)


def find_camera(what: str, cameras: list[CameraInfo]) -> CameraInfo:
    """The camera that an index, a device path or a part of a name means.

    Raises:
        SourceError: none or several fit.
    """
    if what.isdigit():
        fits = [camera for camera in cameras if camera.index == int(what)]
    elif what.startswith("/"):
        real = os.path.realpath(what)
        fits = [camera for camera in cameras if os.path.realpath(camera.path) == real]
    else:
        fits = [camera for camera in cameras if what.lower() in camera.name.lower()]
    if len({camera.index for camera in fits}) == 1:
        return fits[0]
    known = ", ".join(f"{camera.index} ({camera.name})" for camera in cameras) or "none at all"
    problem = "Several cameras fit" if fits else "No camera fits"
    raise SourceError(
        f"{problem} {what!r} (found: {known}); plug one in, or choose one by its index."
    )


def open_camera(settings: SourceSettings) -> Device:
    """Open the camera that `settings.source` means.

    Raises:
        SourceError: there is none, or it cannot be opened.
    """
    camera = find_camera(settings.source, list_cameras())
    device = cv2.VideoCapture(camera.index, camera.backend)
    if not device.isOpened():
        device.release()
        raise SourceError(
            f"Camera {camera.index} ({camera.name}) cannot be opened: another program is using it, "
            "or this program may not; close the other one or allow camera access."
        )
    width, height = settings.size
    # Without MJPG most USB cameras fall to 5-10 fps at 1280x720; it must come before the size.
    device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    device.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    device.set(cv2.CAP_PROP_FPS, settings.fps)
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return device


class _Grabber:
    """Reads one opened device in its own thread, so that a read that hangs can be abandoned."""

    def __init__(self, device: Device) -> None:
        self.slot: Slot[tuple[Any, float]] = Slot()
        self._device = device
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                good, picture = self._device.read()
                if not good:
                    break
                self.slot.put((picture, time.monotonic()))
        except ClosedError:
            pass
        except Exception:  # a driver's failure ends this device like an unplugged cable
            pass
        finally:
            self.slot.close()
            self._device.release()

    def stop(self) -> None:
        """Release the device; returns soon even if its read never does."""
        self.slot.close()
        self._thread.join(timeout=0.5)


class CameraSource:
    """A live source that reports each problem once, in one sentence, and tries again.

    Args:
        open_device: opens the real device; tests pass a stand-in.
        patient: wait for a camera that is not there; else, before its first picture, an error.
        pauses: seconds before each next attempt; the last one repeats.
        silence: seconds without a picture after which the camera counts as stalled.
        frozen: seconds of one bit-identical picture after which it counts as frozen.
        rate_check: seconds after which the measured rate is compared with the one asked for.
    """

    live = True

    def __init__(
        self,
        settings: SourceSettings,
        say: Say,
        open_device: Opener = open_camera,
        *,
        patient: bool = True,
        pauses: tuple[float, ...] = PAUSES,
        silence: float = SILENCE,
        frozen: float = FROZEN,
        rate_check: float = RATE_CHECK,
    ) -> None:
        self.name = f"camera {settings.source}"
        self.size = settings.size
        self.rate = settings.fps
        self._settings = settings
        self._say = say
        self._open = open_device
        self._patient = patient
        self._pauses = pauses
        self._silence = silence
        self._frozen = frozen
        self._rate_check = rate_check
        self._closed = threading.Event()
        self._problem = ""
        self._number = 0

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, the newest only, until `close`; never ends by itself.

        Raises:
            SourceError: nothing came, and it is not to be waited for.
        """
        failures = 0
        while not self._closed.is_set():
            try:
                grabber = _Grabber(self._open(self._settings))
            except SourceError as error:
                self._tell(str(error), " Waiting for it.")
            except Exception as error:
                self._tell(f"The {self.name} cannot be opened: {error}.", " Waiting for it.")
            else:
                before = self._number
                try:
                    yield from self._read(grabber)
                finally:
                    grabber.stop()
                if self._number > before:
                    failures = 0
            pause = self._pauses[min(failures, len(self._pauses) - 1)]
            failures += 1
            self._closed.wait(pause)

    def close(self) -> None:
        """End `frames()`; the device is released at most one read later."""
        self._closed.set()

    def _read(self, grabber: _Grabber) -> Iterator[Frame]:
        health = _Health(self._settings, self._say, self._frozen, self._rate_check)
        bad = 0
        silent_since = time.monotonic()
        while not self._closed.is_set():
            try:
                taken = grabber.slot.poll(min(0.1, self._silence))
            except ClosedError:
                self._tell(f"The {self.name} stopped or was unplugged", AGAIN)
                return
            if taken is None:
                if time.monotonic() - silent_since > self._silence:
                    self._tell(f"The {self.name} delivers no pictures", AGAIN)
                    return
                continue
            picture, timestamp = taken
            silent_since = timestamp
            image = as_bgr(picture)
            if image is None:
                bad += 1
                if bad >= BAD_PICTURES:
                    self._tell(f"The {self.name} delivers unusable pictures", AGAIN)
                    return
                continue
            bad = 0
            if self._problem:
                self._problem = ""
                self._say(f"The {self.name} is back.")
            health.see(image, timestamp)
            yield Frame(image, timestamp, self._number, captured=timestamp)
            self._number += 1

    def _tell(self, what: str, then: str) -> None:
        """Report a problem and what is done about it, but not the same one at every attempt."""
        if not (self._patient or self._number):
            raise SourceError(what if what.endswith(".") else f"{what}.")
        problem = what + then
        if problem != self._problem:
            self._problem = problem
            self._say(problem)


class _Health:
    """Tells once how an open camera differs from what was asked: rate, size, a frozen picture."""

    def __init__(
        self, settings: SourceSettings, say: Say, frozen: float, rate_check: float
    ) -> None:
        self._settings = settings
        self._say = say
        self._frozen = frozen
        self._rate = Rate()
        self._rate_check = rate_check
        self._checked = False
        self._size: tuple[int, int] | None = None
        self._sample: bytes = b""
        self._changed = 0.0

    def see(self, image: Image, timestamp: float) -> None:
        """Take note of one picture."""
        asked = self._settings
        name = f"camera {asked.source}"
        size = (image.shape[1], image.shape[0])
        if size != self._size:
            if self._size is not None or size != asked.size:
                wanted = self._size or asked.size
                verb = "changed" if self._size else "delivers"
                self._say(
                    f"The {name} {verb} {size[0]}x{size[1]} instead of {wanted[0]}x{wanted[1]} "
                    "pixels; pictures are fitted to the output."
                )
            self._size = size
        self._rate.tick(timestamp)
        rate = self._rate.overall()
        if not self._checked and self._rate.count > self._rate_check * max(rate, 1):
            self._checked = True
            if rate < 0.9 * asked.fps:
                self._say(
                    f"The {name} delivers {rate:.0f} pictures a second instead of {asked.fps:.0f}: "
                    "in dim light cameras slow down; add light or ask for a smaller --size."
                )
        # A sensor never repeats a picture; a sparse sample is enough to notice a still
        # one.
        sample = image[::16, ::16].tobytes()
        if sample != self._sample:
            self._sample, self._changed = sample, timestamp
        elif timestamp - self._changed > self._frozen:
            self._changed = float("inf")
            self._say(f"The {name} repeats one frozen picture; check its lid, cable or program.")
