from __future__ import annotations

import numpy as np
import pytest

from engines.faces.build import heaviness, lash_strength
from engines.faces.head import Head
from engines.faces.landmarker import Landmarker
from tests.engines.training.artist.conftest import portraits


@pytest.fixture(scope="module")
def landmarks() -> list[np.ndarray]:
    with Landmarker() as landmarker:
        return [points for _, points in portraits(landmarker)]


def test_faces_are_light_and_heavy_at_any_size_and_place(landmarks: list[np.ndarray]) -> None:
    lashes = [lash_strength(Head(points)) for points in landmarks]
    assert min(lashes) >= 0.25
    assert max(lashes) <= 1
    assert max(lashes) - min(lashes) > 0.3
    for points, strength in zip(landmarks, lashes, strict=True):
        moved = np.array([3.0, -2.0, 0.0]) + points / 512
        assert lash_strength(Head(moved.astype(np.float32))) == pytest.approx(strength, abs=1e-3)


def test_the_heavier_a_face_the_weaker_its_lashes(landmarks: list[np.ndarray]) -> None:
    heads = [Head(points) for points in landmarks]
    order = np.argsort([lash_strength(head) for head in heads])
    found = [heaviness(heads[i]) for i in order]
    assert found == sorted(found, reverse=True)
    assert found[0] == 1
    assert found[-1] < 0.6
