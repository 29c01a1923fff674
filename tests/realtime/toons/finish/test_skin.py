"""Skin without the lines that a network leaves."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.toons.finish.colour import add_field
from realtime.toons.finish.skin import ironing

SIDE = 512


def face(depth: float, width: int = 3) -> np.ndarray:
    """Skin that gets darker to the right, with dark lines across it: uint8 [SIDE, SIDE, 3]."""
    light = np.broadcast_to(np.linspace(200, 120, SIDE), (SIDE, SIDE)).copy()
    for row in range(40, SIDE, 80):
        light[row : row + width] -= depth
    return np.stack([0.7 * light, 0.8 * light, light], -1).astype(np.uint8)


def ironed(toon: np.ndarray, skin: np.ndarray) -> np.ndarray:
    return add_field(toon, np.dstack([ironing(toon, skin)] * 3))


def depth_of_lines(image: np.ndarray) -> float:
    light = image[..., 2].astype(float)
    return float(light[30:38].mean() - light[41:43].mean())


def test_faint_lines_go_and_the_form_of_the_face_stays() -> None:
    skin = np.ones((64, 64), np.float32)
    lined, plain = face(14), face(0)
    done = ironed(lined, skin)
    assert depth_of_lines(lined) == pytest.approx(14, abs=1)
    assert depth_of_lines(done) < 0.6 * 14
    away = np.abs(ironed(plain, skin).astype(int) - plain)[20:-20, 20:-20]
    assert away.max() <= 2


def test_edges_stay() -> None:
    skin = np.ones((64, 64), np.float32)
    edge = face(0)
    edge[SIDE // 2 :] = edge[SIDE // 2 :] // 2
    assert np.abs(ironed(edge, skin).astype(int) - edge).mean() < 2
    drop = ironed(edge, skin)[..., 2].astype(float)
    before = edge[..., 2].astype(float)
    middle = SIDE // 2
    assert (drop[middle - 4] - drop[middle + 4]).mean() > 0.80 * (
        before[middle - 4] - before[middle + 4]
    ).mean()


@pytest.mark.parametrize("side", [128, 512])
def test_only_skin_is_ironed_at_any_size(side: int) -> None:
    skin = np.zeros((64, 64), np.float32)
    skin[:, :32] = 1
    lined = face(14, width=8)[:: SIDE // side, :: SIDE // side].copy()
    done = ironed(lined, skin)
    beyond = side // 2 + side // 32
    assert np.array_equal(done[:, beyond:], lined[:, beyond:])
    assert not np.array_equal(done[:, : side // 2], lined[:, : side // 2])
