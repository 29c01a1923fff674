"""The head model: ICT-FaceKit's mesh with identities and expressions, tied to the landmarks.

The files are no part of this package: `engines.training.artist3d.head.build` makes them from the
original (ICT-FaceKit FaceXModel, MIT licence; Li et al., "Learning Formation of Physically-Based
Face Attributes", 2020).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.faces.pixels import Floats

FOLDER_VARIABLE = "TOONIFY_RIG"  # environment: folder with ict.npz and rig.npz
FACE, SKIN = 9409, 11248  # vertices [0, FACE) are the face, [0, SKIN) face, skull and neck
SCLERA = ((23021, 23791), (21451, 22221))  # in the original mesh, image-left eye first
BALL_SIZE = 770
BALLS = ((SKIN, SKIN + BALL_SIZE), (SKIN + BALL_SIZE, SKIN + 2 * BALL_SIZE))  # in `Rig`
NOSE_TIP, NOSE_BASE, NOSE_WINGS = 4857, 1147, (1140, 3360)
MOUTH_CORNERS, CHIN = (5708, 6213), 966


class RigError(ToonifyError):
    """The head model is not where it was expected."""


@dataclass(frozen=True)
class Rig:
    """The head model in its own space: centimetres, x to the image right, y up, z to the viewer.

    Attributes:
        base: float32 [V, 3] neutral mean head; V = skin, then the two eyeballs.
        identities: float32 [100, V, 3] offsets of one standard deviation each.
        expressions: float32 [K, V, 3] offsets of the expressions at full strength.
        names: of the expressions, as MediaPipe's blendshapes are named.
        landmark_vertices, landmark_weights: [468, 3] where MediaPipe's landmarks lie on the mesh.
        spread: float32 [V, 468] kernel that spreads landmark residuals over the mesh.
        triangles: int32 [T, 3] of the skin.
        lids: two loops of vertices round the eye openings.
        neighbours: sparse [SKIN, SKIN], mean of the vertices around each vertex.
    """

    base: Floats
    identities: Floats
    expressions: Floats
    names: tuple[str, ...]
    landmark_vertices: NDArray[np.int64]
    landmark_weights: Floats
    spread: Floats
    triangles: NDArray[np.int32]
    lids: tuple[NDArray[np.int64], NDArray[np.int64]]
    neighbours: Any

    def at_landmarks(self, vertices: NDArray[Any]) -> NDArray[np.float64]:
        """Where MediaPipe's 468 landmarks lie on a shape [V, 3]: [468, 3]."""
        corners = vertices[self.landmark_vertices].astype(np.float64)
        return np.einsum("nk,nkd->nd", self.landmark_weights, corners)


def load_rig(folder: Path) -> Rig:
    """Read the head model.

    Args:
        folder: holds ``ict.npz`` and ``rig.npz``.

    Raises:
        RigError: a file is missing.
    """
    for name in ("ict.npz", "rig.npz"):
        if not (folder / name).is_file():
            raise RigError(
                f"The head model was expected at {folder / name}, found no file; make it with "
                f"engines.training.artist3d.head.build or set {FOLDER_VARIABLE} to its folder."
            )
    from scipy import sparse

    with np.load(folder / "ict.npz") as model, np.load(folder / "rig.npz") as ties:
        keep = np.r_[0:SKIN, slice(*SCLERA[0]), slice(*SCLERA[1])]
        every = [str(name) for name in model["names"]]
        use = [i for i, n in enumerate(every) if not n.startswith(("eyeLook", "Pupil"))]
        base = model["base"].astype(np.float32)[keep]
        identities = model["ids"][:, keep].astype(np.float32)
        expressions = model["ex"][use][:, keep].astype(np.float32)
        spread = ties["W"][keep].astype(np.float32)
        triangles = ties["tri"]
        vertices, weights = ties["cor_i"].astype(np.int64), ties["cor_w"].astype(np.float32)
        lids = (ties["loops"][0].astype(np.int64), ties["loops"][1].astype(np.int64))
    triangles = np.ascontiguousarray(triangles[triangles.max(1) < SKIN], dtype=np.int32)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    links = sparse.coo_matrix((np.ones(len(edges)), edges.T), shape=(SKIN, SKIN)).tocsr()
    links = ((links + links.T) > 0).astype(np.float64)
    count = np.maximum(np.asarray(links.sum(1)).ravel(), 1)
    return Rig(
        base, identities, expressions, tuple(_blendshape(every[i]) for i in use), vertices,
        weights, spread, triangles, lids, sparse.diags(1 / count).dot(links).tocsr(),
    )  # fmt: skip


def _blendshape(name: str) -> str:
    """MediaPipe's name of an expression of the model."""
    name = name.replace("_L", "Left").replace("_R", "Right").replace("cheekRaiser", "cheekSquint")
    for joint in ("browInnerUp", "cheekPuff"):
        if name.startswith(joint):
            return joint
    return name


@lru_cache(maxsize=2)
def _cached(folder: Path) -> Rig:
    return load_rig(folder)


def default_rig() -> Rig:
    """The head model of the folder that the environment names, read once.

    Raises:
        RigError: the variable is not set, or a file is missing.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        raise RigError(
            f"{FOLDER_VARIABLE} was expected to name the folder of the head model, found nothing; "
            "make the model with engines.training.artist3d.head.build and set it."
        )
    return _cached(Path(folder))
