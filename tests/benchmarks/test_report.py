"""The JSON schema, its checks, the tables and plots, and verdicts on two reports."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmarks.compare import compare
from benchmarks.plots import draw, plot
from benchmarks.quality.metrics import metric_result
from benchmarks.render import markdown, print_comparison, print_report
from benchmarks.report import Aim, Report, ReportError, Result, Series, Skipped
from benchmarks.statistics import Verdict

MACHINE = {
    "cpu": "A CPU",
    "usable_cores": 2,
    "gpus": [],
    "versions": {"torch": "2"},
    "commit": "abc",
}
CEILING = {"device": "cpu", "precision": "fp32", "gmac_per_s": 100.0, "gb_per_s": 10.0}


def latency(median: float, seed: int = 0) -> Series:
    random = np.random.default_rng(seed)
    rounds = [list(median + 0.05 * median * random.random(10)) for _ in range(6)]
    return Series("ms", "lower", rounds)


def result(name: str, median: float, seed: int = 0) -> Result:
    labels = {"tier": "cpu-256", "engine": name, "precision": "fp32", "batch": 1}
    metrics = {"images_per_s": 1e3 / median, "gmac_per_s": 2e3 / median, "intensity": 20.0}
    return Result(f"cpu-256 {name} b1", labels, {"latency": latency(median, seed)}, metrics)


def report(**changes) -> Report:
    whole = Report(
        kind="engines",
        settings={"batches": [1]},
        conditions={"complaints": [], "yardstick_ms": [1.0, 1.0]},
        results=[result("torch", 80), result("openvino", 20)],
        skipped=[Skipped("cuda", "No GPU.")],
        aims=[Aim("openvino, ms", 20.0, 25.0, "lower")],
        ceilings=[CEILING],
        machine=MACHINE,
        command="python -m benchmarks engines",
    )
    return replace(whole, **changes)


def test_a_report_survives_the_disk(tmp_path):
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


def test_the_file_says_what_a_reader_needs(tmp_path):
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
def test_a_file_off_the_schema_is_refused_in_one_sentence(tmp_path, damage, words):
    record = report().to_dict()
    damage(record)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(record))
    with pytest.raises(ReportError, match=words) as caught:
        Report.load(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_report_at_all_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ReportError, match="is not JSON"):
        Report.load(tmp_path / "x.json")
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(ReportError, match="must be an object, found list"):
        Report.load(tmp_path / "x.json")
    with pytest.raises(ReportError, match="Cannot read"):
        Report.load(tmp_path / "absent.json")


def test_verdicts_on_two_reports():
    before = report()
    after = report(results=[result("torch", 80.4, 1), result("openvino", 14, 1)])
    changes = {c.name: c for c in compare(before, after).changes}
    assert changes["cpu-256 torch b1"].verdict is Verdict.SAME
    faster = changes["cpu-256 openvino b1"]
    assert faster.verdict is Verdict.BETTER
    assert faster.estimate.value == pytest.approx(0.7, abs=0.02)
    worse = compare(after, before).changes[1]
    assert worse.verdict is Verdict.WORSE


def test_noise_makes_no_verdict():
    random = np.random.default_rng(5)
    noisy = [list(20 * random.lognormal(0.05, 0.6, 6)) for _ in range(4)]
    wild = replace(result("openvino", 20), series={"latency": Series("ms", "lower", noisy)})
    found = compare(report(), report(results=[wild])).changes[0]
    assert found.verdict is Verdict.UNCLEAR


def people(values: dict[str, list[float]]) -> Report:
    """A quality report on people p0, p1, ..., by metric."""
    results = [
        metric_result(name, [f"p{i}" for i in range(len(samples))], samples)
        for name, samples in values.items()
    ]
    return report(kind="quality", results=results)


def test_lost_faces_are_seen_both_ways():
    whole, lossy = (
        people({"face found": [1.0] * 50}),
        people({"face found": [1.0] * 42 + [0.0] * 8}),
    )
    (lost,) = compare(whole, lossy).changes
    assert lost.verdict is Verdict.WORSE
    assert lost.estimate.value == pytest.approx(-0.16)
    (won,) = compare(lossy, whole).changes
    assert won.verdict is Verdict.BETTER
    (same,) = compare(whole, whole).changes
    assert same.verdict is Verdict.SAME


def test_people_are_paired_by_name_and_who_is_missing_is_told():
    random = np.random.default_rng(4)
    before = list(0.3 + 0.1 * random.standard_normal(40))
    after = [value - 0.02 for value in before]
    old, new = people({"feature distance": before}), people({"feature distance": after[:30]})
    names = str(new.results[0].labels["names"]).split()[::-1]
    turned = metric_result("feature distance", names, after[:30][::-1])
    found = compare(old, replace(new, results=[turned]))
    assert found.changes[0].verdict is Verdict.BETTER  # far less than people differ
    assert found.changes[0].estimate.value == pytest.approx(-0.02)
    assert "for 10 of 40 people" in found.skipped[0].reason


def test_what_should_be_one_is_compared_by_its_distance_from_one():
    one, other = [1.1] * 20, [0.7] * 20
    (found,) = compare(people({"detail": one}), people({"detail": other})).changes
    assert found.verdict is Verdict.WORSE
    assert (found.before, found.after) == (pytest.approx(0.1), pytest.approx(0.3))
    assert "distance from 1" in found.quantity
    (even,) = compare(people({"detail": one}), people({"detail": [0.9] * 20})).changes
    assert even.verdict is Verdict.SAME


def test_few_people_make_no_verdict():
    (found,) = compare(people({"flicker": [0.2] * 7}), people({"flicker": [0.9] * 7})).changes
    assert found.verdict is Verdict.UNCLEAR


def test_names_that_do_not_tell_people_apart_are_skipped():
    twice = replace(people({}), results=[metric_result("flicker", ["a", "a"], [0.1, 0.2])])
    found = compare(twice, twice)
    assert found.changes == []
    assert "cannot be told apart" in found.skipped[0].reason
    blank = metric_result("flicker", ["a b", "c"], [0.1, 0.2])
    assert str(blank.labels["names"]).split() == ["a_b", "c"]


def test_a_measure_that_changed_its_meaning_is_skipped():
    before = people({"spectacles": [1.0] * 10})
    (old,) = before.results
    series = {"faces": replace(old.series["faces"], unit="contrast")}
    found = compare(replace(before, results=[replace(old, series=series)]), before)
    assert found.changes == []
    assert "Measured differently: as contrast" in found.skipped[0].reason


def loop(intervals: list[float], latencies: list[float]) -> Report:
    """A loop report of six rounds alike."""
    series = {
        "frame_interval": Series("ms", "lower", [intervals] * 6),
        "latency": Series("ms", "lower", [latencies] * 6),
        "memory": Series("MiB", "neither", [[500.0]] * 6),
    }
    return report(kind="loop", results=[Result("1 face 30 fps", {}, series)])


def test_dropped_frames_and_slow_tails_do_not_hide_behind_medians():
    smooth = loop([33.0] * 100, [30.0] * 100)
    rough = loop([33.0] * 60 + [66.0] * 40, [30.0] * 90 + [90.0] * 10)
    found = compare(smooth, rough)
    verdicts = {change.quantity: change.verdict for change in found.changes}
    assert verdicts == {
        "frame_interval (mean)": Verdict.WORSE,
        "latency": Verdict.SAME,
        "latency (p95)": Verdict.WORSE,
    }
    assert [skipped.name for skipped in found.skipped] == ["1 face 30 fps, memory"]


def test_series_without_a_ratio_are_told_of():
    before, after = loop([33.0] * 9, [0.0] * 9), loop([33.0] * 9, [30.0] * 9)
    del after.results[0].series["memory"]
    reasons = {skipped.name: skipped.reason for skipped in compare(before, after).skipped}
    assert reasons["1 face 30 fps, memory"] == "Only in the first report."
    assert "positive" in reasons["1 face 30 fps, latency"]
    reasons = {skipped.name: skipped.reason for skipped in compare(after, before).skipped}
    assert "positive" in reasons["1 face 30 fps, latency"]


def test_what_makes_a_comparison_doubtful_is_said():
    other = report(
        machine={**MACHINE, "cpu": "B"},
        conditions={"complaints": ["Too hot."], "yardstick_ms": [1.4, 1.5]},
        results=[result("torch", 80), result("cuda", 1)],
    )
    found = compare(report(), other)
    assert found.only_first == ["cpu-256 openvino b1"]
    assert found.only_second == ["cpu-256 cuda b1"]
    said = " ".join(found.warnings)
    assert "Too hot" in said
    assert "differ in cpu" in said
    assert "1.40 times as long" in said


def test_reports_without_common_ground_are_refused():
    with pytest.raises(ReportError, match="different kinds"):
        compare(report(), report(kind="loop"))
    with pytest.raises(ReportError, match="share no result"):
        compare(report(), report(results=[result("cuda", 1)]))


def test_tables_hold_the_numbers():
    shown = Console(width=160)
    with shown.capture() as captured:
        print_report(report(conditions={"complaints": ["Too hot."]}), shown)
    text = captured.get()
    for word in ("cpu-256 openvino b1", "No GPU.", "Too hot.", "met", "matmul GMAC/s"):
        assert word in text
    posted = markdown(report())
    assert "| cpu-256 openvino b1 |" in posted
    assert posted.startswith("`python -m benchmarks engines`")


def test_a_comparison_is_drawn():
    screen = Console(width=140)
    with screen.capture() as captured:
        print_comparison(compare(report(), report()), screen)
    assert "same" in captured.get()
    with screen.capture() as captured:
        print_comparison(
            compare(people({"flicker": [0.2] * 9}), people({"flicker": [0.3] * 8})), screen
        )
    text = captured.get()
    assert "+0.100" in text
    assert "Not compared: flicker of p8: Answered only in the first report" in text


@pytest.mark.parametrize("kind", ["engines", "peers", "loop", "quality"])
def test_every_kind_is_plotted(tmp_path, kind):
    whole = report(kind=kind)
    for one in whole.results:
        one.series["stage:track"] = latency(5)
        one.series["faces"] = Series("r", "higher", [[0.1, 0.9]])
    plot(whole, tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 5000
    assert len(draw(whole).axes) == {"engines": 3, "peers": 2, "loop": 2, "quality": 1}[kind]


def test_compare_at_the_command_line(tmp_path):
    from benchmarks.cli import app

    report().save(tmp_path / "a.json")
    report().save(tmp_path / "b.json")
    done = CliRunner().invoke(app, ["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert done.exit_code == 0
    assert "same" in done.output
    failed = CliRunner().invoke(app, ["compare", str(tmp_path / "a.json"), str(tmp_path / "no")])
    assert isinstance(failed.exception, ReportError)
