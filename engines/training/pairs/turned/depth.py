"""A person as two sheets over the photo: what the camera sees, and a back that it does not."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import EYE
from engines.faces.head import INNER_LIPS
from engines.faces.pixels import Floats, Reals, polygon
from engines.training.artist.imaging import union
from engines.training.artist3d.head.fit import DISTANCE, Camera, Fit
from engines.training.artist3d.head.raster import interpolate, rasterise
from engines.training.artist3d.head.rig import SKIN, Rig
from engines.training.artist3d.head.warp import diffuse

STEP = 2  # pixels from node to node
LOWEST = -10.5  # rig height under which the mesh is no guide, centimetres
MIDDLE = np.array([0.0, 2.0, -0.5])  # of the head, rig space: the outline lies about there
BACK = 0.8  # depth of the back, as a share of the front's


@dataclass(frozen=True)
class Sheets:
    """Depth of a person at nodes `STEP` pixels apart, camera space, centimetres.

    Attributes:
        front, back: float32 [N, N], N = S / STEP + 1.
        inside: bool [N, N], where the sheets are; they meet at their edge.
    """

    front: Floats
    back: Floats
    inside: NDArray[np.bool_]


def nodes(count: int) -> NDArray[np.float64]:
    """Places of the nodes in the picture, continuous pixels [N * N, 2]."""
    at = np.arange(count, dtype=np.float64) * STEP
    return np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)


def unproject(camera: Camera, places: Reals, depth: Reals) -> NDArray[np.float64]:
    """Camera space [N, 3] of picture places [N, 2] (pixels) at depths [N] (centimetres)."""
    away = (1 - depth / DISTANCE) / camera.scale
    return np.column_stack(
        [(places[:, 0] - camera.centre[0]) * away, (camera.centre[1] - places[:, 1]) * away, depth]
    )


def project(camera: Camera, points: Reals) -> NDArray[np.float64]:
    """Picture places [N, 2] of points [N, 3] of camera space; the opposite of `unproject`."""
    near = camera.scale / (1 - points[:, 2] / DISTANCE)
    return np.column_stack(
        [camera.centre[0] + near * points[:, 0], camera.centre[1] - near * points[:, 1]]
    )


def find_sheets(rig: Rig, fit: Fit, landmarks: Reals, person: Floats, hair: Floats) -> Sheets:
    """The fitted head's own surface, and a round one where hair, neck and body continue it.

    Eyes and mouth, which are hollow in the model, are closed by a smooth skin. Between the head
    and the outline the squared distance from the outline's plane
    is a solution of Laplace's equation, so that the surface meets the outline as a ball does.

    Args:
        rig: the head model.
        fit: it on the face.
        landmarks: [478, 3] pixels.
        person: float32 [S, S], 0..1.
        hair: float32 [S, S], 0..1, hair and headwear, which lie over the head.
    """
    size = person.shape[0]
    count = size // STEP + 1
    skin = fit.vertices[:SKIN]
    points = fit.camera.project(skin)
    points[:, :2] /= STEP
    points[:, 2] = fit.camera.turn(skin)[:, 2]
    triangles = rig.triangles[(skin[rig.triangles][..., 1] > LOWEST).all(1)]
    found, weights, _ = rasterise(points, triangles, count, count)
    mesh = interpolate(found, weights, triangles, points[:, 2:].astype(np.float32))[..., 0]
    at = np.arange(count, dtype=np.float32) * STEP - 0.5
    x, y = np.meshgrid(at, at)

    def sample(mask: Floats) -> Floats:
        return cv2.remap(mask, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    inside = sample(person) > 0.5
    openings = [INNER_LIPS, *EYE]
    hollow = union(polygon(size, landmarks[ring], grow=3) for ring in openings)
    sure = (found >= 0) & inside & (sample(hair) < 0.5) & (sample(hollow) < 0.5)
    sure = cv2.erode(sure.astype(np.uint8), np.ones((3, 3))) > 0
    plane = float(fit.camera.turn(MIDDLE[None])[0, 2])
    rise = np.where(sure, np.maximum(mesh - plane, 0) ** 2, 0)[..., None].astype(np.float32)
    squared = np.maximum(diffuse(rise, (sure | ~inside).astype(np.float32), 250)[..., 0], 0)
    front = np.where(sure, mesh, plane + np.sqrt(squared))
    share = cv2.GaussianBlur(sure.astype(np.float32), (0, 0), 1.5) * sure
    front = share * front + (1 - share) * cv2.GaussianBlur(front, (0, 0), 1.5)
    smooth = cv2.GaussianBlur(squared, (0, 0), 4) * np.clip(sample(person) * 2 - 1, 0, 1)
    back = plane - BACK * np.sqrt(np.minimum(smooth, squared + 1))
    return Sheets(front.astype(np.float32), back.astype(np.float32), inside)
