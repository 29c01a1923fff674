"""Measured figures in a model card."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.card import card_metrics, measured
from benchmarks.cli import app
from benchmarks.report import Aim, Report, Result, Skipped
from engines.bundle import Bundle
from engines.errors import ToonifyError
from tests.engines.factory import tiny_bundle


def report_on(bundle: str, kind: str = "quality") -> Report:
    numbers = {"median": 0.3, "mean": 0.312, "worst": 0.5}
    return Report(
        kind,  # type: ignore[arg-type]
        {"bundle": bundle, "engine_used": "openvino bf16"},
        {},
        [
            Result("feature distance", {"unit": "share"}, {}, {**numbers, "count": 60.0}),
            Result("blink follows, clip", {"unit": "r"}, {}, {**numbers, "count": 1.0}),
        ],
        skipped=[Skipped("mouth follows, clip", "Hardly moves.")],
        aims=[
            Aim("feature distance", 0.312, 0.28, "lower"),
            Aim("face found", 1.0, 0.99, "higher"),
        ],
        machine={"cpu": "a processor"},
        command="toonify bench quality people",
    )


def test_every_figure_and_every_miss_is_told() -> None:
    figures = card_metrics(report_on("film"))
    assert figures["how"] == "toonify bench quality people; a processor, openvino bf16"
    assert figures["feature distance (share)"] == "0.31 mean, 0.50 worst of 60"
    assert figures["blink follows, clip (r)"] == "0.31"
    assert figures["aim: feature distance"] == "0.31, at most 0.28: missed"
    assert figures["aim: face found"] == "1.00, at least 0.99: met"
    assert figures["not measured: mouth follows, clip"] == "Hardly moves."


def test_reports_of_something_else_are_refused() -> None:
    with pytest.raises(ToonifyError, match="is about loop"):
        card_metrics(report_on("film", "loop"))
    with pytest.raises(ToonifyError, match="model 'other', but this is 'random-64'"):
        measured(tiny_bundle(), report_on("folder/other.toon"))


def test_the_command_rewrites_only_the_figures(tmp_path: Path) -> None:
    path = tmp_path / "random-64.toon"
    before = tiny_bundle().save(path)
    report_on("random-64").save(tmp_path / "quality.json")
    app(["card", str(tmp_path / "quality.json"), str(path)], standalone_mode=False)
    after = Bundle.load(path)
    assert after.card.parts == before.card.parts
    assert after.card.metrics == card_metrics(report_on("random-64"))
    assert "| aim: feature distance | 0.31, at most 0.28: missed |" in after.card.to_markdown()
