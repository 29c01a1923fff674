"""How large a network is: parameters and multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class NetworkSize:
    """``macs``: multiply-accumulates of one forward pass; ``parameters``: trainable numbers."""

    name: str
    macs: int
    parameters: int

    def __str__(self) -> str:
        return f"{self.name}: {self.macs / 1e9:.2f} GMAC, {self.parameters / 1e6:.1f} M parameters"


def parameters(module: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(p.numel() for p in module.parameters())


def macs(module: nn.Module, *inputs: Any) -> int:
    """Multiply-accumulates of ``module(*inputs)``.

    Convolutions and matrix products as torch's own counter sees them (two operations each);
    transposed convolutions count on their input grid. Element-wise work is left out.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return counter.get_total_flops() // 2


def report(module: nn.Module, *inputs: Any, name: str | None = None) -> NetworkSize:
    """Size of ``module`` when run on ``inputs``."""
    return NetworkSize(name or type(module).__name__, macs(module, *inputs), parameters(module))
