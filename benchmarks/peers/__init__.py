"""Networks others publish, rebuilt from their layer tables to be timed beside ours.

All take and return what a `ToonNetwork` does, so every back end runs them. Weights are random:
speed does not depend on them, and looks are not compared here.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn

from engines.finish import PLAIN
from engines.networks.toon import Output


class PeerNetwork(nn.Module):
    """The interface of a toon network around a published network's layers.

    Back ends set precision on two parts, `encoder` and `synthesis`. Here `encoder` is the whole
    network, and `synthesis` is a stand-in with nothing to prepare.
    """

    def __init__(self, network: nn.Module, input_size: int, output_size: int) -> None:
        super().__init__()
        self.encoder = network
        self.input_size, self.output_size = input_size, output_size
        self.synthesis = SimpleNamespace(
            config=SimpleNamespace(resolutions=()), use_half=_nothing, freeze=_nothing
        )
        self.eval().requires_grad_(False)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """As of a `ToonNetwork`: only toons."""
        return (Output("toons", (self.output_size, self.output_size, 3), torch.uint8),)

    finish = PLAIN

    @property
    def band_boxes(self) -> dict[str, tuple[slice, slice]]:
        """As of a `ToonNetwork`: there are none."""
        return {}


def _nothing(*_: object) -> None:
    """Stands in for preparing kernels."""
