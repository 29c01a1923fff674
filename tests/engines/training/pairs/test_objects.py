"""Hands, cups and phones before a face."""

from __future__ import annotations

import numpy as np

from engines.training.pairs.objects import random_thing
from tests.engines.training.factory import tiny_pairs

PAIRS = tiny_pairs(side=64)


def test_a_thing_stands_alike_before_photo_and_toon() -> None:
    for seed in range(12):
        thing = random_thing(
            np.random.default_rng(seed), PAIRS.photo[0], np.asarray(PAIRS.landmarks[0])
        )
        full = thing.where[..., 0] > 0.999
        assert 0.005 < full.mean() < 0.7
        before = thing.over(PAIRS.photo[0])
        drawn = thing.moved(PAIRS.warp[0]).over(PAIRS.toon[0])
        assert np.abs(before[full].astype(int) - drawn[full]).max() <= 1
        outside = thing.where[..., 0] == 0
        assert np.array_equal(before[outside], PAIRS.photo[0][outside])
        assert np.array_equal(drawn[outside], PAIRS.toon[0][outside])


def test_things_differ_and_the_seed_decides() -> None:
    points = np.asarray(PAIRS.landmarks[0])
    first, again, other = (
        random_thing(np.random.default_rng(seed), PAIRS.photo[0], points) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.where, again.where)
    assert not np.array_equal(first.where, other.where)
