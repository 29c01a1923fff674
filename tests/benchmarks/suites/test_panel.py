"""The loop with its pages open, with a tiny model and a small picture."""

from __future__ import annotations

import pytest

from benchmarks.suites import panel as suite
from benchmarks.suites.loop import LoopSettings
from tests.engines.factory import tiny_bundle

SIZE = (320, 240)


def test_both_states_are_measured_and_every_change_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "BANK", 6)
    monkeypatch.setattr(suite, "CHANGES", 2)
    settings = LoopSettings((SIZE,), (1,), (0.0,), "torch:cpu", seconds=1.0, rounds=1, warmup=1.0)
    report = suite.run(settings, lambda line: None, tiny_bundle())
    closed, open_, changes = report.results
    assert closed.name == "320x240 1 face unpaced, pages closed"
    assert open_.name == "320x240 1 face unpaced, pages open"
    assert open_.metrics["fps"] > 0
    assert open_.metrics["lost_share"] < 1
    kinds = {name.removeprefix("change:") for name in changes.series}
    assert kinds == {"panic", "strength", "region", "swap built", "swap kept"}
    assert all(series.summary.median.value > 0 for series in changes.series.values())
