"""A benchmark of a few runs on a tiny model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.suites import engines as suite
from benchmarks.tiers import Tier
from benchmarks.timing import Budget
from tests.engines.factory import tiny_network

TINY = Tier("tiny", "64 px, random", tiny_network)
FEW = Budget(runs=6, seconds=5, rounds=2, warmup_runs=1, warmup_seconds=0)


def settings(**changes: Any) -> suite.EngineSettings:
    whole = suite.EngineSettings((TINY,), (1, 2), ("torch", "openvino", "cuda"), (None,), FEW)
    return replace(whole, **changes)
