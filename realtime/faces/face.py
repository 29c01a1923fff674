"""A face that is followed through the frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import quad_transform
from engines.faces.landmarker import landmark_box


@dataclass(frozen=True)
class TrackedFace:
    """One face in one frame; all positions in pixels of that frame, steadied over time.

    Attributes:
        identity: stays the same while the face is followed; never used twice.
        landmarks: float32 [478, 3], see `engines.faces.landmarker.FaceLandmarks`.
        quad: float32 [4, 2], the FFHQ square, steadied more firmly than the landmarks.
        yaw, pitch, roll: degrees, positive to the picture's right, downwards, clockwise.
        age_frames: frames since it was last found: 0 is this one; above, its position is a guess.
        hints: what keeps its toon from being good, for people to read.
    """

    identity: int
    landmarks: NDArray[np.float32]
    quad: NDArray[np.float32]
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    age_frames: int = 0
    hints: tuple[str, ...] = ()

    @property
    def box(self) -> NDArray[np.float32]:
        """float32 [4]: left, top, right, bottom of the landmarks."""
        return landmark_box(self.landmarks)

    @property
    def side(self) -> float:
        """Side of the square, pixels: how near the face is."""
        return float(np.hypot(*(self.quad[3] - self.quad[0])))

    @property
    def right(self) -> tuple[float, float]:
        """Unit vector to the square's right, in the frame."""
        x, y = (self.quad[3] - self.quad[0]) / max(self.side, 1e-6)
        return float(x), float(y)

    def transform(self, size: int) -> NDArray[np.float32]:
        """Similarity [2, 3] from a crop of `size` x `size` pixels to the frame."""
        return quad_transform(self.quad, size)
