"""The tiers have the size that their names promise."""

from __future__ import annotations

import pytest

from benchmarks.tiers import TIERS, random_network
from engines.networks.cost import macs


@pytest.mark.parametrize(("name", "least", "most"), [("256", 14, 18), ("512", 50, 75)])
def test_tiers_have_their_size(name: str, least: float, most: float) -> None:
    import torch

    resolution, base = {"256": (256, 16384), "512": (512, 32768)}[name]
    with torch.device("meta"):
        network = random_network(resolution, base)
        work = macs(network, torch.zeros(1, 256, 256, 3, dtype=torch.uint8)) / 1e9
    assert least < work < most
    assert name in TIERS
