"""Sample sheets; the trainings draw them in the tests of the commands."""

from __future__ import annotations

import torch

from engines.training.pairs.sampler import to_tensor
from engines.training.show.previews import ROWS, as_pictures, chosen
from tests.engines.training.factory import smooth_pictures, tiny_pairs


def test_pictures_survive_being_tensors() -> None:
    pictures = smooth_pictures(2, 16)
    assert (as_pictures(to_tensor(list(pictures))) == pictures).all()
    assert as_pictures(torch.full((1, 3, 2, 2), 9.0)).max() == 255
    assert as_pictures(torch.full((1, 3, 2, 2), -9.0)).min() == 0


def test_a_few_people_are_spread_over_the_set() -> None:
    assert chosen(tiny_pairs(3)) == [0, 1, 2]
    assert chosen(tiny_pairs(60)) == [0, 10, 20, 30, 40, 50]
    assert len(chosen(tiny_pairs(100))) == ROWS
