"""The shape of a style's faces, learned from landmarks, and pictures of people bent to it.

No picture of a style shows any of the people it is learned on, but both have landmarks in the same
aligned frame. The difference between the median face of the style and that of people is what the
style does, and every person is bent by it. Features are scaled about their own centres instead of
moved to fixed places, so a closed eye stays closed and a smile stays a smile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from engines.faces.features import BROW, EYE, IRIS, LOWER_LID
from engines.faces.head import (
    FACE_OVAL,
    INNER_LIPS,
    LIPS,
    MOUTH_CORNERS,
    NOSE_BASE,
    NOSE_TIP,
)
from engines.training.artist.geometry import least_stretch
from engines.training.pairs.pair_set import WARP_GRID

Floats = NDArray[np.float32]

FEWEST_FACES = 20
SCALES = (0.6, 2.0)  # least and most by which a style may scale an eye or a mouth
EYES = tuple([*ring, middle, *rim] for ring, (middle, rim) in zip(EYE, IRIS, strict=True))
MOUTH = [*LIPS, *INNER_LIPS]
GRID = 32  # places a side at which the thin-plate spline is evaluated
BORDER_POINTS = 9  # fixed points on each side of the picture
STIFFNESS = 1e-4  # smoothing of the spline: neighbouring landmarks need not agree exactly
LEAST_STRETCH = 0.15  # smallest Jacobian allowed in the bent picture; 0 is a fold
# The landmarks that are moved; those between them follow.
PLACES = sorted({*FACE_OVAL, *NOSE_BASE, *MOUTH, *BROW[0], *BROW[1], *EYES[0], *EYES[1]})


@dataclass(frozen=True)
class Feature:
    """How a style changes an eye or the mouth.

    Attributes:
        ids: its landmarks.
        corners: the two landmarks at its ends.
        move: float32 [2], shift of its centre, 1 = the picture's side.
        scale: factors along the line between the corners and across it.
    """

    ids: list[int]
    corners: tuple[int, int]
    move: Floats
    scale: tuple[float, float]

    def apply(self, points: Floats) -> Floats:
        """New places [K, 2] of its landmarks, given all landmarks [478, 2] of a person."""
        mine = points[self.ids]
        centre, along, across = _frame(points, self.corners)
        offset = mine - centre
        along_, across_ = offset @ along * self.scale[0], offset @ across * self.scale[1]
        moved = centre + self.move + along_[:, None] * along + across_[:, None] * across
        return np.asarray(moved, np.float32)


@dataclass(frozen=True)
class Shape:
    """How a style changes the shape of faces.

    Attributes:
        middle: float32 [478, 2], the median face of people, 1 = the picture's side.
        change: float32 [478, 2], from there to the style's median face.
        features: the eyes and the mouth, which are scaled instead.
    """

    middle: Floats
    change: Floats
    features: tuple[Feature, ...]

    def apply(self, points: Floats) -> Floats:
        """Landmarks float32 [478, 2] of a person (1 = the picture's side) in the style's shape.

        In a turned head, one half is narrower than in the median face and the other one wider;
        the change is scaled accordingly.
        """
        axis, middle_axis = points[NOSE_TIP, 0], self.middle[NOSE_TIP, 0]
        wide = np.abs(points[:, 0] - axis) / (np.abs(self.middle[:, 0] - middle_axis) + 1e-3)
        moved = points + self.change * np.stack([np.clip(wide, 0, 1.2), np.ones_like(wide)], 1)
        for feature in self.features:
            moved[feature.ids] = feature.apply(points)
        return np.asarray(moved, np.float32)

    def bend(self, points: Floats) -> Floats:
        """The warp that bends a person's picture, weakened until nothing folds.

        Returns:
            float32 [64, 64, 2] as `PairSet.warp`.
        """
        way = self.apply(points) - points
        for strength in (1.0, 0.7, 0.4):
            warp = plate(points, points + strength * way)
            if warp is not None:
                return warp
        return np.zeros((WARP_GRID, WARP_GRID, 2), np.float32)


def plate(here: Floats, goal: Floats) -> Floats | None:
    """The thin-plate warp of a picture that moves landmarks from `here` to `goal`.

    Args:
        here, goal: float32 [478, 2], 1 = the picture's side.

    Returns:
        float32 [64, 64, 2] as `PairSet.warp`; None when it folds.
    """
    line = np.linspace(0, 1, BORDER_POINTS, dtype=np.float32)
    edge = np.array([(x, y) for x in line for y in line if x in (0, 1) or y in (0, 1)])
    centres = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
    grid = np.stack(np.meshgrid(centres, centres), -1).reshape(-1, 2)
    spline = RBFInterpolator(
        np.concatenate([goal[PLACES], edge]),
        np.concatenate([(here - goal)[PLACES], np.zeros_like(edge)]),
        kernel="thin_plate_spline",
        smoothing=STIFFNESS,
    )
    coarse = spline(grid).reshape(GRID, GRID, 2).astype(np.float32)
    warp = cv2.resize(coarse, (WARP_GRID, WARP_GRID), interpolation=cv2.INTER_CUBIC)
    folds = least_stretch(warp * WARP_GRID) < LEAST_STRETCH
    return None if folds else np.asarray(warp, np.float32)


class Faces(Protocol):
    """Square pictures with landmarks: a `PairSet`, or `engines.training.pairs.portraits.Crops`."""

    @property
    def landmarks(self) -> Floats: ...

    @property
    def size(self) -> int: ...


def in_sides(faces: Faces) -> Floats:
    """Landmarks float32 [N, 478, 2] of pictures, 1 = their side."""
    return np.asarray(faces.landmarks / faces.size, np.float32)


def learn_shape(style: Floats, people: Floats) -> Shape | None:
    """Learn how a style's faces differ from people's.

    Args:
        style, people: float32 [N, 478, 2] landmarks of aligned pictures, 1 = the picture's side;
            rows of NaN are faces that were not found.

    Returns:
        the difference, or None when either has fewer than 20 faces.
    """
    style, people = (faces[np.isfinite(faces).all((1, 2))] for faces in (style, people))
    if min(len(style), len(people)) < FEWEST_FACES:
        return None
    middle, goal = (np.median(faces, axis=0).astype(np.float32) for faces in (people, style))
    features = [
        _feature(ids, (lid[0], lid[-1]), people, style)
        for ids, lid in zip(EYES, LOWER_LID, strict=True)
    ]
    features.append(_feature(MOUTH, MOUTH_CORNERS, people, style, alike=True))
    return Shape(middle, goal - middle, tuple(features))


def _feature(
    ids: list[int], corners: tuple[int, int], people: Floats, style: Floats, *, alike: bool = False
) -> Feature:
    """The change of one feature.

    Args:
        ids, corners: as in `Feature`.
        people, style: as in `learn_shape`, without NaN.
        alike: scale the height like the width, where the height is part of the expression.
    """
    sizes = []
    for faces in (people, style):
        centres, along, across = _frame(faces, corners)
        offsets = faces[:, ids] - centres[:, None]
        extents = [np.ptp((offsets * axis[:, None]).sum(-1), axis=1) for axis in (along, across)]
        sizes.append((np.median(centres, axis=0), *(np.median(extent) for extent in extents)))
    (centre, width, height), (goal, wide, high) = sizes
    scales = wide / width, (wide / width if alike else high / height)
    first, second = (float(np.clip(scale, *SCALES)) for scale in scales)
    return Feature(ids, corners, np.asarray(goal - centre, np.float32), (first, second))


def _frame(
    points: NDArray[Any], corners: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Centre of two corners, unit vector from one to the other, and the one across it.

    Each is [..., 2], for landmarks [..., 478, 2].
    """
    first, second = points[..., corners[0], :], points[..., corners[1], :]
    along = (second - first) / (np.linalg.norm(second - first, axis=-1, keepdims=True) + 1e-6)
    across = np.stack([-along[..., 1], along[..., 0]], -1)
    return (first + second) / 2, along, across
