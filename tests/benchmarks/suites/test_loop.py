"""The loop benchmark on the real pipeline, with a tiny model and a small picture."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from benchmarks.render import grids
from benchmarks.report import Report
from benchmarks.suites import loop as suite
from engines.card import BundleError
from engines.errors import ToonifyError
from realtime.pace import usable_cores
from tests.engines.factory import tiny_bundle

SIZE = (320, 240)


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    patch = pytest.MonkeyPatch()
    patch.setattr("benchmarks.suites.loop.BANK", 6)
    settings = suite.LoopSettings(
        (SIZE,), (1,), (0.0, 10.0), "torch:cpu", seconds=1.0, rounds=2, warmup=1.0
    )
    try:
        yield suite.run(settings, lambda line: None, tiny_bundle())
    finally:
        patch.undo()


def test_both_paces_are_measured(report: Report) -> None:
    unpaced, paced = report.results
    assert unpaced.name == "320x240 1 face unpaced"
    assert paced.name == "320x240 1 face 10 fps"
    assert unpaced.metrics["fps"] > 0
    assert 0 < paced.metrics["fps"] <= 11
    assert paced.metrics["holds"] in (0.0, 1.0)
    assert 0 <= paced.metrics["dropped_share"] <= 1


def test_stages_latency_and_memory_are_there(report: Report) -> None:
    unpaced, paced = report.results
    for result in report.results:
        assert {"stage:track", "stage:stylize", "stage:guard", "memory"} <= result.series.keys()
        assert result.metrics["cpu_cores"] > 0
        assert 0 < result.metrics["drawings_per_s"] <= result.metrics["fps"]
    assert "stage:capture" not in paced.series  # it waits for the camera
    stages = sum(
        paced.series[f"stage:{name}"].summary.median.value for name in ("track", "stylize")
    )
    assert paced.series["latency"].summary.median.value > 0.5 * stages
    assert "latency" not in unpaced.series


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux names all threads")
def test_processor_time_is_told_by_work(report: Report) -> None:
    for result in report.results:
        spent = {n: ms for n, ms in result.metrics.items() if n.startswith("processor_ms:")}
        assert {"processor_ms:engine", "processor_ms:face networks"} <= spent.keys()
        beside = sum(ms for name, ms in spent.items() if name != "processor_ms:engine")
        assert 0 < result.metrics["beside_engine_ms"] < 2 * beside
    assert any(grid.title == "Processor, ms a toon" for grid in grids(report))


def test_the_model_that_is_asked_for_is_the_one_that_runs() -> None:
    settings = suite.LoopSettings((SIZE,), (1,), (0.0,), "torch:cpu", model="nobody's")
    assert settings.record()["model"] == "nobody's"
    with pytest.raises(BundleError, match='no model "nobody\'s"'):
        suite.run(settings, lambda line: None)


def test_the_floor_draws_nothing() -> None:
    settings = suite.LoopSettings((SIZE,), (1,), (0.0,), "torch:cpu", 0.5, 1, 1.0, toons=False)
    found = suite.run(settings, lambda line: None, tiny_bundle())
    assert found.results[0].labels["run"] == "no toons"
    assert found.results[0].metrics["fps"] > 0


def test_the_share_that_was_used_stands_beside_the_one_that_was_asked_for(report: Report) -> None:
    assert "cpu_used" not in report.results[0].metrics
    settings = suite.LoopSettings((SIZE,), (1,), (10.0,), "torch:cpu", 1.0, 1, 1.0, cpu=0.9)
    found = suite.run(settings, lambda line: None, tiny_bundle())
    metrics = found.results[0].metrics
    assert metrics["cpu_asked"] == 0.9
    assert metrics["cpu_used"] == pytest.approx(metrics["cpu_cores"] / usable_cores())
    assert 0 < metrics["cpu_used"] <= 1
    assert {"share asked", "share used"} <= set(grids(found)[0].header)


@pytest.mark.parametrize("text", ["1280", "x720", "12x", "8x8", "axb"])
def test_sizes_are_checked(text: str) -> None:
    assert suite.parse_size("640x480") == (640, 480)
    with pytest.raises(ToonifyError, match="WIDTHxHEIGHT"):
        suite.parse_size(text)
