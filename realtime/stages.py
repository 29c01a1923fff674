"""What the parts of the loop ask of each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.pictures import Image
from realtime.faces.face import TrackedFace
from realtime.frame import Frame
from realtime.guard import Output

if TYPE_CHECKING:
    from realtime.stylizer import StylizedFrame


class Drawing(Protocol):
    """Toons that are drawn. The methods may be called from other threads than the one that drew,
    each from one, in the order of the frames."""

    def finish(self) -> None:
        """Make the toons ready to be pasted; if it is left out, the first paste does it."""
        ...

    def paste(self) -> StylizedFrame:
        """The frame that they were drawn for, with them in it."""
        ...

    def move(self, frame: Frame, faces: Sequence[TrackedFace]) -> StylizedFrame:
        """A later frame with them in it, each where its face is now."""
        ...


class Tracker(Protocol):
    """Finds the faces of each frame; see `realtime.faces.tracker.FaceTracker`."""

    def update(self, frame: Frame) -> Sequence[TrackedFace]: ...
    def search(
        self, suspected: Sequence[NDArray[np.floating]] = (), late: bool = False
    ) -> bool: ...
    def refresh(self, late: bool = False) -> bool: ...
    def still(self, image: Image) -> Sequence[TrackedFace]: ...


class Stylizer(Protocol):
    """Draws the toons of a frame; see `realtime.stylizer.Stylizer`."""

    def draw(self, frame: Frame, faces: Sequence[TrackedFace]) -> Drawing: ...


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
