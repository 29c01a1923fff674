"""The built-in demo: a person at a webcam, and another who looks in at times.

Both are portraits of which the head moves on the neck and the body on the chair
(`realtime.sources.sitters` says who they are). Everything is a function of the frame number and
the seed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.pictures import Image
from realtime.frame import Frame, as_uint8, exact_rate
from realtime.sources.sitters import Sitter, guest, host

Matrix = NDArray[np.float64]

FACE = 0.32  # of the picture's height: what an arm's length from a laptop gives
LARGEST = 1.1  # a person who leans forward, by their usual size


class DemoSource:
    """A person at a webcam, `size` (width, height) at `fps` frames per second, without end."""

    name = "demo"

    def __init__(
        self,
        size: tuple[int, int],
        fps: float,
        *,
        live: bool,
        seed: int = 0,
        total: int | None = None,
    ) -> None:
        self.live = live
        self.size = size
        self.rate = fps
        self.total = total
        self._closed = threading.Event()
        rng = np.random.default_rng(seed)
        self._phases = rng.uniform(0, 2 * np.pi, 12)
        self._host = _Moving(host(), FACE * size[1])
        self._guest = _Moving(guest(), 0.78 * FACE * size[1])
        self._backdrop = _room(size, rng)
        noise = rng.normal(128, 2.2, (size[1] + 64, size[0] + 64, 3))
        self._noise = np.clip(np.rint(noise), 0, 255).astype(np.uint8)

    def frames(self) -> Iterator[Frame]:
        """Frames in real time, late ones skipped as a camera does; or all of them, unpaced."""
        start = time.monotonic()
        number = step = 0
        while not self._closed.is_set() and (self.total is None or step < self.total):
            if self.live:
                step = max(step, int((time.monotonic() - start) * self.rate))
            image = self.render(step)
            if self.live:
                self._closed.wait(max(0.0, start + step / self.rate - time.monotonic()))
            media_time = step / exact_rate(self.rate)
            now = time.monotonic()
            timestamp = now if self.live else float(media_time)
            yield Frame(image, timestamp, number, media_time, captured=now)
            number += 1
            step += 1

    def close(self) -> None:
        """End `frames()` after the frame in hand."""
        self._closed.set()

    def render(self, step: int) -> Image:
        """Picture number `step`, uint8 [H, W, 3] BGR."""
        seconds = step / self.rate
        image = self._backdrop.copy()
        visit = _visit(seconds)
        width, height = self.size
        if visit > 0:
            place = (width * (1.06 - 0.24 * visit), height * 0.56)
            self._person(image, self._guest, seconds + 31, place)
        self._person(image, self._host, seconds, (width * 0.46, height * 0.485))
        light = 1.0 + 0.05 * self._wave(11, 9.0, seconds)
        rng = np.random.default_rng(step)
        top, left = rng.integers(0, 64, 2)
        noise = self._noise[top : top + height, left : left + width]
        return as_uint8(cv2.addWeighted(image, light, noise, 1.0, -128.0))

    def _wave(self, index: int, period: float, seconds: float) -> float:
        """A swing in -1..1 that does not repeat soon."""
        turn = 2 * np.pi * seconds / period + self._phases[index]
        return float(0.75 * np.sin(turn) + 0.25 * np.sin(2.618 * turn + index))

    def _person(
        self,
        image: Image,
        person: _Moving,
        seconds: float,
        place: tuple[float, float],
    ) -> None:
        """Draw one person so that their nose comes to `place`."""

        def wave(index: int, period: float) -> float:
            return self._wave(index, period, seconds)

        sitter, unit = person.sitter, person.sitter.face_height
        zoom = person.scale * (1 + 0.06 * wave(0, 7.3))
        sway = unit * (0.13 * wave(1, 5.1) + 0.05 * wave(2, 2.3))
        seat = _shift(*place) @ np.diag([zoom, zoom, 1.0])
        lean = _turn(1.6 * wave(3, 4.3), (0.0, 1.5 * unit))
        nose = _shift(-sitter.nose[0], -sitter.nose[1])
        base = seat @ _shift(sway, 0.02 * unit * wave(4, 3.1)) @ lean @ nose
        tilt = _turn(6.0 * wave(5, 3.7), sitter.neck)
        across, down = wave(6, 4.7), wave(7, 2.9)
        face = _tilted(0.10 / unit * across, 0.08 / unit * down)
        nod = _shift(0.035 * unit * across, 0.025 * unit * down) @ np.linalg.inv(nose) @ face @ nose
        _paste(image, person.body, base @ person.enlarged)
        _paste(image, person.head, base @ tilt @ nod @ person.enlarged)


class _Moving:
    """A sitter in layers for a face that is drawn `height` pixels high."""

    def __init__(self, sitter: Sitter, height: float) -> None:
        self.sitter = sitter
        self.scale = height / sitter.face_height
        self.body, self.head = sitter.layers(LARGEST * self.scale)
        rows, columns = sitter.picture.shape[:2]
        grow = np.diag([columns / self.body.shape[1], rows / self.body.shape[0], 1.0])
        self.enlarged = _shift(-0.5, -0.5) @ grow @ _shift(0.5, 0.5)  # layer -> picture pixels


def _visit(seconds: float) -> float:
    """How far the second person has come in, 0..1: from second 4 to 9 of every 14."""
    inside = min(seconds % 14 - 4.0, 9.0 - seconds % 14)
    return float(np.clip(inside / 0.9, 0.0, 1.0))


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _turn(degrees: float, about: tuple[float, float]) -> Matrix:
    return np.vstack([cv2.getRotationMatrix2D(about, degrees, 1.0), [0.0, 0.0, 1.0]])


def _tilted(across: float, down: float) -> Matrix:
    """A turn of the head out of the picture plane, as a perspective about the origin."""
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [across, down, 1.0]])


def _paste(image: Image, layer: Image, transform: Matrix) -> None:
    """Warp a premultiplied layer by `transform` (layer -> image pixels) onto `image`, in place."""
    rows, columns = layer.shape[:2]
    corners = np.array([[[0, 0], [columns, 0], [columns, rows], [0, rows]]], np.float64)
    reached = cv2.perspectiveTransform(corners, transform)[0]
    left, top = np.clip(np.floor(reached.min(0)), 0, image.shape[1::-1]).astype(int)
    right, bottom = np.clip(np.ceil(reached.max(0)), 0, image.shape[1::-1]).astype(int)
    if left >= right or top >= bottom:
        return
    warped = cv2.warpPerspective(
        layer, _shift(-left, -top) @ transform, (right - left, bottom - top)
    )
    behind = 255 - warped[:, :, 3]
    region = image[top:bottom, left:right]
    under = cv2.multiply(region, cv2.merge([behind] * 3), scale=1 / 255)
    region[:] = cv2.add(under, cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR))


def _room(size: tuple[int, int], rng: np.random.Generator) -> Image:
    """An out-of-focus study: wall, window, shelf with books, a plant."""
    width, height = size
    across = np.linspace(0, 1, width)[None, :, None]
    wall = np.array([168, 186, 196]) * (1.06 - 0.30 * across) * np.ones((height, 1, 1))
    room = np.clip(wall, 0, 255).astype(np.uint8)

    def box(left: float, top: float, right: float, bottom: float, colour: tuple[int, ...]) -> None:
        corners = [(int(x * width), int(y * height)) for x, y in ((left, top), (right, bottom))]
        cv2.rectangle(room, corners[0], corners[1], colour, cv2.FILLED)

    box(0.03, 0.06, 0.25, 0.62, (205, 214, 218))
    for column in range(2):
        left = 0.043 + 0.102 * column
        box(left, 0.085, left + 0.09, 0.33, (238, 226, 206))
        box(left, 0.355, left + 0.09, 0.595, (224, 222, 196))
    box(0.02, 0.62, 0.26, 0.645, (190, 198, 203))
    for top in (0.10, 0.36, 0.62):
        box(0.70, top + 0.19, 0.985, top + 0.21, (66, 92, 122))
        left = 0.71
        while left < 0.965:
            thick = rng.uniform(0.010, 0.022)
            if rng.uniform() < 0.85:
                tall = rng.uniform(0.11, 0.175)
                spine = tuple(int(c) for c in rng.integers(50, 175, 3))
                box(left, top + 0.19 - tall, left + thick, top + 0.19, spine)
            left += thick + 0.002
    for _ in range(26):
        middle = (int(rng.normal(0.285, 0.022) * width), int(rng.normal(0.70, 0.07) * height))
        axes = (int(0.012 * width), int(0.055 * height))
        green = tuple(int(c) for c in rng.normal((72, 122, 82), 14))
        cv2.ellipse(room, middle, axes, rng.uniform(-70, 70), 0, 360, green, cv2.FILLED)
    box(0.262, 0.78, 0.308, 0.93, (92, 116, 168))
    return as_uint8(cv2.GaussianBlur(room, (0, 0), 0.009 * width))
