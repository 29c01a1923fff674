"""The toon's shape: a smooth deformation of the head plane, and its inverse for resampling.

The deformation is a sum of smooth bumps anchored at averages of landmarks, so that it is a smooth
function of them, cannot fold as long as the bumps stay gentle, and a network can learn it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.build import heaviness
from engines.faces.features import BROW, LID_POINTS, LOWER_LID, UPPER_LID, aperture
from engines.faces.head import CHIN, FACE_OVAL, MOUTH_CORNERS, Head
from engines.faces.pixels import Floats, Reals, step
from engines.training.artist.looks import Look

GRID = 160  # nodes per side on which the deformation is evaluated and inverted
INVERSION_STEPS = 28
STRONG_JAW = 0.6  # share of the look's jaw, neck and cheeks that the heaviest faces are spared
RELAXATION = 0.6  # converges while the stretch stays below 3.3


@dataclass(frozen=True)
class EyeShape:
    """How one eye changes."""

    centre: NDArray[np.float64]
    width: float  # head units
    scale_x: float
    scale_y: float
    opening: float  # extra lid distance, head units


@dataclass(frozen=True)
class Deformation:
    """Forward map of the in-plane head coordinates."""

    look: Look
    strength: float
    eyes: tuple[EyeShape, EyeShape]
    glasses: float
    front: float  # 1 for a frontal head, less when the nose stands against the far cheek
    anchors: dict[str, NDArray[np.float64]]
    half_width: float

    def __call__(self, flat: Reals) -> NDArray[np.float64]:
        """Move points [..., 2]."""
        moved = np.array(flat, np.float64)
        x, y = np.asarray(flat)[..., 0], np.asarray(flat)[..., 1]
        look, s = self.look, self.strength
        mouth, chin, nose = (self.anchors[name] for name in ("mouth", "chin", "nose"))
        middle = self.anchors["middle"]
        across = (x - middle[0]) / self.half_width
        beside = np.exp(-6 * np.maximum(np.abs(across) - 1, 0) ** 2)

        def bump(centre: Reals, width: float, height: float) -> NDArray[np.float64]:
            return np.exp(-(((x - centre[0]) / width) ** 2) - ((y - centre[1]) / height) ** 2)

        # Lower face: a narrower, slightly shorter jaw, a slimmer neck.
        down = (y - mouth[1]) / (chin[1] - mouth[1])
        lower = beside * np.exp(-1.2 * np.maximum(down - 1, 0) ** 2)
        jaw = 1 / (1 + np.exp(-5 * (down - 0.25)))
        moved[..., 0] += s * (look.jaw - 1) * (x - middle[0]) * jaw * lower
        drop = np.maximum(y - nose[1], 0)
        moved[..., 1] += s * (look.chin - 1) * drop * drop / (drop + 0.25) * lower * 1.25
        neck = _between(down, 0.9, 1.5) * _between(-down, -2.9, -1.9)
        moved[..., 0] += s * (look.neck - 1) * (x - middle[0]) * neck * beside
        # Cheeks: rounder.
        height = 0.75 * nose[1] + 0.25 * mouth[1]
        round_ = np.exp(-(((y - height) / 0.42) ** 2)) * beside
        moved[..., 0] += s * look.cheek * self.half_width * np.tanh(2 * across) * round_
        # Skull: larger above the eyes.
        above = _between(-y, -0.05, 1.0) * np.exp(
            -1.5 * np.maximum(-y - 2.0, 0) ** 2 - 2 * np.maximum(np.abs(x) - 1.5, 0) ** 2
        )
        moved[..., 0] += s * (look.head - 1) * (x - middle[0]) * above
        moved[..., 1] += s * (look.head - 1) * 1.3 * y * above
        # Nose: smaller, lifted.
        near = bump(nose, 0.38, 0.48) * s * self.front * (look.nose - 1)
        moved[..., 0] += (x - nose[0]) * near
        moved[..., 1] += (0.75 * (y - nose[1]) + 0.20) * near
        # Mouth: as wide as it was or wider, corners up.
        lips = np.exp(-(((x - mouth[0]) / 0.72) ** 4) - ((y - mouth[1]) / 0.36) ** 2)
        moved[..., 0] += s * (look.mouth - 1) * (x - mouth[0]) * lips
        for corner in ("mouth_left", "mouth_right"):
            moved[..., 1] -= s * look.smile * bump(self.anchors[corner], 0.26, 0.22)
        for eye, shape in enumerate(self.eyes):
            self._move_eye(moved, np.asarray(flat), shape, self.anchors[f"brow{eye}"])
        return moved

    def _move_eye(
        self, moved: NDArray[np.float64], flat: Reals, shape: EyeShape, brow: Reals
    ) -> None:
        """Scale an eye about its centre; under glasses on a wider plateau that holds the frame."""
        glasses = self.glasses
        offset = flat - shape.centre
        u = offset[..., 0] / (0.47 + 0.14 * glasses)
        v = offset[..., 1] / (0.41 + 0.20 * glasses)
        plateau = np.exp(-(u * u + v * v))  # steeper sides would fold at twice the height
        scale_y = shape.scale_y + (shape.scale_x - shape.scale_y) * 0.7 * glasses
        closer = -0.02 * np.tanh(4 * shape.centre[0]) * (shape.scale_x - 1)
        moved[..., 0] += ((shape.scale_x - 1) * offset[..., 0] + closer) * plateau
        moved[..., 1] += (scale_y - 1) * offset[..., 1] * plateau
        lids = np.exp(
            -((offset[..., 0] / (0.45 * shape.width)) ** 4) - (offset[..., 1] / 0.26) ** 2
        )
        side = np.tanh(offset[..., 1] / 0.08)
        amount = shape.opening * (1 - 0.6 * glasses)
        moved[..., 1] += amount * lids * (0.5 * side - 0.03)
        lift = self.look.brow_lift * self.strength * (1 - 0.75 * glasses)
        moved[..., 1] -= lift * np.exp(-(((flat - brow) / np.array([0.42, 0.18])) ** 2).sum(-1))


def _between(value: Reals, low: float, high: float) -> NDArray[np.float64]:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _with_own_jaw(look: Look, heavy: float) -> Look:
    """A heavy face keeps more of its jaw and neck: slim ones make a child of a man."""
    own = STRONG_JAW * heavy
    return replace(
        look,
        jaw=look.jaw + (1 - look.jaw) * own,
        chin=look.chin + (1 - look.chin) * own,
        neck=look.neck + (1 - look.neck) * own,
        cheek=look.cheek * (1 - own),
    )


def plan(
    head: Head,
    look: Look,
    openness: tuple[float, float],
    *,
    glasses: float = 0.0,
    sunglasses: float = 0.0,
) -> Deformation:
    """Fit a look to a face: eyes aim at a common size, closed and covered ones change less.

    Args:
        head: the pose.
        look: art direction.
        openness: 0 closed .. 1 open.
        glasses, sunglasses: likelihoods 0..1.
    """
    landmarks = head.landmarks.astype(np.float64)
    flat = head.flat(landmarks)
    strength = float(np.clip(look.strength, 0, 1))
    solid = head.local(landmarks)
    look = _with_own_jaw(look, heaviness(head))
    widths = np.array([np.linalg.norm(solid[u[0], :2] - solid[u[-1], :2]) for u in UPPER_LID])
    gaps = np.array(aperture(landmarks))
    alike = step(0.10, 0.05, float(abs(gaps[0] - gaps[1])))  # a wink keeps two values
    gaps, opened = (v + (v.mean() - v) * alike for v in (gaps, np.array(openness)))
    widths[:] = widths.mean()
    turned = 1 - 0.5 * step(0.15, 0.55, head.turn)  # the far eye would bulge over the cheek
    eyes = []
    for eye in range(2):
        amount = strength * (1 - 0.75 * sunglasses) * (0.35 + 0.65 * opened[eye]) * turned
        scale = float(np.clip(look.eye_width / widths[eye], *look.eye_scale))
        scale = 1 + (scale - 1) * (1 - 0.25 * glasses) * amount
        wanted = float(np.clip(look.eye_tall * gaps[eye], 0.0, 0.46)) / (gaps[eye] + 1e-3)
        tall = 1 + (max(wanted, 1.0) - 1) * amount * opened[eye]
        ids = LID_POINTS[eye]
        narrow = max(0.45 - gaps[eye] * tall, 0.0) * look.eye_opening * opened[eye] * amount
        eyes.append(
            EyeShape(
                flat[ids].mean(0),
                float(np.linalg.norm(flat[UPPER_LID[eye][0]] - flat[LOWER_LID[eye][-1]])),
                scale,
                scale * tall,
                narrow * widths[eye] * scale,
            )
        )
    sides = flat[FACE_OVAL][:, 0]
    anchors = {
        "mouth": flat[list(MOUTH_CORNERS)].mean(0),
        "mouth_left": flat[MOUTH_CORNERS[0]],
        "mouth_right": flat[MOUTH_CORNERS[1]],
        "chin": flat[CHIN],
        "nose": flat[[4, 2, 98, 327]].mean(0),
        "middle": np.array([(sides.min() + sides.max()) / 2, 0.0]),
        "brow0": flat[BROW[0]].mean(0),
        "brow1": flat[BROW[1]].mean(0),
    }
    front = 1 - 0.75 * step(0.25, 0.60, head.turn)
    return Deformation(
        look, strength, (eyes[0], eyes[1]), glasses, front, anchors,
        float(sides.max() - sides.min()) / 2,
    )  # fmt: skip


@dataclass(frozen=True)
class Warp:
    """A deformation in the picture: where each toon pixel comes from, where landmarks go."""

    source: Floats  # [S, S, 2] photo position (x, y) of every toon pixel
    landmarks: Floats  # [478, 3] toon positions
    smallest_jacobian: float  # of the forward map; positive = nothing folds

    def apply(self, image: Floats, interpolation: int = cv2.INTER_CUBIC) -> Floats:
        """Resample a photo-space picture into toon space."""
        return cv2.remap(
            image, self.source[..., 0], self.source[..., 1], interpolation,
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip

    def moves(self, grid: int) -> Floats:
        """Offset from each place to its source: [grid, grid, 2], 1 = the picture's side."""
        size = self.source.shape[0]
        pixels = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), -1)
        small = cv2.resize(self.source - pixels, (grid, grid), interpolation=cv2.INTER_AREA)
        return np.asarray(small / size, np.float32)


def least_stretch(shift: Reals, spacing: float = 1.0) -> float:
    """Smallest Jacobian where nodes `spacing` apart are moved by `shift` [R, C, 2] (x, y); 0 or
    less is a fold.
    """
    gradient_y, gradient_x = (np.gradient(shift, spacing, axis=axis) for axis in (0, 1))
    jacobian = (1 + gradient_x[..., 0]) * (1 + gradient_y[..., 1]) - (
        gradient_x[..., 1] * gradient_y[..., 0]
    )
    return float(jacobian.min())


def warp(head: Head, deformation: Deformation, size: int) -> Warp:
    """Evaluate a deformation on a grid, fade it out at the picture's edge and invert it."""
    spacing = (size - 1) / (GRID - 1)
    nodes = np.stack(np.meshgrid(*[np.arange(GRID, dtype=np.float64) * spacing] * 2), -1)
    shift = _edge_fade(nodes, size) * (head.picture(deformation(head.flat(nodes))) - nodes)
    smallest_jacobian = least_stretch(shift, spacing)
    shift = shift.astype(np.float32)
    start = nodes.astype(np.float32)
    back = np.zeros_like(shift)
    for _ in range(INVERSION_STEPS):  # fixed point of back(y) = -shift(y + back(y))
        where = (start + back) / np.float32(spacing)
        there = cv2.remap(
            shift, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        back -= np.float32(RELAXATION) * (back + there)
    columns, rows = np.meshgrid(*[np.arange(size, dtype=np.float32) / np.float32(spacing)] * 2)
    dense = cv2.remap(back, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    pixels = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), -1)
    landmarks = head.landmarks.astype(np.float64).copy()
    flat = landmarks[:, :2]
    moved = head.picture(deformation(head.flat(flat)))
    landmarks[:, :2] += _edge_fade(flat, size) * (moved - flat)
    return Warp(pixels + dense, landmarks.astype(np.float32), smallest_jacobian)


def _edge_fade(points: Reals, size: int) -> NDArray[np.float64]:
    """0 at the picture's border, 1 inside; [..., 1]."""
    inside = np.minimum(points, size - 1 - points).min(-1, keepdims=True)
    return _between(inside, 0.0, 0.14 * size)
