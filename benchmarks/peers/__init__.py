"""Networks others publish, rebuilt from their layer tables to be timed beside ours.

All take and return what a `ToonNetwork` does, so every back end runs them. Weights are random:
speed does not depend on them, and looks are not compared here.
"""

from __future__ import annotations

from types import SimpleNamespace

from torch import nn


class PeerNetwork(nn.Module):
    """The interface of a toon network around a published network's layers.

    Back ends set precision on two parts, `encoder` and `synthesis`. Here `encoder` is the whole
    network, and `synthesis` is a stand-in with nothing to prepare.
    """

    has_mask = False

    def __init__(self, network: nn.Module, input_size: int, output_size: int) -> None:
        super().__init__()
        self.encoder = network
        self.input_size, self.output_size = input_size, output_size
        self.synthesis = SimpleNamespace(
            config=SimpleNamespace(resolutions=()), use_half=_nothing, freeze=_nothing
        )
        self.eval().requires_grad_(False)


def _nothing(*_: object) -> None:
    """Stands in for preparing kernels."""
