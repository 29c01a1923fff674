"""Looking at one face again and again with MediaPipe, in a window in which it is large enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.faces.landmarker import FaceLandmarks, Landmarker
from engines.pictures import Image
from realtime.faces.search import Box, Window, box_size, sight, whole, window_around

WINDOW = 4.5  # side of a follower's window, in face sizes: large for MediaPipe, with room to move
ROOMY = 7.5  # a window is too large when it holds this many face sizes
HASTE = 8.0  # MediaPipe's timestamps run this many times faster than real time


class Follower:
    """Follows one face with MediaPipe's VIDEO mode, in a window that rarely changes."""

    def __init__(self, min_confidence: float) -> None:
        self._landmarker = Landmarker("video", min_confidence=min_confidence, blendshapes=False)
        self._window: Window | None = None
        self._locked = False
        self._last = 0.0
        self._clock = 0  # the last timestamp given to MediaPipe, milliseconds

    def follow(
        self, image: Image, box: Box, time: float, others: Sequence[Box]
    ) -> FaceLandmarks | None:
        """The face expected at `box`; the boxes of `others` are hidden until it is locked on."""
        if self._window is None or not window_fits(self._window, box, image):
            self._window, self._locked = choose_window(box, image), False
        # Any shrinking leaves the face larger than the 256 pixels of the network's square.
        factor = int(np.clip(box_size(box) // 180, 1, 8))
        view = sight(image, self._window, factor, () if self._locked else others)
        # MediaPipe has a 1 Euro filter of its own, which lags by a frame or more when a head turns
        # back. It hardly lags when the head seems slow to it; steadying is `FaceFilter`'s task.
        self._clock += max(1, round(HASTE * 1000 * min(time - self._last, 1.0)))
        self._last = time
        faces = self._landmarker.detect(view.image, self._clock)
        self._locked = bool(faces)
        return view.restore(faces[0]) if faces else None

    @property
    def used(self) -> bool:
        """Whether it has seen a picture, which MediaPipe starts from in the next one."""
        return self._clock > 0

    def release(self) -> None:
        """Forget the face; the follower may be given another."""
        self._window, self._locked = None, False

    def close(self) -> None:
        """Free MediaPipe's graph."""
        self._landmarker.close()


def choose_window(box: Box, image: Image) -> Window:
    """The window for a face at `box`: the whole frame unless the face is small in it."""
    side = WINDOW * box_size(box)
    if side >= 0.8 * max(image.shape[:2]):
        return whole(image)
    return window_around(box, side, image)


def window_fits(window: Window, box: Box, image: Image) -> bool:
    """Whether a face at `box` is large enough in a window, and clear of its inner edges."""
    size = box_size(box)
    if max(window[2] - window[0], window[3] - window[1]) > ROOMY * size:
        return False
    space = 0.4 * size
    frame = whole(image)
    low = all(window[i] == frame[i] or box[i] - window[i] > space for i in (0, 1))
    return low and all(window[i] == frame[i] or window[i] - box[i] > space for i in (2, 3))
