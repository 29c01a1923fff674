"""Multiply-accumulates are those of the textbook."""

from __future__ import annotations

import torch
from torch import nn

from engines.networks.cost import macs


def test_a_product_and_a_convolution_are_counted() -> None:
    assert macs(nn.Linear(8, 4, bias=False), torch.zeros(3, 8)) == 3 * 8 * 4
    convolution = nn.Conv2d(4, 8, 3, padding=1, bias=False)
    assert macs(convolution, torch.zeros(2, 4, 16, 16)) == 2 * 16 * 16 * 4 * 8 * 9


def test_element_wise_work_does_not_count() -> None:
    assert macs(nn.ReLU(), torch.zeros(3, 8)) == 0
