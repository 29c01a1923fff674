"""What the pipeline asks of the parts that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.faces.face import TrackedFace
from realtime.frame import Frame, Image, Mask
from realtime.guard import Output


class Tracker(Protocol):
    """Finds the faces of each frame."""

    def update(
        self, frame: Frame, suspected: Sequence[NDArray[np.floating]] = ()
    ) -> Sequence[TrackedFace]: ...


class Stylized(Protocol):
    """A frame with toons in it; see `realtime.stylizer.StylizedFrame`."""

    @property
    def image(self) -> Image: ...
    @property
    def alpha(self) -> Mask | None: ...
    @property
    def covered(self) -> frozenset[int]: ...


class Stylizer(Protocol):
    """Draws the toons."""

    def apply(self, frame: Frame, faces: Sequence[TrackedFace]) -> Stylized: ...


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
