"""A second pair of eyes for the guard: is there a face that the tracker does not follow?

The tracker searches for more faces only now and then. Here MediaPipe's face detector alone, a few
milliseconds, looks at one part of every frame: the whole, then overlapping squares of the picture's
height, in turn. A face that none of the tracked ones explains is a stranger, and the guard hides
the picture while there is one.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.landmarker import MODEL, _quiet_stderr
from realtime.faces.face import TrackedFace
from realtime.frame import Frame, Image

CONFIDENCE = 0.5
SIDE = 256  # pixels of the picture handed to the detector, which sees 128
FORGET = 0.7  # seconds after which a stranger who is not seen again is forgotten

Box = NDArray[np.floating]


@dataclass
class _Stranger:
    box: Box
    first: float
    last: float


class FaceWatch:
    """Looks for strangers; belongs to one thread.

    patience: seconds after which a stranger that the tracker cannot confirm counts as no face.
    """

    def __init__(self, patience: float) -> None:
        from mediapipe.tasks.python.core.base_options import BaseOptions
        from mediapipe.tasks.python.vision import face_detector
        from mediapipe.tasks.python.vision.core import image

        with zipfile.ZipFile(MODEL) as archive:
            model = archive.read("face_detector.tflite")
        options = face_detector.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_buffer=model),
            min_detection_confidence=CONFIDENCE,
        )
        with _quiet_stderr():
            self._detector: Any = face_detector.FaceDetector.create_from_options(options)
        self._picture = image.Image
        self._format = image.ImageFormat.SRGB
        self._patience = patience
        self._strangers: list[_Stranger] = []
        self._turn = 0

    def alarmed(self, frame: Frame, faces: Sequence[TrackedFace]) -> bool:
        """Whether a face is in the picture that is none of `faces`, as far as is known now."""
        now = frame.timestamp
        windows = watch_windows(*frame.size)
        self._turn += 1
        known = [face.box for face in faces]
        for box in self._detect(frame.image, windows[self._turn % len(windows)]):
            if any(overlap(box, other) > 0.2 for other in known):
                continue
            for stranger in self._strangers:
                if overlap(box, stranger.box) > 0.2:
                    stranger.box, stranger.last = box, now
                    break
            else:
                self._strangers.append(_Stranger(box, now, now))
        self._strangers = [
            stranger
            for stranger in self._strangers
            if 0 <= now - stranger.last <= FORGET
            and not any(overlap(stranger.box, other) > 0.2 for other in known)
        ]
        return any(now - stranger.first <= self._patience for stranger in self._strangers)

    @property
    def suspected(self) -> list[Box]:
        """Where strangers were when last seen, for the tracker to look closely."""
        return [stranger.box for stranger in self._strangers]

    def close(self) -> None:
        """Free MediaPipe's graph."""
        self._detector.close()

    def _detect(self, image: Image, window: tuple[int, int, int, int]) -> list[Box]:
        left, top, right, bottom = window
        scale = SIDE / max(right - left, bottom - top)
        size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
        view = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
        picture = self._picture(self._format, cv2.cvtColor(view, cv2.COLOR_BGR2RGB))
        boxes = [found.bounding_box for found in self._detector.detect(picture).detections]
        return [
            np.array([b.origin_x, b.origin_y, b.origin_x + b.width, b.origin_y + b.height]) / scale
            + np.array([left, top, left, top])
            for b in boxes
        ]


def watch_windows(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """The whole picture, then squares along its longer side that overlap by half at least."""
    side = min(width, height)
    long = max(width, height)
    count = int(np.ceil((long - side) / (side / 2))) + 1
    starts = [round(i * (long - side) / max(count - 1, 1)) for i in range(count)]
    wide = width >= height
    squares = [(s, 0, s + side, side) if wide else (0, s, side, s + side) for s in starts]
    return [(0, 0, width, height), *squares]


def overlap(first: Box, second: Box) -> float:
    """Area shared by two boxes (left, top, right, bottom) as a part of the smaller one's."""
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(first[2:], second[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    areas = [float(np.prod(box[2:] - box[:2])) for box in (first, second)]
    return shared / max(min(areas), 1e-6)
