"""Where a face is in its toon and how it is curved, by its landmarks and the toon's map alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW, EYE
from engines.faces.head import CHIN, LIPS, NOSE, NOSE_TIP
from engines.faces.pixels import SUBPIXEL_BITS, Floats, polygon, smoothstep, step
from engines.pictures import FloatMask, Image
from realtime.toons.finish.colour import COARSE, Field
from realtime.toons.finish.drawn import Drawn
from realtime.toons.places import moves, shifted

PLANES = 32  # places a side at which planes are laid; curves of a face are wider
MESH = 468  # landmarks of a face without its irises
SMOOTH = 0.042  # reach within which landmarks make one plane, in the crop's sides
SPREAD = 1e-5  # least spread of landmarks, in square sides: few or aligned ones make no plane
EDGE, INSIDE = 0.018, 0.035
"""How softly a face's mask ends, and how far inside its outline, in the crop's sides."""
TURNED = (0.25, 0.55)  # how much of a place faces the camera: no light .. all of it
FEATURES = ((LIPS, 1), *((ids, 0) for ids in BROW), *((ids, 0.03 * COARSE) for ids in EYE))
"""Landmarks about what is not bare skin, and how far beyond them, in places of `COARSE`."""
SOFT = 0.016  # how softly skin ends there and at things, in the crop's sides
SPOTS = (151, 108, 337, 118, 347, 193, 417, 50, 280)
"""Landmarks of forehead, cheeks and the root of the nose: mask or fringe covers some of them."""
FLANKS = (
    (244, 188, 217, 126, 209, 49),
    (464, 412, 437, 355, 429, 279),
)
"""From beside the root of a nose down its slopes; from higher up they would leave a pale stripe."""
FLANK, FLANK_SOFT = 4, 0.022  # width of their shade in quarters of a place, and how softly it lies
SPOT = 0.02  # their radius, in the crop's sides
SEEN = 12  # places of spots from which on their colour is known
PROFILE = (0.35, 0.90)
"""How far the nose is from the middle between the ears, in shares of half of what is between them:
a face towards the camera .. a profile."""
EARS = [234, 454]  # landmarks
FOREHEAD = [10, 109, 338, 67, 297, 103, 332, 54, 284]  # landmarks below the hairline
HIGHER = 0.35  # how far a forehead can go on above them, in shares of the way to the chin


class Surface(NamedTuple):
    """A face as its toon shows it.

    Attributes:
        facing: float32 [COARSE, COARSE, 3], unit normals: the frame's right, its down, towards
            the camera.
        face: float32 [COARSE, COARSE] in [0, 1], where there is a face that they are known of.
        bare: the same without eyes, brows and lips.
        plain: the same without the nose.
        wide: `face` as far as its skin can go on, above the landmarks of the forehead.
        flanks: float32 [COARSE, COARSE, 2] in [0, 1], the left and the right slope of its nose.
        spots: float32 [COARSE, COARSE] in [0, 1], where a face shows its skin first.
        photo: `bare` where the photo shows it.
        front: see `frontness`.
    """

    facing: Floats
    face: FloatMask
    bare: FloatMask
    plain: FloatMask
    wide: FloatMask
    flanks: Floats
    spots: FloatMask
    photo: FloatMask
    front: float

    def colour(self, lab: Field) -> NDArray[np.float32] | None:
        """Of a toon's skin: the median of L, a, b in its `spots`; None where hardly one is seen.

        Args:
            lab: float32 [COARSE, COARSE, 3], CIELAB of the toon.
        """
        shown = lab[self.spots > 0.5]
        return np.median(shown, 0).astype(np.float32) if len(shown) >= SEEN else None


def surface_of(drawn: Drawn, plan: NDArray[np.float32]) -> Surface:
    """The surface of a toon's face.

    Args:
        drawn: the toon; the depth of its landmarks has their unit and grows away from the camera.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
    """
    points = drawn.points
    facing = _normals(points)
    at = np.asarray(points[:MESH, :2] * COARSE - 0.5, np.float32)
    face = polygon(COARSE, cv2.convexHull(at)[:, 0], EDGE * COARSE, -INSIDE * COARSE)
    face = np.asarray(face * smoothstep(*TURNED, facing[..., 2]), np.float32)
    marks = np.zeros((COARSE, COARSE), np.float32)
    for ids, grow in FEATURES:
        feature = cv2.convexHull(at[ids])[:, 0]
        cv2.max(marks, polygon(COARSE, feature, 0.0, grow), dst=marks)
    bare = np.asarray(face * (1 - cv2.GaussianBlur(marks, (0, 0), SOFT * COARSE)), np.float32)
    plain = bare * (1 - polygon(COARSE, cv2.convexHull(at[NOSE])[:, 0], SOFT * COARSE))
    spots = np.zeros((COARSE, COARSE), np.float32)
    for x, y in np.rint(at[list(SPOTS)]).astype(int).tolist():
        cv2.circle(spots, (x, y), round(SPOT * COARSE), 1.0, cv2.FILLED)
    flanks = _flanks(points)
    higher = at[FOREHEAD] + HIGHER * (at[FOREHEAD] - at[CHIN])
    whole = cv2.convexHull(np.concatenate([at, higher]))[:, 0]
    wide = np.maximum(face, polygon(COARSE, whole, 2 * EDGE * COARSE, -INSIDE * COARSE))
    parts = np.dstack([facing, face, bare, plain, wide, spots, flanks]).astype(np.float32)
    placed = shifted(parts, moves(plan, COARSE))
    facing = _in_frame(placed[..., :3], drawn.right)
    face, shown, plain, wide, spots = (placed[..., part] for part in range(3, 8))
    flanks = placed[..., 8:]
    return Surface(facing, face, shown, plain, wide, flanks, spots, bare, frontness(points))


def _flanks(points: NDArray[np.floating]) -> Floats:
    """Where a photo shows the slopes of a nose: float32 [COARSE, COARSE, 2] in [0, 1]."""
    side = 4 * COARSE  # lines of one place would be rough
    both = []
    for ids in FLANKS:
        fine = np.zeros((side, side), np.uint8)
        line = (points[list(ids), :2] * side - 0.5) * (1 << SUBPIXEL_BITS)
        line = np.rint(line).astype(np.int32)
        cv2.polylines(fine, [line], False, 255, FLANK, cv2.LINE_AA, SUBPIXEL_BITS)
        both.append(cv2.resize(fine, (COARSE, COARSE), interpolation=cv2.INTER_AREA))
    lines = np.dstack(both).astype(np.float32) / np.float32(255)
    return cv2.GaussianBlur(lines, (0, 0), FLANK_SOFT * COARSE)


def frontness(points: NDArray[np.floating]) -> float:
    """1 for a face towards the camera .. 0 for a profile.

    Args:
        points: [478, >=2], landmarks of an upright head.
    """
    left, right = points[EARS, 0]
    aside = abs(2 * points[NOSE_TIP, 0] - left - right) / max(abs(right - left), 1e-6)
    return 1 - step(*PROFILE, float(aside))


def skin_of(toon: Image, at: NDArray[np.floating]) -> NDArray[np.float32]:
    """The colour of a toon's skin, BGR in 0..255: float32 [3]. A few of the `SPOTS` that a mask, a
    fringe or the room behind a turned head takes do not count.

    Args:
        toon: uint8 [h, w, 3] BGR.
        at: [478, >=2], the face's landmarks in it, pixels; whole numbers are their middles.
    """
    return colour_at(toon, at, SPOTS)


def colour_at(
    picture: Image | Floats, at: NDArray[np.floating], ids: Sequence[int]
) -> NDArray[np.float32]:
    """The median colour of a picture [h, w, 3] at some landmarks: float32 [3]; `at` as for
    `skin_of`."""
    most = np.array(picture.shape[1::-1]) - 1
    x, y = np.clip(np.rint(at[list(ids), :2]), 0, most).astype(int).T
    return np.median(picture[y, x], 0).astype(np.float32)


def _normals(points: NDArray[np.floating]) -> Floats:
    """Unit normals of a face, [COARSE, COARSE, 3], in the photo: about each of `PLANES` x `PLANES`
    places a plane is laid through the depth of the landmarks near it, by weighted least squares."""
    x, y, depth = np.asarray(points[:MESH, :3] - (*points[:MESH, :2].mean(0), 0), np.float32).T
    moments = (np.ones_like(x), x, y, x * x, x * y, y * y, depth, x * depth, y * depth)
    column, row = np.floor(points[:MESH, :2] * PLANES).astype(int).T
    inside = (np.minimum(column, row) >= 0) & (np.maximum(column, row) < PLANES)
    place = (row * PLANES + column)[inside]
    sums = [np.bincount(place, moment[inside], PLANES**2) for moment in moments]
    stack = np.stack(sums, -1).reshape(PLANES, PLANES, 9).astype(np.float32)
    sums_near = cv2.GaussianBlur(stack, (0, 0), SMOOTH * PLANES)
    mean = np.asarray(sums_near / np.maximum(sums_near[..., :1], 1e-4), np.float32)
    _, ex, ey, exx, exy, eyy, ez, exz, eyz = np.moveaxis(mean, -1, 0)
    xx, yy, xy = exx - ex * ex + SPREAD, eyy - ey * ey + SPREAD, exy - ex * ey
    xz, yz = exz - ex * ez, eyz - ey * ez
    size = xx * yy - xy * xy
    # Depth grows away from the camera.
    slopes = np.dstack([xz * yy - yz * xy, yz * xx - xz * xy, size])
    slopes /= np.linalg.norm(slopes, axis=2, keepdims=True)
    slopes = cv2.resize(slopes, (COARSE, COARSE))
    return np.asarray(slopes / np.linalg.norm(slopes, axis=2, keepdims=True), np.float32)


def _in_frame(facing: Floats, right: tuple[float, float]) -> Floats:
    """Normals in the frame, of a crop whose right is there: the light of a room does not turn with
    a head."""
    x, y = right
    turn = np.array([[x, -y, 0], [y, x, 0], [0, 0, 1]], np.float32)
    return np.asarray(cv2.transform(facing, turn), np.float32)
