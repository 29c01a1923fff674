"""MediaPipe's face landmarker behind plain arrays."""

from __future__ import annotations

import contextlib
import os
import sys
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.faces.mediapipe_start import importing_mediapipe

MODEL = Path(__file__).parent / "assets" / "face_landmarker.task"
POINTS = 478


class LandmarkerError(ToonifyError):
    """The landmarker cannot start, or was given something that is not a picture."""


@dataclass(frozen=True)
class FaceLandmarks:
    """One face as MediaPipe sees it.

    Attributes:
        points: float32 [478, 3]: x and y in pixels of the picture (continuous: the first pixel's
            centre is at 0.5), z on the same scale, smaller is nearer.
        blendshapes: float32 [52] in [0, 1], in the order of MediaPipe's `Blendshapes`, or None.
        pose: float32 [4, 4], canonical face -> camera (y up, centimetres), or None.
    """

    points: NDArray[np.float32]
    blendshapes: NDArray[np.float32] | None = None
    pose: NDArray[np.float32] | None = None

    @property
    def box(self) -> NDArray[np.float32]:
        """float32 [4]: left, top, right, bottom of the points, pixels."""
        return landmark_box(self.points)

    @property
    def angles(self) -> tuple[float, float, float] | None:
        """Yaw, pitch and roll in degrees: positive to the picture's right, downwards, clockwise."""
        return None if self.pose is None else pose_angles(self.pose)


def landmark_box(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """Left, top, right, bottom of landmarks [N, >=2]: float32 [4]."""
    points = landmarks[:, :2]
    return np.concatenate([points.min(0), points.max(0)]).astype(np.float32)


def pose_angles(pose: NDArray[np.floating]) -> tuple[float, float, float]:
    """Yaw, pitch, roll (degrees, see `FaceLandmarks.angles`) of a pose [4, 4]."""
    rotation = np.asarray(pose, np.float64)[:3, :3]
    rotation = rotation / np.linalg.norm(rotation, axis=0)
    gaze = rotation[:, 2]  # where the nose points, y up, z towards the camera
    yaw = np.degrees(np.arctan2(gaze[0], gaze[2]))
    pitch = np.degrees(np.arctan2(-gaze[1], np.hypot(gaze[0], gaze[2])))
    roll = np.degrees(np.arctan2(-rotation[1, 0], rotation[0, 0]))
    return float(yaw), float(pitch), float(roll)


def largest_face(faces: Sequence[FaceLandmarks]) -> FaceLandmarks | None:
    """The face whose landmarks span the largest area (width times height); None without faces."""
    return max(
        faces, key=lambda face: float(np.ptp(face.points[:, :2], axis=0).prod()), default=None
    )


class Landmarker:
    """Finds faces and their 478 landmarks in RGB pictures.

    `image` mode looks at each picture alone. `video` mode follows the faces of the picture before
    and asks the detector only for the faces that are missing; it needs rising timestamps. One
    instance belongs to one thread at a time. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        mode: Literal["image", "video"] = "image",
        *,
        max_faces: int = 1,
        min_confidence: float = 0.5,
        blendshapes: bool = True,
        pose: bool = True,
    ) -> None:
        if mode not in ("image", "video"):
            raise LandmarkerError(f"Expected mode 'image' or 'video', found {mode!r}.")
        if max_faces < 1:
            raise LandmarkerError(f"Expected max_faces of 1 or more, found {max_faces}.")
        if not MODEL.is_file():
            raise LandmarkerError(
                f"Expected the face model at {MODEL}, found nothing; reinstall the package."
            )
        with importing_mediapipe():
            from mediapipe.tasks.python.core.base_options import BaseOptions
            from mediapipe.tasks.python.vision import face_landmarker
            from mediapipe.tasks.python.vision.core import image, vision_task_running_mode

        self.mode = mode
        self._last = -1
        self._picture = image.Image
        self._format = image.ImageFormat.SRGB
        options = face_landmarker.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(MODEL)),
            running_mode=vision_task_running_mode.VisionTaskRunningMode[mode.upper()],
            num_faces=max_faces,
            min_face_detection_confidence=min_confidence,
            min_face_presence_confidence=min_confidence,
            min_tracking_confidence=min_confidence,
            output_face_blendshapes=blendshapes,
            output_facial_transformation_matrixes=pose,
        )
        try:
            with quiet_stderr():
                self._task: Any = face_landmarker.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise LandmarkerError(
                f"MediaPipe cannot start the face model ({error}); run `toonify doctor`."
            ) from error
        self._finalizer = weakref.finalize(self, close_task, self._task)

    def detect(
        self, image: NDArray[np.uint8], timestamp_ms: int | None = None
    ) -> list[FaceLandmarks]:
        """Find the faces of one picture.

        Args:
            image: uint8 [H, W, 3] RGB.
            timestamp_ms: video mode only: milliseconds, rising from call to call.

        Returns:
            The faces, in no particular order; empty when there is none.

        Raises:
            LandmarkerError: not an RGB picture, a timestamp that does not rise, or already closed.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise LandmarkerError(
                f"Expected an RGB picture uint8 [H, W, 3], found {image.dtype} {list(image.shape)}."
            )
        if not self._finalizer.alive:
            raise LandmarkerError("Expected an open landmarker, found a closed one; make another.")
        picture = self._picture(image_format=self._format, data=np.ascontiguousarray(image))
        if self.mode == "image":
            result = self._task.detect(picture)
        else:
            if timestamp_ms is None or timestamp_ms <= self._last:
                raise LandmarkerError(
                    f"Expected a timestamp above {self._last} ms, found {timestamp_ms}."
                )
            self._last = timestamp_ms
            result = self._task.detect_for_video(picture, timestamp_ms)
        size = np.array([image.shape[1], image.shape[0], image.shape[1]], np.float32)
        shapes = result.face_blendshapes or [None] * len(result.face_landmarks)
        poses = result.facial_transformation_matrixes or [None] * len(result.face_landmarks)
        return [
            FaceLandmarks(
                np.array([(p.x, p.y, p.z) for p in points], np.float32) * size,
                None if shape is None else np.array([s.score for s in shape], np.float32),
                None if pose is None else np.asarray(pose, np.float32),
            )
            for points, shape, pose in zip(result.face_landmarks, shapes, poses, strict=True)
        ]

    def close(self) -> None:
        """Free the graph; safe to call twice."""
        self._finalizer()

    def __enter__(self) -> Landmarker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def close_task(task: Any) -> None:
    """Free the graph of a MediaPipe task, at exit too."""
    try:
        with quiet_stderr():
            task.close()
    except RuntimeError:  # at exit MediaPipe's thread pool is gone; keep its destructor from trying
        task._handle = None


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hide what MediaPipe's native code prints as it starts and ends; it has no switch for that."""
    try:
        saved = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    if sys.stderr:
        sys.stderr.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
