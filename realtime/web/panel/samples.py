"""A picture of each style, made of a portrait that comes with the package."""

from __future__ import annotations

import threading

import cv2

from engines.backends.registry import create_engine
from engines.bundle import Bundle
from engines.faces.people import people
from engines.pictures import read_picture
from realtime.frame import as_uint8
from realtime.web.panel.feed import jpeg

PORTRAIT = 3
SIDE = 160  # pixels


class Samples:
    """Draws each style once, when it is first asked for."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._pictures: dict[str, bytes] = {}
        self._drawing = threading.Lock()

    def picture(self, style: str) -> bytes:
        """A JPEG of `SIDE` pixels."""
        with self._drawing:
            if style not in self._pictures:
                engine = create_engine(
                    self._bundle.network(style), "torch:cpu", max_batch=1, say=lambda line: None
                )
                side = engine.input_size
                crop = cv2.resize(read_picture(people()[PORTRAIT]).rgb, (side, side))
                toon = cv2.cvtColor(engine.run(as_uint8(crop)[None]).images[0], cv2.COLOR_RGB2BGR)
                engine.close()
                small = cv2.resize(toon, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
                self._pictures[style] = jpeg(as_uint8(small), 88)
            return self._pictures[style]
