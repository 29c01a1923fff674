"""A photo shown from another side: the person turned in three dimensions before its background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import crop_transform, invert, transform_points
from engines.faces.head import FACE_OVAL
from engines.faces.pixels import Floats, Reals, blur, disc, mix, polygon, smoothstep
from engines.training.artist import masks
from engines.training.artist3d.head.fit import ORIGIN, Fit, fit_head
from engines.training.artist3d.head.raster import interpolate, rasterise
from engines.training.artist3d.head.rig import CHIN, Rig, RigError, default_rig
from engines.training.artist3d.segment import FaceParts, segment
from engines.training.pairs.turned.depth import (
    STEP,
    Sheets,
    find_sheets,
    nodes,
    project,
    unproject,
)
from engines.training.pairs.turned.fill import continue_outwards

PIVOT_DEPTH = -2.0  # of the neck, rig space, centimetres
SHOULDER = 8.0  # centimetres under the chin, where the body begins to stay behind
BODY_SHARE = 0.3  # of the turn that shoulders take
FINE = 2  # samples a pixel, each way
SEAM = 6  # pixels by which the back reaches under the front's soft edge

LARGEST_YAW, LARGEST_PITCH = 60.0, 28.0  # of a turned head, degrees
OWN_YAW = (10.0, 45.0)  # of a head that can be turned: a frontal one hides the side of its head
LARGEST_ERROR = 6.0  # of the fit, pixels
THING_SHARE = 0.02  # of the picture, covered by a hand or a thing
SPECTACLES_SHARE = 0.003  # of the picture; their temples and far lens would not turn with the face
STRETCH, STRETCHED_SHARE = 4.0, 0.02  # how far the face's texture may be pulled, how much of it


@dataclass(frozen=True)
class _Layers:
    """What the sheets show: float32 [S, S, 4], RGB 0..1 and how much is there, 0..1."""

    front: Floats
    back: Floats
    room: Floats  # [S, S, 3]


def turn_head(
    rgb: NDArray[np.uint8],
    landmarks: Reals,
    person: Floats,
    yaw: float,
    pitch: float,
    rig: Rig | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """Show an aligned portrait with its head turned further, cropped for its new landmarks.

    The photo is laid over the fitted head and a round continuation of it (`Sheets`), the head is
    turned about the neck, the shoulders follow less, and the room stays. Nothing hidden is
    invented but a strip of the head's back and of the room.

    Args:
        rgb: uint8 [S, S, 3], a face cropped as FFHQ crops it.
        landmarks: [478, 3] MediaPipe landmarks, pixels, z on the same scale.
        person: float32 [S, S], 0..1 (`engines.faces.person`).
        yaw: degrees further to the side to which the head looks already, 0 or more.
        pitch: degrees further up.
        rig: the head model; by default the one of the environment.

    Returns:
        uint8 [S, S, 3] and float32 [478, 3]; None where the picture would not be right: a hand, a
        thing or spectacles cover the face, it is seen from the front or turned far already, or too
        much of it would be stretched.

    Raises:
        RigError: there is no head model.
    """
    rig = rig or default_rig()
    points = np.asarray(landmarks, np.float64)
    fit = fit_head(rig, points, {})
    own_yaw, own_pitch = pose(fit)
    side = 1.0 if own_yaw >= 0 else -1.0
    yaw = min(yaw, LARGEST_YAW - abs(own_yaw))
    pitch = float(np.clip(own_pitch + pitch, -LARGEST_PITCH, LARGEST_PITCH)) - own_pitch
    if not OWN_YAW[0] <= abs(own_yaw) <= OWN_YAW[1] or fit.error > LARGEST_ERROR or yaw < 0:
        return None
    parts = segment(rgb, points, person)
    things = float(parts.object.mean()), float(parts.spectacles.mean())
    if things[0] > THING_SHARE or things[1] > SPECTACLES_SHARE:
        return None
    photo = rgb.astype(np.float32) / 255
    mask = np.maximum(masks.person_edge(photo, person), _shown(parts, points, person))
    mask = _one_piece(smoothstep(0.6, 0.95, mask))
    hair = np.clip(parts.hair + parts.headwear, 0, 1)
    sheets = find_sheets(rig, fit, points, mask, hair)
    layers = _layers(photo, mask, hair, parts, points, side)

    turn = _Turn(fit, side * yaw, pitch)
    moved = _moved_landmarks(rig, turn, sheets, points)
    crop = invert(crop_transform(moved, rgb.shape[0]))
    image, stretched = _render(turn, sheets, layers, crop, points)
    if stretched > STRETCHED_SHARE:
        return None
    out = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return out, transform_points(moved, crop)


def check_head_model() -> None:
    """Say at once if heads cannot be turned.

    Raises:
        RigError: there is no head model.
    """
    try:
        default_rig()
    except RigError as error:
        raise RigError(f"Turned heads need the head model whatever the look: {error}") from None


def pose(fit: Fit) -> tuple[float, float]:
    """Yaw (to the image right) and pitch (up) of a head, degrees."""
    ahead = fit.camera.rotation[:, 2]
    return (
        float(np.degrees(np.arctan2(ahead[0], ahead[2]))),
        float(np.degrees(np.arcsin(np.clip(ahead[1], -1, 1)))),
    )


def _shown(parts: FaceParts, points: Reals, person: Floats) -> Floats:
    """The face's oval, and what the parts take for the head, where a person may be."""
    size = person.shape[0]
    head = smoothstep(0.4, 0.8, parts.skin + parts.hair + parts.beard + parts.headwear)
    return np.maximum(head * smoothstep(0.25, 0.6, person), polygon(size, points[FACE_OVAL], 1.5))


def _one_piece(mask: Floats) -> Floats:
    """The largest piece of a mask, with its soft edge."""
    _, labels, table, _ = cv2.connectedComponentsWithStats((mask > 0.5).astype(np.uint8))
    largest = 1 + int(table[1:, cv2.CC_STAT_AREA].argmax())
    return mask * cv2.dilate((labels == largest).astype(np.float32), disc(4))


def _layers(
    photo: Floats, mask: Floats, hair: Floats, parts: FaceParts, points: Reals, side: float
) -> _Layers:
    """Front, back and room, each continued where the photo does not show it."""
    size = photo.shape[0]
    core = cv2.erode(mask, np.ones((5, 5))) > 0.85
    room = continue_outwards(photo, cv2.dilate(mask, np.ones((25, 25))) < 0.10)
    front = continue_outwards(photo, core)
    rows = np.arange(size)[:, None]
    brow, chin = points[[70, 300], 1].min(), points[152, 1]
    upper = (rows < brow - 0.15 * (chin - brow)) | (rows > chin)
    back = continue_outwards(photo, core & ((hair > 0.6) | upper))
    reach = np.roll(mask, -round(side * SEAM), 1)
    return _Layers(
        np.dstack([front, smoothstep(0.15, 0.85, mask)]),
        np.dstack([back, smoothstep(0.15, 0.85, np.maximum(mask, reach))]),
        room,
    )


class _Turn:
    """Where the places of a photo go when its head turns."""

    def __init__(self, fit: Fit, yaw: float, pitch: float) -> None:
        self.camera, self.vertices = fit.camera, fit.vertices
        self.angles = np.radians([yaw, pitch])
        self.chin = float(fit.vertices[CHIN, 1])
        self.pivot = np.array([0.0, self.chin + 1.0, PIVOT_DEPTH])

    def share(self, height: Reals) -> NDArray[np.float64]:
        """Share of the turn taken at a height of rig space [N]: 1 for the head."""
        low = smoothstep(self.chin, self.chin - SHOULDER, height)
        return 1 - (1 - BODY_SHARE) * low.astype(np.float64)

    def __call__(
        self, places: Reals, depth: Reals
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where places [N, 2] at depths [N] go: place and depth [N, 3], share of the turn [N]."""
        own = unproject(self.camera, places, depth) @ self.camera.rotation + ORIGIN
        share = self.share(own[:, 1])
        x, y, z = (own - self.pivot).T
        yaw, pitch = self.angles[:, None] * share
        y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
        x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
        turned = (np.column_stack([x, y, z]) + self.pivot - ORIGIN) @ self.camera.rotation.T
        return np.column_stack([project(self.camera, turned), turned[:, 2]]), share


def _moved_landmarks(rig: Rig, turn: _Turn, sheets: Sheets, points: Reals) -> NDArray[np.float64]:
    """Landmarks [478, 3] after the turn, photo pixels; the irises lie on the sheet."""
    fit_depth = turn.camera.turn(rig.at_landmarks(turn.vertices))[:, 2]
    at = (points[468:, :2] / STEP).astype(np.float32)
    iris = cv2.remap(sheets.front, at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR)[0]
    depth = np.r_[fit_depth, iris.astype(np.float64)]
    moved, _ = turn(points[:, :2], depth)
    z = -turn.camera.scale * moved[:, 2]
    return np.column_stack([moved[:, :2], z - z[:468].mean() + points[:468, 2].mean()])


def _nodes_after(turn: _Turn, depth: Floats, crop: Reals, size: int) -> NDArray[np.float64]:
    """Places in the new crop, and depths, of a sheet's nodes [N * N, 3].

    What the photo's border cuts off stays at the border: there the person is pulled, not moved.
    """
    places = nodes(depth.shape[0])
    moved, share = turn(places, depth.astype(np.float64).ravel())
    there = transform_points(moved[:, :2], crop).astype(np.float64)
    fade = 60 + 140 * (1 - share) / (1 - BODY_SHARE)
    for axis in range(2):
        shift = there[:, axis] - places[:, axis]
        border = np.where(shift > 0, places[:, axis], size - places[:, axis])
        pulled = shift * smoothstep(0, 1, border / fade).astype(np.float64)
        there[:, axis] = places[:, axis] + pulled
    return np.column_stack([there, moved[:, 2]])


def _triangles(inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Two triangles [T, 3] for every square of nodes that is inside, or touches it."""
    count = inside.shape[0]
    wide = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9))) > 0
    square = wide[:-1, :-1] & wide[1:, :-1] & wide[:-1, 1:] & wide[1:, 1:]
    a = np.flatnonzero(square.ravel())
    a = a + a // (count - 1)
    lower = np.stack([a, a + 1, a + count], 1)
    upper = np.stack([a + 1, a + count + 1, a + count], 1)
    return np.concatenate([lower, upper]).astype(np.int32)


def _render(
    turn: _Turn, sheets: Sheets, layers: _Layers, crop: Reals, points: Reals
) -> tuple[Floats, float]:
    """Room, back and front over each other [S, S, 3], and the share of stretched face."""
    size = layers.room.shape[0]
    triangles = _triangles(sheets.inside)
    source = nodes(sheets.front.shape[0]).astype(np.float32)
    image = cv2.resize(layers.room, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR)
    stretched = 0.0
    for depth, layer in ((sheets.back, layers.back), (sheets.front, layers.front)):
        placed = _nodes_after(turn, depth, crop, size)
        placed[:, :2] = placed[:, :2] * FINE - 0.5
        found, weights, _ = rasterise(placed, triangles, FINE * size, FINE * size)
        origin = interpolate(found, weights, triangles, source)
        seen = cv2.remap(
            layer, origin[..., 0] - 0.5, origin[..., 1] - 0.5, cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        there = np.clip(seen[..., 3], 0, 1) * (found >= 0)
        colour = seen[..., :3]
        if depth is sheets.front:
            pulled = _pulled(origin, found >= 0)
            face = _at(polygon(size, points[FACE_OVAL]), origin) * there > 0.5
            stretched = float(pulled[face].mean()) if face.any() else 1.0
            colour = _without_pulled(colour, pulled, there)
        image = mix(image, colour, blur(there, 0.7 * FINE))
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), stretched


def _at(image: Floats, origin: Floats) -> Floats:
    """A photo-sized picture where the turned one shows it."""
    return cv2.remap(image, origin[..., 0] - 0.5, origin[..., 1] - 0.5, cv2.INTER_LINEAR)


def _pulled(origin: Floats, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a pixel of the turned picture shows less than 1 / `STRETCH` of the photo's."""
    dx, dy = (np.gradient(origin, axis=axis) * FINE for axis in (1, 0))
    area = np.abs(dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0])
    return there & (cv2.blur(area, (3, 3)) < 1 / STRETCH)


def _without_pulled(colour: Floats, pulled: NDArray[np.bool_], there: Floats) -> Floats:
    """Pulled places take the texture beside them instead."""
    patch = cv2.morphologyEx(pulled.astype(np.uint8), cv2.MORPH_OPEN, disc(2 * FINE))
    patch = cv2.dilate(patch, disc(2 * FINE))
    if not patch.any():
        return colour
    filled = continue_outwards(colour, (patch == 0) & (there > 0.8))
    return mix(colour, filled, blur(patch.astype(np.float32), 1.5 * FINE))
