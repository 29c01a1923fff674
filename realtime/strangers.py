"""The guard's own face detector: is there a face that the tracker does not follow?

The tracker searches for more faces only now and then. Here MediaPipe's face detector alone, which
takes a few milliseconds, looks at one part of every frame: the whole, then overlapping squares of
the picture's height, in turn. A face that none of the tracked ones explains is a stranger, and the
guard hides the picture while there is one.

The detector takes a shelf or a curtain for a face too, but never with a high score. Of real faces,
half of them with something held before them, 99 in 100 get a high score in one of the windows
(measured). A stranger counts as none if the score stays low while every window is looked at twice,
and the tracker, which looks closely at that place meanwhile, does not find a face either.
"""

from __future__ import annotations

import weakref
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.faces.landmarker import MODEL, close_task, quiet_stderr
from engines.faces.mediapipe_start import importing_mediapipe
from engines.pictures import Image
from realtime.faces.face import TrackedFace
from realtime.faces.search import Window, box_distance, box_size, sight
from realtime.frame import Frame

CONFIDENCE = 0.5  # score of the detector from which on there may be a face
SURE = 0.6  # score from which on there surely is one
SIDE = 128  # pixels of the picture that the detector sees; it is handed no less
PASSES = 2  # looks at every window after which an unsure stranger counts as none
FORGET = 0.7  # seconds after which a stranger who is not seen again is forgotten
REMEMBER = 10.0  # the same for one who counts as none, so that what flickers raises one alarm only

# How far a sight of a face may lie from the tracker's box of it, in that box's size. Of one face
# they are 0.04 apart, 0.17 at most, and up to 0.5 where a window's border cuts it (measured).
SAME = 0.6
FOLLOWED = 0.3  # distance within which the tracker surely follows the former stranger
RATIO = 2.0  # of their sizes, up to which they may be the same face: 0.7 to 1.2 (measured)

Box = NDArray[np.floating]


@dataclass
class _Stranger:
    box: Box
    since: float  # seen, or surely seen if ever
    last: float
    turn: int  # of the detector, when first seen
    seen: int  # the same, when last seen
    sure: bool = False
    believed: bool = True

    @property
    def memory(self) -> float:
        """Seconds after which it is forgotten."""
        return FORGET if self.sure or self.believed else REMEMBER


class StrangerDetector:
    """Looks for strangers; belongs to one thread, but any may ask for `suspected`.

    Args:
        patience: seconds after which a stranger that the tracker cannot confirm counts as no face.
    """

    def __init__(self, patience: float) -> None:
        with importing_mediapipe():
            from mediapipe.tasks.python.core.base_options import BaseOptions
            from mediapipe.tasks.python.vision import face_detector
            from mediapipe.tasks.python.vision.core import image

        with zipfile.ZipFile(MODEL) as archive:
            model = archive.read("face_detector.tflite")
        options = face_detector.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_buffer=model),
            min_detection_confidence=CONFIDENCE,
        )
        with quiet_stderr():
            self._detector: Any = face_detector.FaceDetector.create_from_options(options)
        self._finalizer = weakref.finalize(self, close_task, self._detector)
        self._picture = image.Image
        self._format = image.ImageFormat.SRGB
        self._patience = patience
        self._strangers: list[_Stranger] = []
        self._turn = 0

    def alarmed(self, frame: Frame, faces: Sequence[TrackedFace]) -> bool:
        """Whether a face is in the picture that is not one of `faces`, by what is known now."""
        now = frame.timestamp
        windows = watch_windows(*frame.size)
        self._turn += 1
        known = [face.box for face in faces]
        seen = self._detect(frame.image, windows[self._turn % len(windows)])
        for box, score in unexplained(seen, known):
            self._note(box, score >= SURE, now)
        for stranger in self._strangers:
            doubted = not stranger.sure and self._turn - stranger.turn >= PASSES * len(windows)
            stranger.believed = not doubted and now - stranger.since <= self._patience
        self._strangers = [
            stranger
            for stranger in self._strangers
            # However slowly the pictures come: each part must have been looked at again.
            if (
                0 <= now - stranger.last <= stranger.memory
                or self._turn - stranger.seen <= len(windows)
            )
            and not any(distance(stranger.box, other) < FOLLOWED for other in known)
        ]
        return any(stranger.believed for stranger in self._strangers)

    @property
    def suspected(self) -> list[Box]:
        """Where strangers were when last seen, for the tracker to look closely."""
        return [stranger.box for stranger in self._strangers if stranger.believed]

    def sees_stranger(self, image: Image, faces: Sequence[TrackedFace]) -> bool:
        """Whether a still picture [H, W, 3] BGR surely shows a face that is not one of `faces`."""
        known = [face.box for face in faces]
        return any(
            score >= SURE
            for window in watch_windows(image.shape[1], image.shape[0])
            for _, score in unexplained(self._detect(image, window), known)
        )

    def reset(self) -> None:
        """Forget all strangers; the next frame belongs to another stream."""
        self._strangers, self._turn = [], 0

    def close(self) -> None:
        """Free MediaPipe's graph; safe to call twice."""
        self._finalizer()

    def _note(self, box: Box, sure: bool, now: float) -> None:
        """Somebody was seen who is not followed: one seen before, or a new stranger."""
        for stranger in self._strangers:
            sizes = sorted((box_size(box), box_size(stranger.box)))
            if overlap(box, stranger.box) > 0.2 and sizes[1] < 2 * sizes[0]:
                stranger.box, stranger.last, stranger.seen = box, now, self._turn
                break
        else:
            stranger = _Stranger(box, now, now, self._turn, self._turn)
            self._strangers.append(stranger)
        if sure and not stranger.sure:
            stranger.sure, stranger.since = True, now

    def _detect(self, image: Image, window: Window) -> list[tuple[Box, float]]:
        """Boxes of faces in pixels of the whole picture, and how sure they are."""
        shorter, longer = sorted((window[2] - window[0], window[3] - window[1]))
        factor = min(longer / SIDE, shorter)  # something must be left of a thin strip
        view = sight(image, window, 2 ** max(0, int(np.log2(factor))))
        picture = self._picture(self._format, view.image)
        found = []
        for detection in self._detector.detect(picture).detections:
            b = detection.bounding_box
            corners = np.array([[b.origin_x, b.origin_y], [b.width, b.height]]).cumsum(0)
            box = (corners * view.scale + view.origin).reshape(4)
            found.append((box, detection.categories[0].score))
        return found


def watch_windows(width: int, height: int) -> list[Window]:
    """The whole picture, then squares along its longer side that overlap by half at least."""
    side = min(width, height)
    long = max(width, height)
    count = int(np.ceil((long - side) / (side / 2))) + 1
    starts = [round(i * (long - side) / max(count - 1, 1)) for i in range(count)]
    wide = width >= height
    squares = [(s, 0, s + side, side) if wide else (0, s, side, s + side) for s in starts]
    return [(0, 0, width, height), *squares]


def unexplained(seen: Sequence[tuple[Box, float]], known: Sequence[Box]) -> list[tuple[Box, float]]:
    """The sights (box, score) of one window that are no known face.

    Each known face explains the nearest sight alone: with one face before another, the tracker may
    follow one of them, or one mesh may span both.
    """
    pairs = sorted(
        (distance(box, face), i, j)
        for i, (box, _) in enumerate(seen)
        for j, face in enumerate(known)
    )
    left, free = set(range(len(seen))), set(range(len(known)))
    for apart, i, j in pairs:
        if apart < SAME and i in left and j in free:
            left.remove(i)
            free.remove(j)
    return [seen[i] for i in sorted(left)]


def distance(sight: Box, face: Box) -> float:
    """How far the middle of a sight is from that of a face, in the face's size; sizes more than
    `RATIO` apart are infinitely far."""
    small, large = sorted((box_size(sight), box_size(face)))
    return box_distance(sight, face) / box_size(face) if large < RATIO * small else float("inf")


def overlap(first: Box, second: Box) -> float:
    """Area shared by two boxes (left, top, right, bottom) as a part of the smaller one's."""
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(first[2:], second[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    areas = [float(np.prod(box[2:] - box[:2])) for box in (first, second)]
    return shared / max(min(areas), 1e-6)
