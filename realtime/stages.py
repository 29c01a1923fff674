"""What the parts of the loop ask of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.pictures import Image
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.guard import Output

if TYPE_CHECKING:
    from realtime.stylizer import StylizedFrame

Paste = Callable[[], "StylizedFrame"]
"""Puts toons that are drawn into their frame."""


class Tracker(Protocol):
    """Finds the faces of each frame; see `realtime.faces.tracker.FaceTracker`."""

    def update(self, frame: Frame) -> Sequence[TrackedFace]: ...
    def search(
        self, suspected: Sequence[NDArray[np.floating]] = (), late: bool = False
    ) -> bool: ...
    def refresh(self, late: bool = False) -> bool: ...
    def still(self, image: Image) -> Sequence[TrackedFace]: ...


class Stylizer(Protocol):
    """Draws the toons; the returned function pastes them, in another thread, in the same order."""

    def draw(self, frame: Frame, faces: Sequence[TrackedFace]) -> Paste: ...


class Strangers(Protocol):
    """Says whether a face is in the picture that the tracker does not follow; see
    `realtime.strangers.StrangerDetector`."""

    @property
    def suspected(self) -> Sequence[NDArray[np.floating]]: ...
    def alarmed(self, frame: Frame, faces: Sequence[TrackedFace]) -> bool: ...
    def sees_stranger(self, image: Image, faces: Sequence[TrackedFace]) -> bool: ...


class Window(Protocol):
    """A window that must be served from the main thread."""

    def show(self, output: Output) -> None: ...
    def pump(self) -> None: ...
    def close(self) -> None: ...
