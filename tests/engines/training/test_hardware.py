"""What to train on, and random numbers of several processes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engines.errors import ToonifyError
from engines.training.hardware import Hardware, agreed, rng_for_rank
from tests.engines.training.factory import CPU


def test_hardware_that_cannot_be_is_refused() -> None:
    with pytest.raises(ToonifyError, match="in 32-true or bf16-mixed, not in '16-mixed'"):
        Hardware(precision="16-mixed")
    with pytest.raises(ToonifyError, match="cannot start on 1 x 'abacus'"):
        Hardware("abacus").launch(seed=0)


def test_the_seed_is_set() -> None:
    CPU.launch(seed=3)
    first = torch.rand(4)
    CPU.launch(seed=3)
    assert torch.equal(torch.rand(4), first)


def test_every_process_has_its_own_random_numbers() -> None:
    first, same, *others = (rng_for_rank(np.random.default_rng(5), r) for r in (0, 0, 1, 2))
    numbers = first.random(8)
    assert (numbers == same.random(8)).all()
    drawn = [numbers, *(rng.random(8) for rng in others)]
    assert len(np.unique(np.concatenate(drawn))) == 24


def test_the_first_process_decides() -> None:
    assert agreed(SimpleNamespace(world_size=1), True)
    several = SimpleNamespace(world_size=2, broadcast=lambda stop: False)
    assert not agreed(several, True)
