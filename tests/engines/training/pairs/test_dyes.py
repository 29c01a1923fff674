"""Colours changed around the faces of training pairs."""

from __future__ import annotations

import numpy as np
import pytest

from engines.faces.head import FACE_OVAL
from engines.faces.pixels import to_lab
from engines.training.pairs.dyes import SCALES, STRONGEST, Dye, random_dye
from engines.training.pairs.sampler import Sampler
from tests.engines.training.factory import grey_pairs, smooth_pictures

SIDE = 96
UNTURNED = np.eye(2, dtype=np.float32)
EVERYWHERE = np.ones((SIDE, SIDE, 1), np.float32)


def face() -> np.ndarray:
    points = np.full((478, 2), SIDE / 2, np.float32)
    turns = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[FACE_OVAL] += 20 * np.stack([np.sin(turns), -np.cos(turns)], 1).astype(np.float32)
    return points


@pytest.mark.parametrize("seed", range(6))
def test_the_face_is_spared_and_nothing_else(seed: int) -> None:
    dye = random_dye(np.random.default_rng(seed), face(), SIDE)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    away = np.hypot(columns - SIDE / 2, rows - SIDE / 2)
    where = dye.where[..., 0]
    assert where[away < 20 * SCALES[0] - 5].max() < 0.01
    assert where[away > 20 * SCALES[1] + 5].min() > 0.99
    assert np.linalg.norm(dye.tint) <= STRONGEST
    assert dye.turn @ dye.turn.T == pytest.approx(UNTURNED, abs=1e-6)
    picture = smooth_pictures(1, SIDE)[0]
    dyed = dye.over(picture)
    assert np.abs(dyed.astype(int) - picture)[where < 0.001].max() <= 1
    assert np.abs(dyed.astype(int) - picture)[where > 0.999].mean() > 3


def test_grey_takes_the_dye_and_black_and_white_do_not() -> None:
    blue = Dye(UNTURNED, np.array([0, -40], np.float32), EVERYWHERE)
    for level, takes in ((0, 0), (255, 0), (128, -40)):
        picture = np.full((SIDE, SIDE, 3), level, np.uint8)
        before, after = (to_lab(p.astype(np.float32) / 255) for p in (picture, blue.over(picture)))
        assert (after - before)[..., 2].mean() == pytest.approx(takes, abs=1.5)
        assert np.abs(after - before)[..., 0].max() < 1


def test_hues_are_turned() -> None:
    turned = Dye(-UNTURNED, np.zeros(2, np.float32), EVERYWHERE)
    picture = np.full((SIDE, SIDE, 3), (120, 100, 90), np.uint8)
    before, after = (to_lab(p.astype(np.float32) / 255) for p in (picture, turned.over(picture)))
    assert after[0, 0, 1:] == pytest.approx(-before[0, 0, 1:], abs=0.7)


def test_a_dye_moves_as_the_toon_does() -> None:
    where = np.zeros((64, 64, 1), np.float32)
    where[:, :20] = 1
    warp = np.zeros((16, 16, 2), np.float32)
    warp[..., 0] = 8 / 64  # the toon shows what is 8 px further right
    moved = Dye(UNTURNED, np.zeros(2, np.float32), where).moved(warp)
    assert moved.where[:, :12].min() > 0.99
    assert moved.where[:, 13:50].max() < 0.01


def test_photo_and_toon_get_the_same_dye() -> None:
    for share, expected in ((0.0, 0), (1.0, 4)):
        batch = Sampler(grey_pairs(64), 4, seed=5, spectacles=0, dyed=share, shaded=0).draw()
        assert (batch.photo - batch.toon).abs().max() < 0.02
        hues = batch.photo.amax(1) - batch.photo.amin(1)
        assert int((hues.amax((1, 2)) > hues.amin((1, 2)) + 0.05).sum()) == expected
