"""Where every toon pixel comes from: the mesh's displacement, spread outwards and inverted."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.pixels import Floats, Reals, smoothstep
from engines.training.artist.geometry import Warp, least_stretch
from engines.training.artist3d.head.fit import Camera
from engines.training.artist3d.head.raster import interpolate, rasterise
from engines.training.artist3d.head.rig import SKIN, Rig

GRID = 128  # nodes per side on which the displacement is solved
BELOW = -10.5  # rig height under which the neck moves nothing, centimetres
INVERSION_STEPS = 28
LEAST_JACOBIAN = 0.25  # the field is smoothed until nothing is squeezed further


def diffuse(values: Floats, known: Floats, steps: int) -> Floats:
    """Fill the unknown places of a small picture by diffusion (Laplace's equation, Jacobi steps).

    Args:
        values: float32 [N, N, K].
        known: float32 [N, N], 1 where values stand.
        steps: sweeps after a start from two wide blurs.
    """
    fixed = known[..., None].astype(np.float32)
    filled = values.copy()
    for sigma in (24, 8):
        near = cv2.GaussianBlur(np.dstack([filled * fixed, fixed]), (0, 0), sigma)
        guess = near[..., :-1] / (near[..., -1:] + 1e-4)
        filled = fixed * values + (1 - fixed) * guess
    for _ in range(steps):
        around = cv2.blur(filled, (3, 3), borderType=cv2.BORDER_REPLICATE)
        filled = fixed * values + (1 - fixed) * around.reshape(values.shape)
    return filled


def warp_between(
    rig: Rig, camera: Camera, own: Reals, toon: Reals, landmarks: Reals, size: int
) -> Warp:
    """The picture's map from the person's mesh to the character's.

    Args:
        rig: the head model.
        camera: how both are seen.
        own, toon: [V, 3] vertices in rig space.
        landmarks: [478, 3] of the photo, pixels; the iris landmarks are moved by the map.
        size: side of the picture, pixels.
    """
    before, after = camera.project(own[:SKIN]), camera.project(toon[:SKIN])
    ratio = GRID / size
    grid_points = before.copy()
    grid_points[:, :2] = (grid_points[:, :2] + 0.5) * ratio - 0.5
    high = own[:SKIN, 1] > BELOW
    triangles = rig.triangles[high[rig.triangles].all(1)]
    found, weights, _ = rasterise(grid_points, triangles, GRID, GRID)
    moves = np.ascontiguousarray((after - before)[:, :2].astype(np.float32))
    shift = interpolate(found, weights, triangles, moves)
    known = found >= 0
    known[[0, -1]] = True
    known[:, [0, -1]] = True
    rows, columns = np.mgrid[0:GRID, 0:GRID].astype(np.float32)
    inside = np.minimum(np.minimum(columns, GRID - 1 - columns), np.minimum(rows, GRID - 1 - rows))
    shift = shift * smoothstep(0.0, 0.10, inside / GRID)[..., None]
    field = diffuse(shift, known.astype(np.float32), 260)
    for sigma in (1.1, 1.5, 2.0, 2.5, 3.0):  # the nose against the far cheek may still fold
        field = cv2.GaussianBlur(field, (0, 0), sigma)
        if least_stretch(field, 1 / ratio) > LEAST_JACOBIAN:
            break
    back = np.zeros_like(field)
    for _ in range(INVERSION_STEPS):  # fixed point of back(y) = -field(y + back(y))
        there = cv2.remap(
            field, columns + back[..., 0] * ratio, rows + back[..., 1] * ratio,
            cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        back = back - np.float32(0.6) * (back + there)
    dense = cv2.resize(back, (size, size), interpolation=cv2.INTER_CUBIC)
    pixels = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), -1)
    points = np.array(landmarks, np.float64)
    moved = camera.project(rig.at_landmarks(toon))
    points[:468] = np.column_stack([moved[:, :2], -moved[:, 2]])
    at = (points[468:, :2] + 0.5) * ratio - 0.5
    points[468:, :2] += cv2.remap(
        field, at[None, :, 0].astype(np.float32), at[None, :, 1].astype(np.float32),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )[0]  # fmt: skip
    return Warp(pixels + dense, points.astype(np.float32), least_stretch(field, 1 / ratio))
