"""A program that feeds a loopback device as a phone does, and one that reads it as a call does."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from types import TracebackType

os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")  # seconds; before cv2 is loaded

import cv2
import numpy as np

from engines.faces.people import people
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.sinks.virtual_camera import make_writable
from tests.pictures import read_bgr

SIZE = (320, 240)
STRIP = (40, 120, 230)
"""BGR of the strip at the left, away from the face: what colours come out as."""
STRIP_WIDTH = 40
FACE = (136, 90, 200, 165)
"""left, top, right, bottom of the middle of the face."""
SHOWN = 0.75
"""Likeness of fine detail from which on a face counts as shown; a toon of it stays below."""


@cache
def scene() -> Image:
    """A person and a coloured strip: uint8 [240, 320, 3] BGR."""
    portrait = read_bgr(people()[0])
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    image[32:208, 80:256] = cv2.resize(portrait, (176, 176), interpolation=cv2.INTER_AREA)
    image[:, :STRIP_WIDTH] = STRIP
    return as_uint8(image)


def likeness(image: Image, raw: Image) -> float:
    """Correlation of the fine detail of the face in two pictures, -1..1; 1 is the same face."""
    left, top, right, bottom = FACE
    details = []
    for picture in (image, raw):
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
        detail = grey - cv2.GaussianBlur(grey, (0, 0), 3)
        details.append(detail[top:bottom, left:right].ravel())
    first, second = details
    scale = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / scale if scale > 1e-3 else 0.0


def is_sharp(image: Image) -> bool:
    """Whether the strip at the left ends as abruptly as it was filmed; a blur does not."""
    across = image[60:180, 30:50].astype(float).mean(axis=0)
    return float(np.abs(np.diff(across, axis=0)).max()) > 40


def strip_error(image: Image) -> float:
    """How far the strip's mean colour is from what was filmed, in levels of 255."""
    inner = image[20:-20, 8 : STRIP_WIDTH - 12].reshape(-1, 3).astype(float)
    return float(np.abs(inner.mean(axis=0) - STRIP).max())


class _Thread:
    """A thread with a stop signal, as a context manager."""

    def __init__(self, name: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> object:
        self._thread.start()
        return self

    def stop(self) -> None:
        """End it, and wait until it has let go of its device."""
        self._stop.set()
        self._thread.join(60)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class Feeder(_Thread):
    """Shows the scene on a device, with a dot that moves so that no two pictures are the same."""

    def __init__(self, device: str, rate: float = 3.0) -> None:
        super().__init__("feeder")
        self._device = device
        self._rate = rate
        self.ready = threading.Event()

    def __enter__(self) -> Feeder:
        self._thread.start()
        assert self.ready.wait(300), f"{self._device} cannot be fed"
        return self

    def _run(self) -> None:
        import pyvirtualcam

        make_writable(self._device)  # as if the program before had left it so
        image, step = scene(), 0
        with pyvirtualcam.Camera(
            *SIZE, self._rate, fmt=pyvirtualcam.PixelFormat.I420, device=self._device
        ) as camera:
            while not self._stop.is_set():
                step += 1
                picture = image.copy()
                picture[2:6, 60 + step % 100 : 64 + step % 100] = 255
                camera.send(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420))
                self.ready.set()
                self._stop.wait(1 / self._rate)


@dataclass(frozen=True)
class Seen:
    """A picture that was read, and when (monotonic seconds)."""

    image: Image
    time: float

    @cached_property
    def likeness(self) -> float:
        """Of its face and the filmed one."""
        return likeness(self.image, scene())

    @cached_property
    def is_toon(self) -> bool:
        """Whether the room is sharp and in its colours, but the face another."""
        good = strip_error(self.image) < 12 and is_sharp(self.image)
        return good and self.likeness < SHOWN


class Reader(_Thread):
    """Reads a device from its first picture to its last and keeps all that differ."""

    def __init__(self, device: str, on_picture: Callable[[int], None] | None = None) -> None:
        super().__init__("reader")
        self._device = device
        self._on_picture = on_picture
        self.seen: list[Seen] = []

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def _run(self) -> None:
        while not self._stop.is_set():
            camera = cv2.VideoCapture(self._device, cv2.CAP_V4L2)
            if not camera.isOpened():  # nobody writes yet
                camera.release()
                self._stop.wait(0.05)
                continue
            while not self._stop.is_set():
                good, image = camera.read()
                if not good:
                    break
                self._keep(as_uint8(image))
            camera.release()

    def _keep(self, image: Image) -> None:
        if not self.seen or not np.array_equal(self.seen[-1].image, image):
            self.seen.append(Seen(image, time.monotonic()))
            if self._on_picture:
                self._on_picture(len(self.seen))

    @property
    def pictures(self) -> list[Image]:
        return [seen.image for seen in self.seen]

    def toons(self) -> list[Image]:
        """Pictures of the room with another face."""
        return [seen.image for seen in [*self.seen] if seen.is_toon]

    def raw(self) -> int:
        """Pictures that show the filmed face."""
        return sum(seen.likeness > SHOWN for seen in self.seen)
