"""Light and shade on a face's own relief, as a film's renderer gives them.

A network that learns from mean errors draws skin evenly lit, which is taken for a retouched photo.
The landmarks' depth says how the face is curved; a soft key light from the side from which the toon
is lit, and its gloss, make a solid head of it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW, EYE
from engines.faces.head import LIPS, NOSE, NOSE_TIP
from engines.faces.pixels import Floats, polygon, smoothstep, step
from engines.pictures import FloatMask
from realtime.toons.finish.colour import COARSE, Field, like_skin, shrink_mask
from realtime.toons.finish.drawn import Drawn
from realtime.toons.places import moves, shifted

PLANES = 32  # places a side at which planes are laid; curves of a face are wider
MESH = 468  # landmarks of a face without its irises
SMOOTH = 0.042  # reach within which landmarks make one plane, in the crop's sides
SPREAD = 1e-5  # least spread of landmarks, in square sides: few or aligned ones make no plane
EDGE, INSIDE = 0.018, 0.035
"""How softly a face's light ends, and how far inside its outline, in the crop's sides."""
TURNED = (0.25, 0.55)  # how much of a place faces the camera: no light .. all of it
FEATURES = ((LIPS, 1), *((ids, 0) for ids in BROW), *((ids, 0.03 * COARSE) for ids in EYE))
"""Landmarks about what gets no gloss, and how far beyond them, in places of `COARSE`."""
SOFT = 0.016  # how softly gloss ends there
DARK = (-28.0, -8.0)  # L* by which a place is darker than the face: beard, no gloss .. skin, all
KEY = (0.55, -0.55, 0.75)  # where the key light is, if it is wholly to one side: right, down, front
LIT = 8.0  # L* for each unit of the normal, at which a face is clearly lit from one side
SHEEN, SHEEN_EDGE = 0.15, 8  # of the gloss: how strong, and how narrow (Blinn's exponent)
SPOT, SPOT_EDGE = 0.22, 30  # of its middle
CAMERA = np.array([0, 0, 1], np.float32)
PROFILE = (0.35, 0.90)
"""How far the nose is from the middle between the ears, in shares of half of what is between them:
all of the gloss .. none, as a cheek that faces the camera would glare as a mirror does."""
EARS = [234, 454]  # landmarks
CONTRAST = (6.0, 14.0)  # deviation of L* in a photo's face: fog, or a grey room .. a clear light
DULL = 0.018  # how softly gloss lies on skin, in the crop's sides: a sharp nose is a stripe
GLOSS = (0.86, 0.94, 1.0)  # its colour, BGR
COVER = 0.6  # share of the skin's own light that gloss covers
SHADE = 0.22  # of what faces away from the key light
SHADED = (0.55, -0.1)  # cosine of the angle to it: lit .. in full shade
WARM = (1.15, 1.0, 0.8)  # how much of it blue, green and red lose: red light goes through skin


class Relief(NamedTuple):
    """How a toon's face is curved.

    Attributes:
        facing: float32 [COARSE, COARSE, 3], unit normals: the frame's right, its down, towards
            the camera.
        face: float32 [COARSE, COARSE] in [0, 1], where there is a face that they are known of, and
            nothing of another colour before it.
        skin: the same without eyes, brows, lips and what is as dark as a beard.
        plain: the same without the nose.
        front: 1 for a face towards the camera .. 0 for a profile.
    """

    facing: Floats
    face: FloatMask
    skin: FloatMask
    plain: FloatMask
    front: float


def relief_of(drawn: Drawn, plan: NDArray[np.float32], lab: Field) -> Relief:
    """The relief of a face, as its toon shows it.

    Args:
        drawn: the toon; the depth of its landmarks has their unit and grows away from the camera.
        plan: float32 [3, M, M], see `realtime.toons.detail.Detail`.
        lab: float32 [COARSE, COARSE, 3], CIELAB of the toon.
    """
    points = drawn.points
    facing = _normals(points)
    at = np.asarray(points[:MESH, :2] * COARSE - 0.5, np.float32)
    outline = cv2.convexHull(at)[:, 0]
    face = polygon(COARSE, outline, EDGE * COARSE, -INSIDE * COARSE)
    face = face * smoothstep(*TURNED, facing[..., 2])
    marks = np.zeros((COARSE, COARSE), np.float32)
    for ids, grow in FEATURES:
        feature = cv2.convexHull(at[ids])[:, 0]
        cv2.max(marks, polygon(COARSE, feature, 0.0, grow), dst=marks)
    bare = face * (1 - cv2.GaussianBlur(marks, (0, 0), SOFT * COARSE))
    nose = polygon(COARSE, cv2.convexHull(at[NOSE])[:, 0], SOFT * COARSE)
    placed = shifted(np.dstack([facing, face, bare, bare * (1 - nose)]), moves(plan, COARSE))
    facing, bare = placed[..., :3], placed[..., 4]
    middle = np.median(lab[bare >= 0.5 * bare.max()], axis=0)
    like = cv2.GaussianBlur(like_skin(lab, middle), (0, 0), SOFT * COARSE)
    like = np.asarray(like * shrink_mask(drawn.head), np.float32)
    face = np.asarray(placed[..., 3] * like, np.float32)
    like = np.asarray(like * smoothstep(*DARK, lab[..., 0] - np.float32(middle[0])), np.float32)
    skin, plain = (np.asarray(placed[..., part] * like, np.float32) for part in (4, 5))
    left, right = points[EARS, 0]
    aside = abs(2 * points[NOSE_TIP, 0] - left - right) / max(abs(right - left), 1e-3)
    front = 1 - step(*PROFILE, float(aside))
    return Relief(_in_frame(facing, drawn.right), face, skin, plain, front)


def side_of_light(relief: Relief, light: Floats) -> float:
    """From where a toon's face is lit: -1 the frame's left .. 1 its right.

    Args:
        relief: of the face.
        light: float32 [COARSE, COARSE], L* of the toon.
    """
    weight, across = relief.skin, relief.facing[..., 0]
    total = float(weight.sum())
    if total < 1:
        return 0.0
    off = across - float((weight * across).sum()) / total
    slope = float((weight * off * light).sum()) / max(float((weight * off * off).sum()), 1e-3)
    return float(np.tanh(slope / LIT))


def hardness(relief: Relief, light: Floats) -> float:
    """How clear the light on a photo's face is, 0 for fog and grey rooms .. 1.

    Args:
        relief: of the face.
        light: float32 [COARSE, COARSE], L* of the photo.
    """
    total = float(relief.face.sum())
    if total < 1:
        return 0.0
    mean = float((relief.face * light).sum()) / total
    return step(*CONTRAST, float(np.sqrt((relief.face * (light - mean) ** 2).sum() / total)))


def relief_field(relief: Relief, toon: Field, side: float, hard: float) -> Field:
    """What to add to a toon to light the skin of its face.

    Args:
        relief: of the face.
        toon: float32 [COARSE, COARSE, 3] BGR, 0..255.
        side: from where the key light comes, see `side_of_light`.
        hard: how clear the light is, see `hardness`: in fog nothing shines.

    Returns:
        float32 [COARSE, COARSE, 3] BGR, 0..255 scale.
    """
    key = _unit(np.array(KEY) * (side, 1, 1))
    half = _unit(key + CAMERA)  # Blinn, "Models of Light Reflection" (1977)
    towards, lit = cv2.split(cv2.transform(relief.facing, np.stack([half, key])))  # cosines
    towards = np.maximum(towards, 0)
    sharp = relief.skin * (SHEEN * towards**SHEEN_EDGE + SPOT * towards**SPOT_EDGE)
    gloss = hard * relief.front * cv2.GaussianBlur(sharp, (0, 0), DULL * COARSE)
    shade = SHADE * (1 + hard) / 2 * relief.face * smoothstep(*SHADED, lit)
    shaded = toon * (1 - shade[..., None] * np.array(WARM, np.float32))
    glossy = shaded + gloss[..., None] * (255 * np.array(GLOSS, np.float32) - COVER * shaded)
    return np.asarray(glossy - toon, np.float32)


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


def _unit(vector: NDArray[np.floating]) -> Floats:
    """A vector [3] of length 1."""
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
