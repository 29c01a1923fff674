"""Spectacles drawn on training pairs."""

from __future__ import annotations

import numpy as np
import pytest

from engines.faces.head import CHIN, FOREHEAD
from engines.training.pairs.eyewear import TEMPLES, Layer, draw_spectacles
from engines.training.pairs.sampler import Sampler
from tests.engines.training.factory import grey_pairs

EYES = np.array([[48, 60], [80, 60]], np.float32)


def face() -> np.ndarray:
    points = np.full((478, 2), 64, np.float32)
    points[FOREHEAD], points[CHIN] = (64, 30), (64, 118)
    points[TEMPLES[0]], points[TEMPLES[1]] = (26, 62), (102, 62)
    return points


@pytest.mark.parametrize("seed", range(8))
def test_a_frame_surrounds_both_eyes_and_leaves_them_free(seed: int) -> None:
    frame = draw_spectacles(np.random.default_rng(seed), face(), EYES, 128)
    opacity = frame.opacity[..., 0]
    assert 0 <= opacity.min() <= opacity.max() <= 1
    assert (frame.colour >= 0).all()
    assert (frame.colour <= 255).all()
    for x, y in EYES.astype(int):
        assert opacity[y - 3 : y + 3, x - 5 : x + 5].max() == 0
        assert opacity[30:y, x].max() > 0.2  # a rim above
        assert opacity[y, x - 20 : x - 5].max() > 0.2
        assert opacity[y, x + 5 : x + 20].max() > 0.2
    assert opacity[:30].max() == opacity[100:].max() == 0
    drawn = frame.over(np.full((128, 128, 3), 128, np.uint8))
    assert (drawn[opacity == 0] == 128).all()


def test_a_frame_moves_as_the_toon_does() -> None:
    opacity = np.zeros((64, 64, 1), np.float32)
    opacity[30, 20] = 1
    warp = np.zeros((16, 16, 2), np.float32)
    warp[...] = (-4 / 64, 2 / 64)  # the toon shows what is 4 px further left and 2 px further down
    moved = Layer(np.ones(3, np.float32), opacity).moved(warp)
    assert np.argwhere(moved.opacity[..., 0] > 0.99).tolist() == [[28, 24]]


def test_photo_and_toon_get_the_same_frame() -> None:
    for share, expected in ((0.0, 0), (1.0, 4)):
        others = {"dyed": 0.0, "shaded": 0.0, "hidden": 0.0}
        batch = Sampler(grey_pairs(64), 4, seed=1, spectacles=share, **others).draw()
        assert (batch.photo - batch.toon).abs().max() < 0.02
        assert int((batch.photo.std((2, 3)).amax(1) > 0.01).sum()) == expected
