"""Callers of a server in this process, with a model of a few thousand parameters."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from numpy.typing import NDArray

from benchmarks.plots import draw
from benchmarks.render import markdown
from benchmarks.report import Report
from benchmarks.suites import engines as suite
from engines.backends.remote.interface import interface_of
from tests.benchmarks.suites.factory import FEW, settings
from tests.engines.backends.remote.server import Service, serving
from tests.engines.factory import tiny_network

SHORT = replace(FEW, seconds=0.6)


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(tiny_network(), "tiny")


@pytest.fixture(scope="module")
def report(service: Service) -> Report:
    with serving(service) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmarks.suites.callers.LIVE_DEADLINE", 10.0)  # on a busy machine too
        wanted = settings(engines=(f"remote:{server}/tiny",), callers=(1, 3), budget=SHORT)
        return suite.run(wanted, lambda line: None)


def test_every_number_of_callers_is_timed(report: Report) -> None:
    assert [result.name for result in report.results] == [
        "tiny remote, 1 caller",
        "tiny remote, 3 callers",
    ]
    assert report.skipped == []
    for result in report.results:
        assert 0 < len(result.series["latency"].rounds) <= FEW.rounds
        assert min(result.series["latency"].samples) > 0


def test_numbers_fit_together(report: Report) -> None:
    for result in report.results:
        rate = result.metrics["images_per_s"]
        assert result.metrics["callers_at_30_fps"] == pytest.approx(rate / 30)
        size = sum(interface_of(tiny_network()).wire)
        assert result.metrics["mbit_per_s"] == pytest.approx(rate * size * 8 / 1e6)
        assert 0 <= result.metrics["lost_share"] < 1
        assert result.metrics["client_cores"] > 0


def test_no_server_address_is_in_the_settings(report: Report) -> None:
    assert report.settings["engines"] == ["remote"]
    assert report.settings["callers"] == [1, 3]


def test_is_shown_as_a_table_and_as_a_picture(report: Report) -> None:
    assert "| tiny remote, 3 callers |" in markdown(report)
    assert "callers at 30 fps" in markdown(report)
    assert len(draw(report).axes) == 3
    assert Report.from_dict(report.to_dict()).results == report.results


def test_a_server_that_is_away_is_left_out_with_a_reason(service: Service) -> None:
    with serving(service) as server:
        pass
    found = suite.run(settings(engines=(f"remote:{server}/tiny",), callers=(1,)), lambda _: None)
    assert found.results == []
    assert "cannot be reached" in found.skipped[0].reason


def late(arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """An answer that takes longer than any caller waits."""
    time.sleep(0.1)
    return arrays


def test_toons_that_are_all_late_are_said_to_be(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.suites.callers.LIVE_DEADLINE", 0.01)
    monkeypatch.setattr(service, "change", late)
    with serving(service) as server:
        wanted = settings(engines=(f"remote:{server}/tiny",), callers=(2,), budget=SHORT)
        found = suite.run(wanted, lambda line: None)
    assert found.results == []
    assert found.skipped[0].name == "tiny remote, 2 callers"
    assert "toons came within" in found.skipped[0].reason
