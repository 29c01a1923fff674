"""The pictures that go out, kept for browsers: the newest one only, encoded when one asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2

from engines.pictures import Image
from realtime.frame import as_uint8, fit
from realtime.guard import Output

QUALITY = 80  # of the JPEGs
LARGEST = 1280  # pixels, width


@dataclass(frozen=True)
class View:
    """What a panel wants to see.

    Attributes:
        width: pixels that the picture has on the screen.
        before: whether the untooned picture is shown beside it.
    """

    width: int = 960
    before: bool = False


class Feed:
    """A sink that keeps the newest picture and wakes those who wait for one.

    It is local: its pictures go to this machine's own browser.
    """

    name = "panel"
    live = True
    local = True

    def __init__(self) -> None:
        self.newest: tuple[int, Output] | None = None
        self._number = 0
        self._waiting: tuple[Callable[[], None], ...] = ()
        self._encoding = threading.Lock()
        self._encoded: dict[tuple[View, int], list[bytes]] = {}

    def open(self) -> None:
        """Nothing to open."""

    def send(self, output: Output) -> None:
        """Keep a picture."""
        self._number += 1
        self.newest = self._number, output
        for wake in self._waiting:
            wake()

    def close(self) -> None:
        """Nothing to close."""

    def join(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, in the sink's thread, for every picture."""
        self._waiting = (*self._waiting, wake)

    def leave(self, wake: Callable[[], None]) -> None:
        """Have it called no more."""
        self._waiting = tuple(other for other in self._waiting if other != wake)

    def jpegs(self, number: int, output: Output, view: View) -> list[bytes]:
        """The picture as it goes out and, if the view has it, the untooned one; encoded once for
        all who want the same."""
        with self._encoding:
            if (view, number) not in self._encoded:
                self._encoded = {
                    key: kept for key, kept in self._encoded.items() if key[1] == number
                }
                pictures = [output.image]
                if view.before and output.before is not None:
                    pictures.append(fit(output.before, output.image.shape[1::-1]))
                self._encoded[view, number] = [jpeg(shrunk(p, view.width)) for p in pictures]
            return self._encoded[view, number]


def shrunk(image: Image, width: int) -> Image:
    """A picture at most about `width` pixels wide, never enlarged."""
    width = min(max(width, 160), LARGEST)
    rows, columns = image.shape[:2]
    if columns <= width:
        return image
    size = (width, max(1, round(rows * width / columns)))
    return as_uint8(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))


def jpeg(image: Image, quality: int = QUALITY) -> bytes:
    """uint8 [H, W, 3] BGR, or [H, W] grey, as JPEG."""
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
