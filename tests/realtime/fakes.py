"""Stand-ins for what is plugged in, and a face that a test can recognise by its pixels."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from engines.pictures import Image
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.guard import Output
from realtime.settings import CompositingSettings
from realtime.stylizer import Manner, StylizedFrame

SIZE = (320, 240)
BOX = (120, 80, 200, 180)  # left, top, right, bottom of the marker face
TOON = (255, 40, 40)  # BGR of the fake toon


def marked(size: tuple[int, int] = SIZE, boxes: Sequence[tuple[int, ...]] = (BOX,)) -> Image:
    """A grey picture with raw faces: fine magenta and green checks, as nothing else has."""
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    for left, top, right, bottom in boxes:
        rows, columns = np.mgrid[top:bottom, left:right]
        checks = ((rows // 8 + columns // 8) % 2).astype(bool)
        image[top:bottom, left:right] = np.where(checks[..., None], (255, 0, 255), (0, 255, 0))
    return image


def raw_pixels(image: Image) -> int:
    """How many pixels of raw faces a picture shows; a strong blur leaves none."""
    blue, green, red = (image[:, :, channel].astype(int) for channel in range(3))
    checks = (abs(red - green) > 100) & (abs(red - blue) < 60) | (green - blue > 100)
    return int(checks.sum())


def marked_face(identity: int = 0, box: tuple[int, ...] = BOX, age_frames: int = 0) -> TrackedFace:
    """A face that fills `box`; its landmarks are but the corners."""
    left, top, right, bottom = box
    landmarks = np.array([[left, top, 0], [right, bottom, 0]], np.float32)
    quad = np.array([[left, top], [left, bottom], [right, bottom], [right, top]], np.float32)
    return TrackedFace(identity, landmarks, quad, age_frames=age_frames)


class MarkerTracker:
    """Knows where the faces are; `see(frame)` gives the boxes it finds, and `find(frame)`, asked
    later, says whether it has found one more, raises, or hangs."""

    def __init__(
        self,
        see: Callable[[Frame], Sequence[tuple[int, ...]]] | None = None,
        find: Callable[[Frame], bool] = lambda frame: False,
    ) -> None:
        self._see = see or (lambda frame: [BOX])
        self._find = find
        self.updates = 0
        self.refreshed = 0

    def update(self, frame: Frame) -> list[TrackedFace]:
        self.updates += 1
        self._frame = frame
        boxes = self._see(frame)
        return [marked_face(i, box) for i, box in enumerate(boxes)]

    def still(self, image: Image) -> list[TrackedFace]:
        return self.update(Frame(image, 0.0, 0))

    def search(self, suspected: Sequence[Any] = (), late: bool = False) -> bool:
        return self._find(self._frame)

    def refresh(self, late: bool = False) -> bool:
        self.refreshed += 1
        return True


class MarkerStrangers:
    """`see(frame)` says whether there is a stranger, raises, or hangs."""

    suspected: Sequence[Any] = ()

    def __init__(self, see: Callable[[Frame], bool]) -> None:
        self._see = see

    def alarmed(self, frame: Frame, faces: Sequence[Any]) -> bool:
        return self._see(frame)

    def sees_stranger(self, image: Image, faces: Sequence[Any]) -> bool:
        return self._see(Frame(image, 0.0, 0))


class MarkerStylizer:
    """Paints each face; `trouble(frame)` may raise or hang before it does."""

    def __init__(self, trouble: Callable[[Frame], None] = lambda frame: None) -> None:
        self.strength = 1.0
        self.settings = CompositingSettings()
        self.max_faces: int | None = None
        self.manners: Mapping[int, Manner] = {}
        self._trouble = trouble

    def draw(self, frame: Frame, faces: Sequence[Any]) -> MarkerDrawing:
        self._trouble(frame)
        return MarkerDrawing(self, frame, faces)

    def finishing(self, frame: Frame) -> None:
        """What is drawn is finished."""

    def apply(self, frame: Frame, faces: Sequence[Any]) -> StylizedFrame:
        image = frame.image.copy()
        alpha = np.zeros(image.shape[:2], np.uint8)
        for face in faces:
            left, top, right, bottom = (int(v) for v in face.box)
            image[top:bottom, left:right] = TOON
            alpha[top:bottom, left:right] = 255
        covered = frozenset(face.identity for face in faces)
        return StylizedFrame(image, alpha, covered, {}, {})


class MarkerDrawing:
    """What a `MarkerStylizer` drew; only faces that were in its frame are painted."""

    def __init__(self, stylizer: MarkerStylizer, frame: Frame, faces: Sequence[Any]) -> None:
        self._stylizer, self._frame, self._faces = stylizer, frame, faces

    def finish(self) -> None:
        self._stylizer.finishing(self._frame)

    def paste(self) -> StylizedFrame:
        return self._stylizer.apply(self._frame, self._faces)

    def move(self, frame: Frame, faces: Sequence[Any]) -> StylizedFrame:
        known = {face.identity for face in self._faces}
        return self._stylizer.apply(frame, [f for f in faces if f.identity in known])


class FakeSource:
    """A live source that makes `total` frames at `rate`; `picture(number)` draws each."""

    name = "fake"

    def __init__(
        self,
        total: int = 40,
        rate: float = 100.0,
        picture: Callable[[int], Image] = lambda number: marked(),
        live: bool = True,
    ) -> None:
        self.live = live
        self.size = SIZE
        self.rate = rate
        self._total = total
        self.picture = picture
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        for number in range(self._total):
            if self.live and self._closed.wait(1 / self.rate):
                return
            if self._closed.is_set():
                return
            image = self.picture(number)
            yield Frame(image, time.monotonic(), number, Fraction(number, int(self.rate)))

    def close(self) -> None:
        self._closed.set()


class FakeDevice:
    """A camera as OpenCV shows it; `script` gives what each read returns, raises or does."""

    def __init__(self, script: Iterator[Any]) -> None:
        self._script = script
        self.released = threading.Event()

    def read(self) -> tuple[bool, Any]:
        item = next(self._script, None)
        if callable(item):
            item = item()
        if isinstance(item, Exception):
            raise item
        time.sleep(0.005)
        return item is not None, item

    def release(self) -> None:
        self.released.set()


class Collector:
    """A sink that keeps everything; `trouble(count)` may raise or hang before it does."""

    name = "collector"
    local = False

    def __init__(
        self, trouble: Callable[[int], object] = lambda count: None, *, live: bool = True
    ) -> None:
        self.live = live
        self.outputs: list[Output] = []
        self.opened = self.closed = 0
        self._trouble = trouble

    def open(self) -> None:
        self.opened += 1

    def send(self, output: Output) -> None:
        self._trouble(len(self.outputs))
        self.outputs.append(output)

    def close(self) -> None:
        self.closed += 1

    @property
    def kinds(self) -> list[str]:
        return [output.kind for output in self.outputs]


class Messages(list[str]):
    """Collects reports."""

    def __call__(self, line: str) -> None:
        self.append(line)
