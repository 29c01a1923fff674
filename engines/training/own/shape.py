"""The shape of a style's faces, from landmarks, and people's pictures bent to it.

No picture of a style shows one of the people it is to be learned on, but both have landmarks in
the same aligned frame, and the middle face of many is known for each. What differs between the two
is the style's doing. Every person is bent by that difference: features are widened about their own
centres rather than moved to a place, so that a closed eye stays closed and a smile a smile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from engines.training.artist.geometry import least_stretch
from engines.training.artist.head import (
    BROW,
    EYE,
    FACE_OVAL,
    INNER_LIPS,
    IRIS,
    LIPS,
    LOWER_LID,
    MOUTH_CORNERS,
    NOSE_BASE,
    NOSE_TIP,
)
from engines.training.pairs.data import WARP_GRID

Floats = NDArray[np.float32]

FEWEST_FACES = 20
SCALES = (0.6, 2.0)  # how much smaller or larger a style may make an eye or a mouth
EYES = tuple([*ring, middle, *rim] for ring, (middle, rim) in zip(EYE, IRIS, strict=True))
MOUTH = [*LIPS, *INNER_LIPS]
GRID = 32  # places a side at which the thin plate is evaluated
BORDER_POINTS = 9  # a side, where nothing moves
STIFFNESS = 1e-4  # smoothing of the thin plate: landmarks of neighbours need not agree
LEAST_STRETCH = 0.15  # smallest Jacobian of the bent picture; 0 is a fold
# What is moved; the landmarks between follow.
PLACES = sorted({*FACE_OVAL, *NOSE_BASE, *MOUTH, *BROW[0], *BROW[1], *EYES[0], *EYES[1]})


@dataclass(frozen=True)
class Feature:
    """How a style changes an eye or the mouth.

    ``move``: float32 [2] of its centre, share of the picture's side; ``scale``: along and across.
    """

    ids: list[int]
    corners: tuple[int, int]
    move: Floats
    scale: tuple[float, float]

    def apply(self, points: Floats) -> Floats:
        """New places [K, 2] of its landmarks, given all of a person's [478, 2]."""
        mine = points[self.ids]
        centre, along, across = _frame(points, self.corners)
        offset = mine - centre
        along_, across_ = offset @ along * self.scale[0], offset @ across * self.scale[1]
        moved = centre + self.move + along_[:, None] * along + across_[:, None] * across
        return np.asarray(moved, np.float32)


@dataclass(frozen=True)
class Shape:
    """What a style does to the middle face of people.

    Attributes:
        middle: float32 [478, 2], the people's middle face, 1 = the picture's side.
        change: float32 [478, 2], from there to the style's middle face.
        features: the eyes and the mouth, which are scaled instead.
    """

    middle: Floats
    change: Floats
    features: tuple[Feature, ...]

    def apply(self, points: Floats) -> Floats:
        """Landmarks float32 [478, 2] of a person (1 = the picture's side) in the style's shape.

        The near and far half of a turned head are narrower and wider than the middle face's; they
        change in that measure.
        """
        axis, middle_axis = points[NOSE_TIP, 0], self.middle[NOSE_TIP, 0]
        wide = np.abs(points[:, 0] - axis) / (np.abs(self.middle[:, 0] - middle_axis) + 1e-3)
        moved = points + self.change * np.stack([np.clip(wide, 0, 1.2), np.ones_like(wide)], 1)
        for feature in self.features:
            moved[feature.ids] = feature.apply(points)
        return np.asarray(moved, np.float32)

    def bend(self, points: Floats) -> Floats:
        """Where each place of a person's bent picture comes from: as `PairSet.warp`, float32
        [64, 64, 2]; weakened until nothing folds.
        """
        way = self.apply(points) - points
        for strength in (1.0, 0.7, 0.4):
            warp = plate(points, points + strength * way)
            if warp is not None:
                return warp
        return np.zeros((WARP_GRID, WARP_GRID, 2), np.float32)


def plate(here: Floats, goal: Floats) -> Floats | None:
    """Where each place of a picture comes from whose landmarks ``here`` are moved to ``goal``.

    Args:
        here, goal: float32 [478, 2], 1 = the picture's side.

    Returns:
        As `PairSet.warp`, float32 [64, 64, 2], of a thin plate; None when it folds.
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
    """What tells a style's faces from people's.

    Args:
        style, people: float32 [N, 478, 2] landmarks of aligned pictures, 1 = the picture's side;
            rows of NaN are faces that were not found.

    Returns:
        None when either has fewer than 20 faces.
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
    """``alike``: heights are those of an expression, so both are scaled as the width is."""
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
    """Centre between two corners, the direction from one to the other and that across it, each
    [..., 2], for landmarks [..., 478, 2].
    """
    first, second = points[..., corners[0], :], points[..., corners[1], :]
    along = (second - first) / (np.linalg.norm(second - first, axis=-1, keepdims=True) + 1e-6)
    across = np.stack([-along[..., 1], along[..., 0]], -1)
    return (first + second) / 2, along, across
