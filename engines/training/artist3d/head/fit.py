"""The head model fitted to one face: camera, identity, expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Reals
from engines.training.artist3d.head.rig import Rig

DISTANCE = 85.0  # of the camera from the head, centimetres: a portrait's perspective
ORIGIN = np.array([0.0, 0.0, 4.0])  # of the head's rotation, rig space
ROUNDS = 6
DEPTH_WEIGHT = 0.35  # MediaPipe's z is an estimate
IDENTITY_STIFFNESS, EXPRESSION_STIFFNESS = 0.55, 2.2  # centimetres a unit coefficient costs


@dataclass(frozen=True)
class Camera:
    """Weak perspective: rotation, scale, centre.

    Attributes:
        rotation: [3, 3] rig space to camera space (x right, y up, z to the viewer).
        scale: pixels a centimetre at the origin's depth.
        centre: [2] picture position of the origin, pixels.
    """

    rotation: NDArray[np.float64]
    scale: float
    centre: NDArray[np.float64]

    def turn(self, points: Reals) -> NDArray[np.float64]:
        """Rig space [N, 3] to camera space, centimetres."""
        return (points - ORIGIN) @ self.rotation.T

    def project(self, points: Reals) -> NDArray[np.float64]:
        """Rig space [N, 3] to picture x, y and depth towards the viewer, pixels."""
        p = self.turn(points)
        k = self.scale / (1 - p[:, 2] / DISTANCE)
        return np.stack(
            [self.centre[0] + k * p[:, 0], self.centre[1] - k * p[:, 1], self.scale * p[:, 2]], 1
        )

    def scale_at(self, point: Reals) -> float:
        """Pixels a centimetre at a point [3] of rig space."""
        return float(self.scale / (1 - self.turn(point[None])[0, 2] / DISTANCE))


@dataclass(frozen=True)
class Fit:
    """A fitted head.

    Attributes:
        camera: how it is seen.
        vertices: [V, 3] with expression, on the landmarks.
        neutral: [V, 3] identity alone.
        identity: [100] coefficients, standard deviations.
        expression: strength of each of the rig's expressions.
        error: root mean square distance to the landmarks before the last residual is spread,
            pixels.
    """

    camera: Camera
    vertices: NDArray[np.float64]
    neutral: NDArray[np.float64]
    identity: NDArray[np.float64]
    expression: dict[str, float]
    error: float


def fit_head(rig: Rig, landmarks: Reals, blendshapes: dict[str, float]) -> Fit:
    """Solve pose and shape in turn by regularised least squares, then spread what is left.

    Args:
        rig: the head model.
        landmarks: [468 or more, 3] MediaPipe landmarks, pixels, z on the scale of x.
        blendshapes: MediaPipe's scores by name, 0..1; missing ones count as 0.
    """
    target = np.asarray(landmarks, np.float64)[:468] * [1, -1, -1]
    count = len(rig.names)
    start = np.array([blendshapes.get(name, 0.0) for name in rig.names])
    base = rig.at_landmarks(rig.base)
    shapes = np.concatenate([rig.identities, rig.expressions])
    modes = np.einsum(
        "nk,mnkd->mnd", rig.landmark_weights, shapes[:, rig.landmark_vertices]
    ).astype(np.float64)
    flat_modes = modes.reshape(len(modes), -1, 3)
    coefficients = np.r_[np.zeros(100), start]
    stiff = np.r_[np.full(100, IDENTITY_STIFFNESS), np.full(count, EXPRESSION_STIFFNESS)]
    pull = stiff * stiff * np.r_[np.zeros(100), start]
    low = np.r_[np.full(100, -3.0), np.full(count, -0.15)]
    high = np.r_[np.full(100, 3.0), np.full(count, 1.3)]
    weight = np.array([1.0, 1.0, DEPTH_WEIGHT])
    closeness = np.ones(468)  # 1 - depth / camera distance
    centre = target[:, :2].mean(0)
    for _ in range(ROUNDS):
        shape = base + np.tensordot(coefficients, modes, 1) - ORIGIN
        rotation = _rotation(shape, target, centre, closeness)
        turned = shape @ rotation.T
        closeness = 1 - turned[:, 2] / DISTANCE
        seen = turned[:, :2] / closeness[:, None]
        seen_mean, mean = seen.mean(0), target[:, :2].mean(0)
        spread = seen - seen_mean
        scale = float((spread * (target[:, :2] - mean)).sum() / (spread**2).sum())
        centre = mean - scale * seen_mean
        depth = target[:, 2] / scale
        depth = depth - depth.mean() + turned[:, 2].mean()
        goal = np.column_stack([(target[:, :2] - centre) / scale * closeness[:, None], depth])
        wanted = ((goal - (base - ORIGIN) @ rotation.T) * weight).ravel()
        rows = ((flat_modes @ rotation.T) * weight).reshape(len(modes), -1)
        system = rows @ rows.T + np.diag(stiff * stiff)
        coefficients = np.clip(np.linalg.solve(system, rows @ wanted + pull), low, high)
    camera = Camera(rotation, scale, centre * [1, -1])
    one = coefficients.astype(np.float32)
    neutral = rig.base + np.tensordot(one[:100], rig.identities, 1)
    full = neutral + np.tensordot(one[100:], rig.expressions, 1)
    placed = camera.turn(rig.at_landmarks(full))
    closeness = 1 - placed[:, 2] / DISTANCE
    there = (target[:, :2] - centre) / scale * closeness[:, None]
    residual = np.column_stack([there - placed[:, :2], np.zeros(468)])
    error = float(np.sqrt((residual[:, :2] ** 2).sum(1).mean()) * scale)
    full = full + (rig.spread @ (residual @ rotation).astype(np.float32))
    return Fit(
        camera, full.astype(np.float64), neutral.astype(np.float64), coefficients[:100],
        dict(zip(rig.names, coefficients[100:].tolist(), strict=True)), error,
    )  # fmt: skip


def _rotation(shape: Reals, target: Reals, centre: Reals, closeness: Reals) -> NDArray[np.float64]:
    """Rotation [3, 3] that best turns a shape into perspective-corrected targets (Kabsch)."""
    goal = np.column_stack(
        [(target[:, :2] - centre) * closeness[:, None], target[:, 2] - target[:, 2].mean()]
    )
    u, _, vt = np.linalg.svd((goal - goal.mean(0)).T @ (shape - shape.mean(0)))
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    return u @ flip @ vt
