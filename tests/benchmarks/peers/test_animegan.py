"""AnimeGANv2 has its published size."""

from __future__ import annotations

import pytest

from benchmarks.peers.animegan import PUBLISHED_MEGABYTES, AnimeNetwork
from tests.benchmarks.peers.factory import crops


def test_animegan_has_its_published_size() -> None:
    network = AnimeNetwork(64)
    megabytes = sum(p.numel() for p in network.parameters()) * 4 / 2**20
    assert megabytes == pytest.approx(PUBLISHED_MEGABYTES, abs=0.01)
    assert network(crops(2, 64))[0].shape == (2, 64, 64, 3)
