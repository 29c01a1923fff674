"""What a network costs to run: its multiply-accumulates."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def macs(module: nn.Module, *inputs: Any) -> int:
    """Multiply-accumulates of `module(*inputs)`.

    Convolutions and matrix products are counted as torch's own counter sees them (two operations
    each); transposed convolutions count on their input grid. Element-wise work does not count.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return counter.get_total_flops() // 2
