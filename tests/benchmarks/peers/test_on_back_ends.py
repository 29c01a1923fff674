"""Peers run on the same back ends as our networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.animegan import AnimeNetwork
from benchmarks.peers.mobile_stylegan import (
    MobileStyleNetwork,
)
from engines.backends import create_engine
from tests.benchmarks.peers.factory import crops


@pytest.mark.parametrize("network", [AnimeNetwork(64), MobileStyleNetwork(64, 64)])
def test_peers_run_on_the_back_ends(network: Any, tmp_path: Path) -> None:
    engine = create_engine(network, "openvino", cache_dir=tmp_path, say=lambda line: None)
    eager = create_engine(network, "torch:cpu", say=lambda line: None)
    batch = crops(1, 64).numpy()
    there, here = engine.run(batch).images, eager.run(batch).images
    assert abs(there.astype(int) - here.astype(int)).mean() < 2
    engine.close()
    eager.close()
