"""Hard shadows on training pairs."""

from __future__ import annotations

import numpy as np
import pytest

from engines.training.pairs.sampler import Sampler
from engines.training.pairs.shades import DEEPEST, FAINTEST, Shade, random_shade
from tests.engines.training.factory import grey_pairs

SIDE = 96
EYES = np.array([[36, 44], [60, 44]], np.float32)
STILL = np.zeros((16, 16, 2), np.float32)


def test_shadows_fall_on_halves_and_into_sockets() -> None:
    parts = []
    for seed in range(20):
        shade = random_shade(np.random.default_rng(seed), EYES, SIDE)
        assert DEEPEST <= shade.left <= FAINTEST
        assert 0 <= shade.where.min() < 0.05
        assert 0.5 < shade.where.max() < 1 + 1e-5
        part, drawn = float(shade.where.mean()), shade.moved(STILL)
        parts.append(part)
        if part < 0.1:
            x, y = np.argwhere(shade.where[..., 0] > 0.5).mean(0)[::-1]
            assert np.hypot(*(EYES - (x, y)).T).min() < 2
            assert drawn.left == 1
        else:
            assert drawn.left == pytest.approx(shade.left**0.5)
    assert sum(0.2 < part < 0.8 for part in parts) >= 5
    assert sum(part < 0.1 for part in parts) >= 5
    assert sum(0.1 <= part <= 0.2 for part in parts) == 0


def test_light_is_taken_where_the_shadow_is() -> None:
    where = np.zeros((SIDE, SIDE, 1), np.float32)
    where[:, 20:] = 1
    dark = Shade(0.25, 0.5, where).over(np.full((SIDE, SIDE, 3), 200, np.uint8))
    assert (dark[:, :20] == 200).all()
    assert (dark[:, 20:] == 50).all()


def test_a_shadow_moves_as_the_toon_does() -> None:
    where = np.zeros((64, 64, 1), np.float32)
    where[:20] = 1
    warp = np.zeros((16, 16, 2), np.float32)
    warp[..., 1] = 8 / 64  # the toon shows what is 8 px further down
    moved = Shade(0.25, 0.5, where).moved(warp)
    assert moved.where[:12].min() > 0.99
    assert moved.where[13:50].max() < 0.01


def test_a_toon_is_shaded_where_its_photo_is_and_less() -> None:
    for share in (0.0, 1.0):
        alone = {"spectacles": 0.0, "dyed": 0.0, "hidden": 0.0}
        batch = Sampler(grey_pairs(64), 8, seed=3, shaded=share, **alone).draw()
        spread = [x.amax((1, 2, 3)) - x.amin((1, 2, 3)) for x in (batch.photo, batch.toon)]
        lighter = (batch.toon - batch.photo).amax((1, 2, 3))
        assert (lighter > -0.01).all()
        assert ((spread[0] > spread[1] + 0.05) == (lighter > 0.05)).all()
        assert int((lighter > 0.05).sum()) == 8 * share
