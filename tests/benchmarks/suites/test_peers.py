"""The peer benchmark, end to end on small networks."""

from __future__ import annotations

from benchmarks.suites import peers as peer_suite
from tests.benchmarks.suites.factory import FEW, TINY


def test_peers_take_turns_with_ours() -> None:
    found = peer_suite.run(
        peer_suite.PeerSettings((TINY,), ("torch:cpu",), FEW, 64, (64,), floor_seconds=0),
        lambda line: None,
    )
    by_tier = {result.labels["tier"]: result for result in found.results}
    assert set(by_tier) == {
        "ours tiny", "textbook tiny", "first release",
        "AnimeGANv2-size 64", "MobileStyleGAN-size 64",
    }  # fmt: skip
    for tier, result in by_tier.items():
        if tier == "ours tiny":
            assert "times_ours" not in result.metrics
        else:
            low, high = result.metrics["times_ours_low"], result.metrics["times_ours_high"]
            assert low <= result.metrics["times_ours"] <= high
            assert result.labels["against"] == by_tier["ours tiny"].name
