"""Batches drawn from training pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.training.learn.losses import shift_loss
from engines.training.pairs.sampler import EYES, Sampler, focus_map
from tests.engines.training.factory import tiny_pairs


def test_batches_have_the_promised_shapes() -> None:
    batch = Sampler(tiny_pairs(side=64), 6, seed=1, twins=2).draw()
    for images in (batch.crop, batch.photo, batch.toon):
        assert images.shape == (6, 3, 64, 64)
        assert images.dtype == torch.float32
        assert -1 <= images.min() < images.max() <= 1
    assert batch.head.shape == (6, 1, 64, 64)
    assert 0 <= batch.head.min() < batch.head.max() <= 1
    assert batch.focus.shape == (6, 1, 64, 64)
    assert batch.warp.shape == (6, 2, 64, 64)
    assert batch.shift.shape == (2, 2)


def test_the_seed_decides_and_the_state_goes_on() -> None:
    pairs = tiny_pairs()
    first, again, other = (Sampler(pairs, 4, seed=s, twins=1) for s in (1, 1, 2))
    a, b = first.draw(), again.draw()
    assert all(torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))
    assert not torch.equal(a.photo, other.draw().photo)
    state = first.rng.bit_generator.state
    expected = first.draw()
    other.rng.bit_generator.state = state
    assert torch.equal(other.draw().crop, expected.crop)


def test_twins_are_shifted_copies() -> None:
    sampler = Sampler(tiny_pairs(side=64), 6, seed=0, twins=3)
    for _ in range(3):
        batch = sampler.draw()
        assert batch.shift.any()
        for images in (batch.photo, batch.toon):
            assert shift_loss(images, batch.shift, 1.0) < 1e-3
        # The camera treats the two differently: that is what consistency is learned from.
        assert shift_loss(batch.crop, batch.shift, 1.0) > 5e-3


def test_weights_decide_how_often_a_pair_is_drawn() -> None:
    pairs = tiny_pairs(4)
    object.__setattr__(pairs, "weight", np.array([0.0, 0.0, 1.0, 0.0]))
    batch = Sampler(pairs, 8, seed=0, dyed=0, shaded=0).draw()
    means = batch.toon.mean((2, 3))
    assert (means - means[0]).abs().max() < 0.4  # one picture under eight lights
    assert len(pairs) == 4


def test_focus_is_highest_on_the_eyes() -> None:
    landmarks = np.full((478, 2), 50, np.float32)
    landmarks[list(EYES[0])] = (20, 24)
    landmarks[list(EYES[1])] = (44, 24)
    focus = focus_map(landmarks, 64)
    assert focus.shape == (64, 64)
    assert focus[24, 20] > 4
    assert focus[24, 44] > 4
    assert focus[2, 2] == pytest.approx(1, abs=0.05)
