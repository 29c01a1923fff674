"""Build the head model's files from the original: ICT-FaceKit's FaceXModel (MIT licence).

    python -m engines.training.artist3d.head.build FACE_X_MODEL OUT

FACE_X_MODEL is the folder of that name of github.com/ICT-VGL/ICT-FaceKit; OUT gets ``ict.npz`` (the
meshes) and ``rig.npz`` (where MediaPipe's 468 landmarks lie on them). MediaPipe's own canonical
face comes from the landmarker's file.
"""

from __future__ import annotations

import argparse
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.faces.features import LOWER_LID, UPPER_LID
from engines.faces.landmarker import MODEL
from engines.training.artist3d.head.build_tables import (
    ICT_68,
    INNER_LIPS,
    LIP_SPANS,
    MEDIAPIPE_68,
    USED_68,
)
from engines.training.artist3d.head.rig import FACE, RigError

LANDMARKS = 468
LID_STARTS = (6590, 6548)  # a vertex of each eye's opening
KERNEL_REACH, KERNEL_SOFTNESS = 1.1, 0.15  # of the residual's spread: centimetres, ridge
OPEN_JAW = 0.7  # pose of the kernel, so that the lips are apart
SMOOTHING = (0.05, 0.3, 0.3, 0.3)  # of the thin plates, per round

Reals = NDArray[np.float64]


def pack(folder: Path) -> dict[str, NDArray[Any]]:
    """Read the original's OBJ files: base, quads, ids, ex, names as in ``ict.npz``."""
    neutral = folder / "generic_neutral_mesh.obj"
    if not neutral.is_file():
        raise RigError(
            f"FaceXModel was expected in {folder}, found no {neutral.name}; pass the folder of "
            "ICT-FaceKit's repository."
        )
    base = _vertices(neutral)
    with neutral.open() as file:
        faces = [
            [int(corner.split("/")[0]) - 1 for corner in line.split()[1:]]
            for line in file
            if line.startswith("f ")
        ]
    quads = np.array([f if len(f) == 4 else [*f, f[-1]] for f in faces], np.int32)
    ids = np.stack([_vertices(folder / f"identity{i:03d}.obj") - base for i in range(100)])
    every = sorted(path.stem for path in folder.glob("*.obj"))
    names = [n for n in every if not n.startswith("identity") and n != neutral.stem]
    ex = np.stack([_vertices(folder / f"{name}.obj") - base for name in names])
    return {
        "base": base, "quads": quads, "ids": ids.astype(np.float16),
        "ex": ex.astype(np.float16), "names": np.array(names),
    }  # fmt: skip


def _vertices(path: Path) -> NDArray[np.float32]:
    with path.open() as file:
        rows = [line.split()[1:4] for line in file if line.startswith("v ")]
    return np.array(rows, np.float32)


def canonical_face(task: Path = MODEL) -> Reals:
    """MediaPipe's canonical landmarks [468, 3], from the geometry file inside the landmarker's.

    The file is a protocol buffer: field 1 is the mesh, whose field 3 repeats x, y, z, u, v.
    """
    with zipfile.ZipFile(task) as archive:
        data = archive.read("geometry_pipeline_metadata_landmarks.binarypb")
    (mesh,) = [value for number, value in _fields(data) if number == 1]
    floats = [struct.unpack("<f", value)[0] for number, value in _fields(mesh) if number == 3]
    return np.array(floats).reshape(-1, 5)[:LANDMARKS, :3]


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Fields of a protocol buffer: number and bytes."""
    at = 0

    def varint() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        start = at
        if key & 7 == 0:
            varint()
        elif key & 7 == 2:
            length = varint()
            start = at
            at += length
        else:
            at += 4 if key & 7 == 5 else 8
        yield key >> 3, data[start:at]


def tie(
    base: Reals, quads: NDArray[np.int32], opened: Reals, face: Reals
) -> dict[str, NDArray[Any]]:
    """Tie landmarks to the mesh: ``rig.npz``.

    Args:
        base: [V, 3] neutral mesh.
        quads: [F, 4].
        opened: [V, 3] the mesh with an open mouth.
        face: [468, 3] canonical landmarks in any similar frame.
    """
    from scipy.interpolate import RBFInterpolator
    from scipy.spatial import cKDTree

    tri = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    tri = tri[(tri[:, 0] != tri[:, 1]) & (tri[:, 1] != tri[:, 2]) & (tri[:, 0] != tri[:, 2])]
    ict, mediapipe = np.array(ICT_68)[USED_68], np.array(MEDIAPIPE_68)[USED_68]
    placed = _similar(face, face[mediapipe], base[ict])
    on_face = tri[tri.max(1) < FACE]
    corners = [np.eye(3)[k] for k in range(3)]
    weights = [
        *corners,
        *((a + b) / 2 for a, b in zip(corners, corners[1:] + corners[:1], strict=True)),
    ]
    weights.append(np.full(3, 1 / 3))
    samples = np.concatenate([np.einsum("k,nkd->nd", w, base[on_face]) for w in weights])
    sample_ids = np.tile(on_face, (len(weights), 1))
    sample_weights = np.repeat(np.array(weights), len(on_face), axis=0)
    tree = cKDTree(samples)
    fixed, loops = _fixed(base, on_face, face)
    for a, b in zip(mediapipe, ict, strict=True):
        fixed.setdefault(int(a), ([b, b, b], [1.0, 0.0, 0.0]))
    anchors = np.array(sorted(fixed))
    points = anchors
    goal = np.array([np.einsum("k,kd->d", fixed[a][1], base[fixed[a][0]]) for a in anchors])
    for smoothing in SMOOTHING:
        move = RBFInterpolator(
            placed[points], goal - placed[points], kernel="linear", smoothing=smoothing
        )
        _, nearest = tree.query(placed + move(placed))
        at, share = sample_ids[nearest], sample_weights[nearest]
        for a in anchors:
            at[a], share[a] = fixed[a]
        points = np.arange(LANDMARKS)
        goal = np.einsum("nk,nkd->nd", share, base[at])
    lying = np.einsum("nk,nkd->nd", share, opened[at])
    system = _kernel(lying, lying) + KERNEL_SOFTNESS * np.eye(LANDMARKS)
    spread = _kernel(opened, lying) @ np.linalg.inv(system)
    return {
        "cor_i": at, "cor_w": share, "W": spread.astype(np.float16), "tri": tri.astype(np.int32),
        "loops": np.array(loops),
    }  # fmt: skip


def _kernel(a: Reals, b: Reals) -> Reals:
    """Matérn kernel of order 3/2 between points."""
    d = np.linalg.norm(a[:, None] - b[None], axis=-1) / KERNEL_REACH
    return (1 + d) * np.exp(-d)


def _similar(points: Reals, source: Reals, goal: Reals) -> Reals:
    """Points moved by the similarity that best takes source to goal."""
    a, b = source.mean(0), goal.mean(0)
    u, s, vt = np.linalg.svd((goal - b).T @ (source - a))
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ flip @ vt
    scale = (s * np.diag(flip)).sum() / ((source - a) ** 2).sum()
    return scale * (points - a) @ rotation.T + b


def _fixed(
    base: Reals, faces: NDArray[np.int32], landmarks: Reals
) -> tuple[dict[int, tuple[list[int], list[float]]], list[NDArray[np.int64]]]:
    """Lids and inner lips, tied by hand: landmark -> vertices, weights; and the lids' loops."""
    fixed: dict[int, tuple[list[int], list[float]]] = {}
    loops = []
    for eye, start in enumerate(LID_STARTS):
        loop = boundary(faces, start)
        loops.append(loop)
        x = base[loop, 0]
        loop = np.roll(loop, -int(np.argmin(x) if eye == 0 else np.argmax(x)))
        x = base[loop, 0]
        inner = int(np.argmax(x) if eye == 0 else np.argmin(x))
        halves = [loop[: inner + 1], np.r_[loop[:1], loop[: inner - 1 : -1]]]
        halves.sort(key=lambda half: -float(base[half, 1].mean()))
        for half, ids in zip(halves, (UPPER_LID[eye], LOWER_LID[eye]), strict=True):
            where = _arc(base[half])
            for landmark, share in zip(ids, _arc(landmarks[ids]), strict=True):
                j = int(np.clip(np.searchsorted(where, share) - 1, 0, len(half) - 2))
                w = float((share - where[j]) / (where[j + 1] - where[j]))
                fixed[landmark] = ([half[j], half[j + 1], half[j]], [1 - w, w, 0.0])
    for ids, (a, b), (left, right) in LIP_SPANS:
        for landmark in ids:
            whole = landmarks[right, 0] - landmarks[left, 0]
            w = float(np.clip((landmarks[landmark, 0] - landmarks[left, 0]) / whole, 0, 1))
            fixed[landmark] = ([INNER_LIPS[a], INNER_LIPS[b], INNER_LIPS[a]], [1 - w, w, 0.0])
    return fixed, loops


def _arc(points: Reals) -> Reals:
    at = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    return at / at[-1]


def boundary(faces: NDArray[np.int32], start: int) -> NDArray[np.int64]:
    """The loop of boundary vertices of a mesh through one of them."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges, count = np.unique(np.sort(edges, 1), axis=0, return_counts=True)
    beside: dict[int, list[int]] = {}
    for a, b in edges[count == 1].tolist():
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    loop, before, at = [start], -1, start
    while (after := next(v for v in beside[at] if v != before)) != start:
        loop.append(after)
        before, at = at, after
    return np.array(loop)


def _save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write arrays as `numpy.savez` does."""
    save: Any = np.savez  # its stub takes no dictionaries
    save(path, **arrays)


def main() -> None:
    """Read the original, write both files."""
    parser = argparse.ArgumentParser(description="Build the head model's files.")
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    model = pack(args.model)
    names = list(model["names"])
    base = model["base"].astype(np.float64)
    opened = base + OPEN_JAW * model["ex"][names.index("jawOpen")].astype(np.float64)
    args.out.mkdir(parents=True, exist_ok=True)
    _save(args.out / "ict.npz", model)
    _save(args.out / "rig.npz", tie(base, model["quads"], opened, canonical_face()))


if __name__ == "__main__":
    main()
