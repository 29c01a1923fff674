"""How a face has moved since it was last detected, from the picture alone, in half a millisecond.

Sparse pyramidal Lucas-Kanade flow (Bouguet 2000) of landmarks that move with the skull, and the
similarity that explains it best (Umeyama 1991). It says where a face is only when the face is
surely still there. When it is not sure, the face must be detected again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import shrink
from engines.faces.landmarker import FaceLandmarks
from engines.pictures import Image

Floats = NDArray[np.float64]

# Brows, corners of the eyes, nose, upper lip: neither blinking nor talking moves them much.
SKULL = np.array(
    [70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 33, 133, 362, 263, 9, 168, 6, 197,
     195, 5, 4, 1, 2, 48, 278, 98, 327, 115, 344, 0, 37, 267, 61, 291, 50, 280]
)  # fmt: skip
SIDE = 80  # pixels that a face is not shrunk below
SPACE = 0.3  # of the face's size, kept around it
WINDOW = 13  # pixels, side of the square that is followed around each landmark
KEPT = 0.6  # share of the landmarks that must agree
SPREAD = 0.015  # of the face's size: how far one that agrees may be off
FAST = 0.12  # of the face's size: motion above which it must be detected again
TURNED = 0.06  # radians, and share of the size: the same for turning and growing
LIKENESS = 0.8  # correlation from which on half a face looks as it did; lower, a jaw has dropped


@dataclass(frozen=True)
class Carried:
    """A face that was moved by its own motion.

    Attributes:
        face: where it is.
        likeness: how much it still looks as it did, -1..1: the lower of its halves' correlations.
        shift: how far it has moved, in its own size.
    """

    face: FaceLandmarks
    likeness: float
    shift: float


@dataclass(frozen=True)
class Anchor:
    """A face when it was last detected.

    Attributes:
        face: what the landmarker found.
        grey: uint8 [h, w], the picture around it, shrunk.
        window: left, top, right, bottom of that, pixels of the picture.
        factor: by how much it is shrunk.
    """

    face: FaceLandmarks
    grey: Image
    window: tuple[int, int, int, int]
    factor: int

    @classmethod
    def of(cls, face: FaceLandmarks, image: Image) -> Anchor:
        """The anchor of a face that was found in uint8 [H, W, 3] BGR."""
        box = face.box
        size = float(max(box[2:] - box[:2]))
        factor = 1 << max(0, int(np.log2(max(size, 1.0) / SIDE)))
        limit = np.array([image.shape[1], image.shape[0]])
        low = np.clip(box[:2] - SPACE * size, 0, limit - factor).astype(int)
        room = np.minimum(box[2:] + SPACE * size, limit) - low
        high = low + np.maximum(room // factor, 1).astype(int) * factor
        window = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        return cls(face, _grey(image, window, factor), window, factor)

    def moved(self, image: Image, last: FaceLandmarks) -> Carried | None:
        """The face in a later picture, or None if that is not certain.

        Args:
            image: uint8 [H, W, 3] BGR, as large as the first.
            last: where the face was in the picture before.
        """
        now = _grey(image, self.window, self.factor)
        origin, scale = np.array(self.window[:2], np.float64), float(self.factor)
        # OpenCV's first pixel has its centre at 0.
        before = (self.face.points[SKULL, :2] - origin) / scale - 0.5
        guess = (last.points[SKULL, :2] - origin) / scale - 0.5
        limit = np.array(now.shape[::-1])
        inside = ((before >= 0) & (before < limit) & (guess >= 0) & (guess < limit)).all(1)
        if inside.mean() < KEPT:
            return None
        start = before[inside].astype(np.float32)
        after, status, _ = cv2.calcOpticalFlowPyrLK(
            self.grey,
            now,
            start,
            guess[inside].astype(np.float32),
            winSize=(WINDOW, WINDOW),
            maxLevel=2,
            criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.02),
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        followed = status[:, 0] > 0
        size = float(max(np.ptp(self.face.points[:, :2], axis=0))) / scale
        move = similarity(start[followed], after[followed], KEPT * len(SKULL), SPREAD * size)
        if move is None or not _slight(move, start, size):
            return None
        alike = self._likeness(now, move)
        if alike <= LIKENESS:
            return None
        shift = move[:, :2] @ (-0.5 - origin / scale) * scale + (move[:, 2] + 0.5) * scale + origin
        points = self.face.points.copy()
        points[:, :2] = points[:, :2] @ move[:, :2].T + shift
        points[:, 2] *= np.hypot(move[0, 0], move[1, 0])
        carried = FaceLandmarks(points, self.face.blendshapes, self.face.pose)
        return Carried(carried, alike, _shift(move, start) / size)

    def _likeness(self, now: Image, move: Floats) -> float:
        """How much the face, moved, looks as it did, above and below: no hand, no open mouth."""
        back = cv2.warpAffine(
            now, move, self.grey.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        box = (self.face.box - np.tile(self.window[:2], 2)) / self.factor
        left, top, right, bottom = np.maximum(np.rint(box), 0).astype(int)
        middle = (2 * top + 3 * bottom) // 5  # the tip of the nose
        return min(
            likeness(self.grey[rows, left:right], back[rows, left:right])
            for rows in (slice(top, middle), slice(middle, bottom))
        )


def likeness(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Correlation of two grey pictures [H, W] of one size, -1..1; 0 where one of them is flat."""
    # Every other pixel says as much.
    samples = np.stack([first[::2, ::2].ravel(), second[::2, ::2].ravel()]).astype(np.float32)
    if samples.shape[1] < 16:
        return 0.0
    samples -= samples.mean(1, keepdims=True)
    (power, both), (_, other) = samples @ samples.T
    return float(both / np.sqrt(max(power * other, 1e-6)))


def similarity(
    start: NDArray[Any], end: NDArray[Any], needed: float, spread: float
) -> Floats | None:
    """The similarity that takes most points to where they went, or None if too few agree.

    Args:
        start, end: [N, 2].
        needed: how many must agree.
        spread: how far those may be off.

    Returns:
        float64 [2, 3], fitted by least squares to the points that agree.
    """
    keep = np.ones(len(start), bool)
    for _ in range(4):
        if keep.sum() < max(needed, 3):
            return None
        move = _least_squares(start[keep], end[keep])
        off = np.hypot(*(start @ move[:, :2].T + move[:, 2] - end).T)
        # Points that are far off distort the fit most, so they go first, then the others.
        kept = off <= max(spread, 2 * float(np.median(off[keep])))
        if (kept == keep).all():
            break
        keep = kept
    return move if (off <= spread).sum() >= needed else None


def _least_squares(start: NDArray[Any], end: NDArray[Any]) -> Floats:
    """The similarity [2, 3] nearest to a motion of points, as complex numbers: b = m a + t."""
    a, b = (np.asarray(p, np.float64) @ [1, 1j] for p in (start, end))
    mean_a, mean_b = a.mean(), b.mean()
    a, b = a - mean_a, b - mean_b
    turn = np.vdot(a, b) / max(np.vdot(a, a).real, 1e-12)
    shift = mean_b - turn * mean_a
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _shift(move: Floats, start: NDArray[np.floating]) -> float:
    """How far a motion takes the middle of some points, pixels."""
    middle = start.mean(0)
    return float(np.hypot(*(move[:, :2] @ middle + move[:, 2] - middle)))


def _slight(move: Floats, start: NDArray[np.floating], size: float) -> bool:
    """Whether a motion is small enough to be sure of it, without detecting the face again."""
    shift = _shift(move, start)
    turned = np.hypot(move[0, 0] - 1, move[1, 0])
    return bool(shift <= FAST * size and turned <= TURNED)


def _grey(image: Image, window: tuple[int, int, int, int], factor: int) -> Image:
    left, top, right, bottom = window
    small = shrink(image[top:bottom, left:right], factor)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
