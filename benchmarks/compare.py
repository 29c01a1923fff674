"""Two reports side by side: ratios with intervals, and what they let one say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.report import Report, ReportError, Result, Series
from benchmarks.statistics import Estimate, Verdict, judge, ratio

TOLERANCE_APART = 0.05
"""Two runs of the same thing at different times differ by this much for no reason."""
TOLERANCE_TOGETHER = 0.02
"""What taking turns in one run leaves over."""


@dataclass(frozen=True)
class Change:
    """One quantity in two reports; `ratio` is second over first."""

    name: str
    quantity: str
    unit: str
    before: float
    after: float
    ratio: Estimate
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """All common quantities, what is only in one report, and warnings to read first."""

    changes: list[Change]
    only_first: list[str]
    only_second: list[str]
    warnings: list[str]


def compare(first: Report, second: Report) -> Comparison:
    """Compares what both reports hold under the same names."""
    if first.kind != second.kind:
        raise ReportError(
            f"The reports are of different kinds ({first.kind} and {second.kind}); "
            "compare two of the same kind."
        )
    names = {result.name: result for result in first.results}
    others = {result.name: result for result in second.results}
    common = [name for name in names if name in others]
    if not common:
        raise ReportError(
            f"The reports share no result ({_some(names)} against {_some(others)}); "
            "run both with the same settings."
        )
    changes = [change for name in common for change in _changes(names[name], others[name])]
    return Comparison(
        changes,
        [name for name in names if name not in common],
        [name for name in others if name not in common],
        list(_warnings(first, second)),
    )


def _changes(before: Result, after: Result) -> Iterable[Change]:
    for quantity, series in before.series.items():
        other = after.series.get(quantity)
        if other is None or series.better == "neither" or min(series.samples) <= 0:
            continue
        yield change(before.name, quantity, series, other, paired=False, tolerance=TOLERANCE_APART)


def change(
    name: str,
    quantity: str,
    first: Series,
    second: Series,
    *,
    paired: bool,
    tolerance: float,
) -> Change:
    """Compares one series with another of the same unit."""
    found = ratio(first.rounds, second.rounds, paired=paired)
    return Change(
        name,
        quantity,
        first.unit,
        first.summary.median.value,
        second.summary.median.value,
        found,
        judge(found, lower_is_better=first.better == "lower", tolerance=tolerance),
    )


def _warnings(first: Report, second: Report) -> Iterable[str]:
    for which, report in (("first", first), ("second", second)):
        for complaint in report.complaints:
            yield f"The {which} report was taken on an unfit machine: {complaint}"
    keys = ("cpu", "usable_cores", "torch_threads", "gpus", "versions")
    if differing := [k for k in keys if first.machine.get(k) != second.machine.get(k)]:
        yield f"The machines differ in {', '.join(differing)}: ratios mix that with the change."
    before, after = (report.conditions.get("yardstick_ms") or [] for report in (first, second))
    if before and after:
        drift = min(after) / min(before)
        if not 1 / 1.1 < drift < 1.1:
            yield f"The same fixed work took {drift:.2f} times as long in the second run."
    if first.settings != second.settings:
        yield "The settings differ."


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
