"""Verdicts on two reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.compare import compare
from benchmarks.quality.metrics import metric_result
from benchmarks.report import ReportError, Series
from benchmarks.statistics import Verdict
from tests.benchmarks.factory import MACHINE, loop, people, report, result


def test_verdicts_on_two_reports() -> None:
    before = report()
    after = report(results=[result("torch", 80.4, 1), result("openvino", 14, 1)])
    changes = {c.name: c for c in compare(before, after).changes}
    assert changes["shipped torch b1"].verdict is Verdict.SAME
    faster = changes["shipped openvino b1"]
    assert faster.verdict is Verdict.BETTER
    assert faster.estimate.value == pytest.approx(0.7, abs=0.02)
    worse = compare(after, before).changes[1]
    assert worse.verdict is Verdict.WORSE


def test_noise_makes_no_verdict() -> None:
    random = np.random.default_rng(5)
    noisy = [list(20 * random.lognormal(0.05, 0.6, 6)) for _ in range(4)]
    wild = replace(result("openvino", 20), series={"latency": Series("ms", "lower", noisy)})
    found = compare(report(), report(results=[wild])).changes[0]
    assert found.verdict is Verdict.UNCLEAR


def test_lost_faces_are_seen_both_ways() -> None:
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


def test_people_are_paired_by_name_and_who_is_missing_is_told() -> None:
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


def test_what_should_be_one_is_compared_by_its_distance_from_one() -> None:
    one, other = [1.1] * 20, [0.7] * 20
    (found,) = compare(people({"detail": one}), people({"detail": other})).changes
    assert found.verdict is Verdict.WORSE
    assert (found.before, found.after) == (pytest.approx(0.1), pytest.approx(0.3))
    assert "distance from 1" in found.quantity
    (even,) = compare(people({"detail": one}), people({"detail": [0.9] * 20})).changes
    assert even.verdict is Verdict.SAME


def test_few_people_make_no_verdict() -> None:
    (found,) = compare(people({"flicker": [0.2] * 7}), people({"flicker": [0.9] * 7})).changes
    assert found.verdict is Verdict.UNCLEAR


def test_names_that_do_not_tell_people_apart_are_skipped() -> None:
    twice = replace(people({}), results=[metric_result("flicker", ["a", "a"], [0.1, 0.2])])
    found = compare(twice, twice)
    assert found.changes == []
    assert "cannot be told apart" in found.skipped[0].reason
    blank = metric_result("flicker", ["a b", "c"], [0.1, 0.2])
    assert str(blank.labels["names"]).split() == ["a_b", "c"]


def test_a_measure_that_changed_its_meaning_is_skipped() -> None:
    before = people({"spectacles": [1.0] * 10})
    (old,) = before.results
    series = {"faces": replace(old.series["faces"], unit="contrast")}
    found = compare(replace(before, results=[replace(old, series=series)]), before)
    assert found.changes == []
    assert "Measured differently: as contrast" in found.skipped[0].reason


def test_dropped_frames_and_slow_tails_do_not_hide_behind_medians() -> None:
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


def test_series_without_a_ratio_are_told_of() -> None:
    before, after = loop([33.0] * 9, [0.0] * 9), loop([33.0] * 9, [30.0] * 9)
    del after.results[0].series["memory"]
    reasons = {skipped.name: skipped.reason for skipped in compare(before, after).skipped}
    assert reasons["1 face 30 fps, memory"] == "Only in the first report."
    assert "positive" in reasons["1 face 30 fps, latency"]
    reasons = {skipped.name: skipped.reason for skipped in compare(after, before).skipped}
    assert "positive" in reasons["1 face 30 fps, latency"]


def test_what_makes_a_comparison_doubtful_is_said() -> None:
    other = report(
        machine={**MACHINE, "cpu": "B"},
        conditions={"complaints": ["Too hot."], "yardstick_ms": [1.4, 1.5]},
        results=[result("torch", 80), result("cuda", 1)],
    )
    found = compare(report(), other)
    assert found.only_first == ["shipped openvino b1"]
    assert found.only_second == ["shipped cuda b1"]
    said = " ".join(found.warnings)
    assert "Too hot" in said
    assert "differ in cpu" in said
    assert "1.40 times as long" in said


def test_reports_without_common_ground_are_refused() -> None:
    with pytest.raises(ReportError, match="different kinds"):
        compare(report(), report(kind="loop"))
    with pytest.raises(ReportError, match="share no result"):
        compare(report(), report(results=[result("cuda", 1)]))
