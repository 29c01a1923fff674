"""A picture of each style, made of a portrait that comes with the package."""

from __future__ import annotations

import contextlib
import threading

import cv2

from engines.bundle import Bundle
from engines.faces.people import people
from engines.pictures import read_picture
from realtime.api import Toonifier
from realtime.frame import as_uint8
from realtime.web.panel.feed import jpeg

PORTRAIT = 3
SIDE = 160  # pixels


class Samples:
    """Draws each style once, as the loop does: when it is first asked for, or before.

    Args:
        bundle: the model.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._pictures: dict[str, bytes] = {}
        self._drawing = threading.Lock()

    def begin(self) -> None:
        """Draw them all in a thread of its own, one by one, so that no page waits for them."""
        # No daemon: the program waits the second or two that this takes, as one that ends while
        # networks and MediaPipe run in a thread crashes.
        threading.Thread(target=self._draw_all, name="samples").start()

    def picture(self, style: str) -> bytes:
        """A JPEG of `SIDE` pixels."""
        with self._drawing:
            if style not in self._pictures:
                self._pictures[style] = self._drawn(style)
            return self._pictures[style]

    def _draw_all(self) -> None:
        for style in self._bundle.styles:
            with contextlib.suppress(Exception):  # told to whoever asks for this picture
                self.picture(style)

    def _drawn(self, style: str) -> bytes:
        # Not with the run's engine, which is busy, nor with one that takes long to build.
        with Toonifier(self._bundle, style=style, engine="torch:cpu", say=lambda _: None) as draw:
            toon = draw.image(read_picture(people()[PORTRAIT]).bgr).image
        return jpeg(as_uint8(cv2.resize(toon, (SIDE, SIDE), interpolation=cv2.INTER_AREA)), 88)
