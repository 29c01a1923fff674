"""What is timed on which device, on a model of a few thousand parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import runners
from benchmarks.conditions import GpuReading
from tests.benchmarks.suites.factory import FEW
from tests.engines.factory import tiny_network


def test_memory_of_an_engine_on_the_processor_is_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = SimpleNamespace
    monkeypatch.setattr(
        runners, "PeakMemory", lambda cuda: meter(held=lambda: 7.0 if cuda else 3.0)
    )
    network = tiny_network()
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "A card")
    runner = runners.build_runner("tiny", network, "torch:cpu", None, 1)
    assert (runner.kind, runner.held_mib) == ("cpu", 3.0)


@pytest.mark.parametrize(("kind", "looks"), [("cpu", 0), ("cuda", FEW.rounds)])
def test_a_gpu_is_looked_at_only_after_what_ran_on_it(
    monkeypatch: pytest.MonkeyPatch, kind: str, looks: int
) -> None:
    runner = runners.build_runner("tiny", tiny_network(), "torch:cpu", None, 1)
    monkeypatch.setattr(runners, "device_kind", lambda engine: kind)
    monkeypatch.setattr(runners, "CudaClock", lambda stream: None)
    monkeypatch.setattr(runners, "PeakMemory", lambda cuda: SimpleNamespace(read=lambda: 1.0))
    seen: list[str] = []

    def look_at_gpu(after: str) -> list[GpuReading]:
        seen.append(after)
        return []

    watch: Any = SimpleNamespace(tick=lambda: None, look_at_gpu=look_at_gpu)
    runners.time_batch([runner], 1, FEW, watch, [])
    assert seen == ["tiny torch fp32 b1"] * looks
