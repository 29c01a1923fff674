from __future__ import annotations

import numpy as np

from engines.training.artist3d.head.build import boundary, canonical_face, tie
from engines.training.artist3d.head.rig import Rig


def test_mediapipes_own_face_is_read():
    face = canonical_face()
    assert face.shape == (468, 3)
    np.testing.assert_allclose(face[33, 0], -face[263, 0], atol=1e-3)  # outer corners of the eyes
    assert face[10, 1] > face[1, 1] > face[152, 1]  # forehead, nose, chin


def test_a_boundary_is_one_loop():
    square = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]], np.int32)
    assert sorted(boundary(square, 0).tolist()) == [0, 1, 2, 3]


def test_landmarks_lie_on_the_mesh(rig: Rig):
    base = rig.base.astype(np.float64)
    quads = rig.triangles[:, [0, 1, 2, 2]]
    jaw = rig.expressions[rig.names.index("jawOpen")].astype(np.float64)
    ties = tie(base, quads, base + 0.7 * jaw, canonical_face())
    at = np.einsum("nk,nkd->nd", ties["cor_w"], base[ties["cor_i"]])
    apart = np.linalg.norm(at - rig.at_landmarks(rig.base), axis=1)
    assert np.median(apart) < 0.25  # centimetres
    assert apart.max() < 1.2
    np.testing.assert_allclose(ties["cor_w"].sum(1), 1, atol=1e-6)
