"""What the pipeline asks of the parts that it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.faces.face import TrackedFace
from realtime.frame import Frame, Image, Mask
from realtime.guard import Output


class Tracker(Protocol):
    """Finds the faces of each frame; see `realtime.faces.tracker.FaceTracker`."""

    def update(self, frame: Frame) -> Sequence[TrackedFace]: ...
    def search(
        self, suspected: Sequence[NDArray[np.floating]] = (), hurried: bool = False
    ) -> bool: ...
    def look(self, hurried: bool = False) -> bool: ...


class Stylized(Protocol):
    """A frame with toons in it; see `realtime.stylizer.StylizedFrame`."""

    @property
    def image(self) -> Image: ...
    @property
    def alpha(self) -> Mask | None: ...
    @property
    def covered(self) -> frozenset[int]: ...


Paste = Callable[[], Stylized]
"""Puts toons that are drawn into their frame."""


class Stylizer(Protocol):
    """Draws the toons; what is returned pastes them, in another thread, in the order of drawing."""

    def draw(self, frame: Frame, faces: Sequence[TrackedFace]) -> Paste: ...


class Watch(Protocol):
    """Says whether a face is in the picture that the tracker does not follow."""

    @property
    def suspected(self) -> Sequence[NDArray[np.floating]]: ...
    def alarmed(self, frame: Frame, faces: Sequence[TrackedFace]) -> bool: ...


class Window(Protocol):
    """A window that must be served from the main thread."""

    def show(self, output: Output) -> None: ...
    def pump(self) -> None: ...
    def close(self) -> None: ...
