"""The head in the picture: which landmarks make which feature, and the frame of measurement."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import LID_POINTS
from engines.faces.pixels import Floats, Reals

# Indices into MediaPipe's 478 face landmarks; pairs are (image left, image right).
FACE_OVAL = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]  # fmt: skip
UNDER_EYE = (
    [226, 31, 228, 229, 230, 231, 232, 233, 244],
    [446, 261, 448, 449, 450, 451, 452, 453, 464],
)
CHEEK = (
    [205, 50, 216, 206, 187, 207],
    [425, 280, 436, 426, 411, 427],
)
LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
INNER_LIPS = [
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
]  # fmt: skip
NOSTRILS = [98, 97, 2, 326, 327]
NOSE = [168, 417, 351, 420, 360, 344, 278, 392, 250, 2, 20, 166, 48, 115, 131, 198, 122, 193]
NOSE_BRIDGE = [193, 8, 417, 437, 355, 429, 279, 5, 49, 209, 126, 217]  # with its slopes
NOSE_BALL = [
    197, 419, 360, 344, 278, 294, 327, 326, 2, 97, 98, 64, 48, 115, 131, 196,
]  # fmt: skip
NOSE_BASE = [98, 97, 2, 326, 327, 278, 275, 4, 45, 48]
UNDER_NOSE = [129, 98, 97, 2, 326, 327, 358, 426, 410, 270, 269, 267, 0, 37, 39, 40, 186, 206]
NOSE_WINGS = [129, 358]
NASOLABIAL = ([129, 203, 206, 216, 212], [358, 423, 426, 436, 432])
FOREHEAD, CHIN, NOSE_TIP, SUBNASALE = 10, 152, 4, 2
MOUTH_CORNERS = (61, 291)
LIPS_MIDDLE = (13, 14)  # where they meet


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)


@dataclass(frozen=True)
class Head:
    """Pose of a head: origin between the eyes, unit = distance of the eye centres.

    Axes: x to the image right, y down the face, z into the picture (orthographic camera).
    """

    landmarks: Reals  # [478, 3] pixels or shares, z on the scale of x, smaller = nearer
    rotation: NDArray[np.float64] = field(init=False)  # rows: the axes in picture coordinates
    origin: NDArray[np.float64] = field(init=False)
    unit: float = field(init=False)  # as the landmarks

    def __post_init__(self) -> None:
        points = self.landmarks.astype(np.float64)
        across = (points[263] - points[33]) + (points[454] - points[234]) * 0.5
        across = _unit(across + (points[291] - points[61]) * 0.3)
        down = points[CHIN] - points[FOREHEAD]
        down = _unit(down - across * (across @ down))
        left, right = (points[ids].mean(0) for ids in LID_POINTS)
        set_ = object.__setattr__
        set_(self, "rotation", np.stack([across, down, np.cross(across, down)]))
        set_(self, "origin", (left + right) / 2)
        set_(self, "unit", float(np.linalg.norm(right - left)))

    @property
    def turn(self) -> float:
        """Sine of the yaw, without sign."""
        return float(abs(self.rotation[2, 0]))

    def local(self, points: Reals) -> NDArray[np.float64]:
        """Picture [N, 3] -> head frame [N, 3]."""
        return (points.astype(np.float64) - self.origin) @ self.rotation.T / self.unit

    def flat(self, points: Reals) -> NDArray[np.float64]:
        """Picture [..., 2] -> in-plane head coordinates [..., 2], as if all lay at eye depth."""
        axes = self.rotation[:2, :2] * self.unit
        return (points[..., :2] - self.origin[:2]) @ np.linalg.inv(axes)

    def picture(self, flat: Reals) -> NDArray[np.float64]:
        """In-plane head coordinates [..., 2] -> picture [..., 2] (inverse of `flat`)."""
        return flat @ (self.rotation[:2, :2] * self.unit) + self.origin[:2]

    def sample(self, image: Floats, x: Reals, y: Reals) -> Floats:
        """A picture [S, S] at in-plane head coordinates, each [H, W]; its border goes on."""
        where = self.picture(np.stack([x, y], -1)).astype(np.float32)
        out = cv2.remap(
            image, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(out, np.float32)

    def grid(self, size: int) -> tuple[Floats, Floats]:
        """In-plane head coordinates (x, y) of every pixel of a size x size picture."""
        inverse = np.linalg.inv(self.rotation[:2, :2] * self.unit)
        rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
        dx, dy = columns - np.float32(self.origin[0]), rows - np.float32(self.origin[1])
        inverse = inverse.astype(np.float32)
        return dx * inverse[0, 0] + dy * inverse[1, 0], dx * inverse[0, 1] + dy * inverse[1, 1]

    def facing(self, points: Reals) -> NDArray[np.float64]:
        """Depth component of the outward direction of landmarks; negative = to the camera."""
        local = self.local(points)
        centre = self.local(self.landmarks)[FACE_OVAL].mean(0) + np.array([0, 0, 0.35])
        outward = local - centre
        return outward @ self.rotation[:, 2] / np.linalg.norm(outward, axis=1)
