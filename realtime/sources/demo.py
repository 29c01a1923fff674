"""The built-in demo: a public-domain portrait moved like a person at a webcam.

The portrait is Grace Hopper's official one (United States Navy, public domain), which matplotlib
ships as sample data. Head and shoulders are cut out along an outline traced by hand, the head
moves on the neck, the body on the chair, and a second person looks in at times. Everything is a
function of the frame number and the seed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.pictures import Image, Mask
from realtime.frame import Frame, as_uint8
from realtime.sources import SourceError

Matrix = NDArray[np.float64]

# Portrait pixels (512 x 600). The person, clockwise from the cap, and the head down to the jaw.
PERSON = """
218,32 212,43 196,50 181,64 176,74 175,83 156,101 149,102 145,106 147,170 152,186 152,206 158,236
165,262 166,276 176,290 187,294 193,299 196,318 183,333 162,345 132,354 120,360 97,363 81,368
60,380 52,382 46,389 38,410 27,425 27,459 19,526 14,570 13,600 12,680 560,680 545,560 528,480
511,434 504,428 493,395 490,391 466,378 420,365 363,341 337,321 332,311 341,302 352,289 359,264
367,240 374,214 376,190 369,184 371,134 369,129 369,103 365,90 351,83 347,70 335,56 315,45 299,41
294,35 277,26 249,23
"""
HEAD = """
120,0 400,0 400,280 352,302 331,318 314,334 292,344 270,347 244,344 220,335 203,322 192,304 120,290
"""
NECK = (268.0, 345.0)  # about which the head tilts
NOSE = (268.0, 235.0)  # about which it turns and nods
MARGIN = 60  # pixels by which the portrait is continued so that no edge shows
FACE_HEIGHT = 202.0  # forehead to chin in the portrait


def portrait() -> Image:
    """The portrait, uint8 [600, 512, 3] BGR.

    Raises:
        SourceError: matplotlib lacks it.
    """
    spec = find_spec("matplotlib")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    path = folder / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    image = cv2.imread(str(path)) if path.is_file() else None
    if image is None:
        raise SourceError(
            "The demo needs matplotlib's sample portrait grace_hopper.jpg, which is not there; "
            "`pip install --force-reinstall matplotlib` brings it back."
        )
    return as_uint8(image)


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
        # Face 0.32 of the picture's height: what an arm's length from a laptop gives.
        self._scale = 0.32 * size[1] / FACE_HEIGHT
        picture = cv2.copyMakeBorder(
            portrait(), 0, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE, value=(0, 0, 0)
        )
        self._body, self._head = _layers(picture)
        guest = cv2.convertScaleAbs(cv2.flip(picture, 1), alpha=0.86)
        guest = cv2.add(guest, np.array([0, 0, 14, 0], np.float64))
        self._guest_body, self._guest_head = (
            _premultiply(guest, cv2.flip(layer[:, :, 3], 1)) for layer in _layers(picture)
        )
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
            media_time = Fraction(step) / Fraction(self.rate).limit_denominator(1001)
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
            self._person(image, self._guest_body, self._guest_head, seconds + 31, 0.74, place, True)
        self._person(
            image, self._body, self._head, seconds, 1.0, (width * 0.46, height * 0.485), False
        )
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
        body: Image,
        head: Image,
        seconds: float,
        size: float,
        place: tuple[float, float],
        flipped: bool,
    ) -> None:
        """Draw one person so that the nose of the portrait comes to `place`."""

        def wave(index: int, period: float) -> float:
            return self._wave(index, period, seconds)

        scale = self._scale * size
        zoom = scale * (1 + 0.06 * wave(0, 7.3))
        sway = 26 * wave(1, 5.1) + 10 * wave(2, 2.3)
        seat = _shift(place[0], place[1]) @ np.diag([zoom, zoom, 1.0])
        mirror = np.diag([-1.0, 1.0, 1.0]) if flipped else np.eye(3)
        lean = _turn(1.6 * wave(3, 4.3), (0.0, 300.0))
        base = seat @ mirror @ _shift(sway, 4 * wave(4, 3.1)) @ lean @ _shift(-NOSE[0], -NOSE[1])
        tilt = _turn(6.0 * wave(5, 3.7), NECK)
        face = _shift(*NOSE) @ _tilted(5.0e-4 * wave(6, 4.7), 4.0e-4 * wave(7, 2.9))
        nod = _shift(7 * wave(6, 4.7), 5 * wave(7, 2.9)) @ face @ _shift(-NOSE[0], -NOSE[1])
        unflip = mirror if not flipped else _shift(512.0 + 2 * MARGIN - 1, 0) @ mirror
        origin = _shift(-MARGIN, 0) @ unflip
        _paste(image, body, base @ origin)
        _paste(image, head, base @ tilt @ nod @ origin)


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


def _outline(points: str, shape: tuple[int, ...], feather: float) -> Mask:
    """A soft mask uint8 [H, W] of an outline given in portrait pixels."""
    corners = np.array([pair.split(",") for pair in points.split()], np.int32)
    corners[:, 0] += MARGIN
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [corners], 255)
    return as_uint8(cv2.GaussianBlur(mask, (0, 0), feather))


def _premultiply(image: NDArray[Any], mask: NDArray[Any]) -> Image:
    """uint8 [H, W, 4] BGRA with colours already multiplied by alpha."""
    colour = cv2.multiply(image, cv2.merge([mask] * 3), scale=1 / 255)
    return as_uint8(cv2.merge([*cv2.split(colour), mask]))


def _layers(picture: NDArray[Any]) -> tuple[Image, Image]:
    """Body and head as premultiplied BGRA; behind the jaw the neck is filled in."""
    # Doubling the ramp pulls the edge inwards: nothing of the portrait's own backdrop remains.
    person = cv2.addWeighted(soft := _outline(PERSON, picture.shape, 1.5), 2.0, soft, 0.0, -255.0)
    head = cv2.multiply(person, _outline(HEAD, picture.shape, 2.5), scale=1 / 255)
    jaw = (cv2.dilate(head, np.ones((7, 7), np.uint8)) > 8).astype(np.uint8)
    jaw[:285] = 0
    neck = cv2.inpaint(picture, jaw, 7, cv2.INPAINT_TELEA)
    body = person.copy()
    body[:314] = 0
    return _premultiply(neck, body), _premultiply(picture, head)


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
