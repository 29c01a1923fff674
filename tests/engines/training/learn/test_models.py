"""The networks that are trained together."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engines.training.learn.models import EMA, SCALED_FACTOR, ToonModels, learning_groups
from tests.engines.training.factory import tiny_size


def test_a_swap_shares_its_blocks_with_both_generators() -> None:
    models = ToonModels(tiny_size(128))
    mixed = models.swapped()
    assert mixed.block(32) is models.toon.synthesis.block(32)
    assert mixed.block(64) is models.face.synthesis.block(64)
    assert models.toon.synthesis.block(64) is not models.face.synthesis.block(64)  # left as it was


def test_every_weight_learns_at_one_rate() -> None:
    models = ToonModels(tiny_size())
    plain, scaled = learning_groups(models)
    assert (plain["factor"], scaled["factor"]) == (1.0, SCALED_FACTOR)
    learned = [id(p) for p in (*plain["params"], *scaled["params"])]
    assert sorted(learned) == sorted(id(p) for p in models.parameters())
    assert any(p is models.toon.synthesis.b4.const for p in scaled["params"])


def test_the_average_follows_slowly() -> None:
    module = nn.BatchNorm1d(1)
    ema = EMA(module, decay=0.9)
    with torch.no_grad():
        module.weight.fill_(3.0)
        module.num_batches_tracked.fill_(7)
    ema.update(module, step=0)  # it is young: 0.1 of the start is kept
    assert float(ema.module.weight) == pytest.approx(0.1 * 1 + 0.9 * 3)
    assert int(ema.module.num_batches_tracked) == 7
    before = float(ema.module.weight)
    ema.update(module, step=10_000)
    assert float(ema.module.weight) == pytest.approx(0.9 * before + 0.1 * 3)
