"""The character's surface, pixel by pixel: normals, positions, where on the head each pixel is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engines.faces.pixels import Floats, Reals, disc
from engines.training.artist3d.colour import unit
from engines.training.artist3d.head.fit import Camera
from engines.training.artist3d.head.raster import interpolate, rasterise, vertex_normals
from engines.training.artist3d.head.rig import FACE, SKIN, Rig
from engines.training.artist3d.head.warp import diffuse

SMALL = 128  # side on which normals are spread beyond the mesh


@dataclass(frozen=True)
class Surface:
    """What is seen of the mesh, [S, S] each.

    Attributes:
        cover: 1 where the mesh is.
        face: 1 where it is the face, not skull or neck.
        normals: [S, S, 3] camera space, of the mesh.
        filled: [S, S, 3] the same, spread to the person's outline and softened.
        position: [S, S, 3] camera space, centimetres, spread too.
        raw_position: [S, S, 3] of the mesh alone.
        rest: [S, S, 3] place on the mean head, rig space.
        core: 1 inside the mesh, 0 at its edge.
    """

    cover: Floats
    face: Floats
    normals: Floats
    filled: Floats
    position: Floats
    raw_position: Floats
    rest: Floats
    core: Floats

    def spot(self, x: float, y: float, width: float, height: float) -> Floats:
        """Soft spots on both sides of the head, at rest coordinates, centimetres."""
        across = (np.abs(self.rest[..., 0]) - x) / width
        along = (self.rest[..., 1] - y) / height
        return np.exp(-(across**2) - along**2).astype(np.float32) * self.cover


def draw_surface(rig: Rig, camera: Camera, vertices: Reals, person: Floats) -> Surface:
    """Rasterise a head [V, 3]; ``person`` [S, S] 0..1 is how far it is continued."""
    size = person.shape[0]
    skin = vertices[:SKIN]
    found, weights, _ = rasterise(camera.project(skin), rig.triangles, size, size)
    normals = vertex_normals(skin, rig.triangles) @ camera.rotation.T
    on_face = np.arange(SKIN) < FACE
    values = np.column_stack([normals, camera.turn(skin), rig.base[:SKIN], on_face])
    seen = interpolate(found, weights, rig.triangles, values.astype(np.float32))
    cover = (found >= 0).astype(np.float32)
    core = cv2.erode(cover, disc(3))
    filled, position = _spread(seen[..., :3], seen[..., 3:6], cover, core, person)
    return Surface(
        cover, seen[..., 9], seen[..., :3], filled, position, seen[..., 3:6], seen[..., 6:9], core
    )


def _spread(
    normals: Floats, position: Floats, cover: Floats, core: Floats, person: Floats
) -> tuple[Floats, Floats]:
    """Normals turn outwards at the person's edge; between mesh and edge they are diffused."""
    size = cover.shape[0]

    def small(image: Floats) -> Floats:
        return cv2.resize(image, (SMALL, SMALL), interpolation=cv2.INTER_AREA)

    known, edge = small(core) > 0.6, small(person)
    soft = cv2.GaussianBlur(edge, (0, 0), 1.5)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    outward = unit(np.dstack([-gx, gy, 0.25 * np.hypot(gx, gy) + 1e-4]))
    outline = (edge > 0.25) & (edge < 0.8) & ~known
    start = np.where(outline[..., None], outward, np.array([0, 0, 1], np.float32))
    start = np.where(known[..., None], small(normals), start).astype(np.float32)
    fixed = (known | outline | (edge < 0.2)).astype(np.float32)
    wide = cv2.resize(diffuse(start, fixed, 120), (size, size), interpolation=cv2.INTER_CUBIC)
    share = (cv2.GaussianBlur(core, (0, 0), 2.0) * cover)[..., None]
    filled = unit(normals * share + unit(wide) * (1 - share)).astype(np.float32)
    filled = unit(cv2.GaussianBlur(filled, (0, 0), 1.0)).astype(np.float32)
    mean = small(position * core[..., None]) / (small(core)[..., None] + 1e-3)
    around = diffuse(mean, known.astype(np.float32), 60)
    around = cv2.resize(around, (size, size))
    return filled, position * share + around * (1 - share)
