"""The JSON schema, and its checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import Report, ReportError
from tests.benchmarks.factory import MACHINE, report


def test_a_report_survives_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.json"
    report().save(path)
    back = Report.load(path)
    assert back.machine == MACHINE
    assert back.aims[0].met
    assert back.skipped == report().skipped
    for ours, theirs in zip(report().results, back.results, strict=True):
        assert theirs.labels == ours.labels
        assert theirs.series["latency"].samples == pytest.approx(
            ours.series["latency"].samples, rel=1e-5
        )
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


def test_the_file_says_what_a_reader_needs(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    report().save(path)
    record = json.loads(path.read_text())
    assert record["schema"] == "toonify-bench/1"
    assert {"machine", "settings", "conditions", "command", "created"} <= record.keys()
    summary = record["results"][1]["series"]["latency"]["summary"]
    assert summary["median"]["low"] <= summary["median"]["value"] <= summary["median"]["high"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda r: r.update(schema="toonify-bench/9"), "expected schema 'toonify-bench/1'"),
        (lambda r: r.update(kind="weather"), "kind must be one of"),
        (lambda r: r.pop("machine"), "report.machine must be of type dict"),
        (lambda r: r["results"][0].update(name=3), r"results\[0\].name must be of type str"),
        (lambda r: r["results"][0]["metrics"].update(x="fast"), "x must be a finite number"),
        (lambda r: r["results"][0]["metrics"].update(x=True), "x must be a finite number"),
        (lambda r: r["results"][0]["labels"].update(x=[1]), "labels.x must be text or a number"),
        (lambda r: r["results"][0]["series"]["latency"].update(rounds=[[]]), "non-empty lists"),
        (lambda r: r["results"][0]["series"]["latency"].update(rounds=[]), "rounds is empty"),
        (lambda r: r["results"][0]["series"]["latency"].update(better="up"), "better must be one"),
        (lambda r: r["aims"][0].pop("bound"), r"aims\[0\].bound must be a finite number"),
        (lambda r: r.update(results={}), "results must be of type list"),
    ],
)
def test_a_file_off_the_schema_is_refused_in_one_sentence(
    tmp_path: Path, damage: Callable[[dict[str, Any]], object], words: str
) -> None:
    record = report().to_dict()
    damage(record)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(record))
    with pytest.raises(ReportError, match=words) as caught:
        Report.load(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_report_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ReportError, match="is not JSON"):
        Report.load(tmp_path / "x.json")
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(ReportError, match="must be an object, found list"):
        Report.load(tmp_path / "x.json")
    with pytest.raises(ReportError, match="Cannot read"):
        Report.load(tmp_path / "absent.json")
