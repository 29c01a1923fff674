"""The soak on the real pipeline with a tiny model, and its verdicts on made-up samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.plots import plot
from benchmarks.render import markdown
from benchmarks.report import Report
from benchmarks.suites import soak
from benchmarks.suites.soak import Sample, SoakSettings, examine
from engines.errors import ToonifyError
from tests.engines.factory import tiny_bundle


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    patch = pytest.MonkeyPatch()
    patch.setattr(soak, "SHORTEST", 0.1)
    patch.setattr(soak, "BANK", 6)
    settings = SoakSettings(0.12, (320, 240), 1, 10.0, "torch:cpu")
    try:
        yield soak.run(settings, lambda line: None, tiny_bundle())
    finally:
        patch.undo()


def test_every_quantity_gets_its_samples_and_a_verdict(report: Report) -> None:
    assert [result.labels["quantity"] for result in report.results] == list(soak.MARKS)
    for result in report.results:
        minutes = result.series["minutes"].samples
        assert len(result.series["samples"].samples) == len(minutes) > 3
        assert minutes == sorted(minutes)
        assert min(result.series["samples"].samples) > 0
        assert result.labels["verdict"] in soak.VERDICTS.values()
    assert report.conditions["complaints"] == []


def test_a_report_is_read_back_shown_and_drawn(report: Report, tmp_path: Path) -> None:
    report.save(tmp_path / "soak.json")
    again = Report.load(tmp_path / "soak.json")
    assert again.results[0].labels == report.results[0].labels
    assert "| threads | " in markdown(again)
    plot(again, tmp_path / "soak.png")
    assert (tmp_path / "soak.png").stat().st_size > 1000


def samples(
    hours: float = 2.0, *, leak: float = 0.0, threads: float = 0.0, slower: float = 0.0
) -> list[Sample]:
    """A run whose memory, threads and latency change by so much an hour, and that warms up."""
    rng = np.random.default_rng(0)
    minutes = np.linspace(0.3, hours * 60, 400)
    return [
        Sample(
            minutes=at,
            memory=900 - 100 * np.exp(-at / 4) + leak * at / 60 + rng.normal(0, 2),
            handles=40,
            threads=20 + int(threads * at / 60),
            latency=40 + slower * at / 60 + rng.normal(0, 3),
            processor=50 + rng.normal(0, 3),
            frames=100,
        )
        for at in minutes
    ]


def verdicts(some: list[Sample], *, noisy: bool = False) -> dict[str, str]:
    found = examine(some, "torch fp32", noisy=noisy)
    return {str(result.labels["quantity"]): str(result.labels["verdict"]) for result in found}


def test_what_stays_is_steady_whatever_its_start() -> None:
    assert set(verdicts(samples()).values()) == {"steady"}


def test_what_grows_is_found() -> None:
    found = verdicts(samples(leak=40, threads=4, slower=8))
    assert found == {
        "memory": "grows",
        "handles": "steady",
        "threads": "grows",
        "latency": "grows",
        "processor": "steady",
    }
    memory = examine(samples(leak=40), "torch fp32", noisy=False)[0].metrics
    assert memory["low"] < 40 < memory["high"]


def test_a_busy_machine_spoils_times_alone() -> None:
    found = verdicts(samples(leak=40), noisy=True)
    assert found["latency"] == found["processor"] == "too noisy to say"
    assert found["memory"] == "grows"


def test_too_short_a_run_is_refused() -> None:
    for few in ([], samples()[:2]):
        with pytest.raises(ToonifyError, match="soak longer"):
            examine(few, "torch fp32", noisy=False)
    assert "low" not in examine(samples()[:8], "torch fp32", noisy=False)[0].metrics
