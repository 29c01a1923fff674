"""Two reports side by side: what changed, with intervals, and what that shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.report import Report, ReportError, Result, Series, Skipped
from benchmarks.statistics import (
    LEAST_FOR_P95,
    Estimate,
    Verdict,
    judge,
    mean_difference,
    ratio,
)

Centre = Callable[[Sequence[float]], float]

TOLERANCE_APART = 0.05
"""Two runs of the same thing at different times differ by this much without a cause."""
TOLERANCE_TOGETHER = 0.02
"""The same for tasks that take turns in one run, and for the same people measured again."""


@dataclass(frozen=True)
class Change:
    """One quantity in two reports; `estimate` is second over first, or second less first."""

    name: str
    quantity: str
    unit: str
    before: float
    after: float
    estimate: Estimate
    verdict: Verdict
    measure: Literal["ratio", "difference"] = "ratio"


@dataclass(frozen=True)
class Comparison:
    """All common quantities, what is only in one report, what was skipped, and warnings."""

    changes: list[Change]
    only_first: list[str]
    only_second: list[str]
    skipped: list[Skipped]
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
    contrast = _people if first.kind == "quality" else _timings
    found = [one for name in common for one in contrast(names[name], others[name])]
    return Comparison(
        [one for one in found if isinstance(one, Change)],
        [name for name in names if name not in common],
        [name for name in others if name not in common],
        [one for one in found if isinstance(one, Skipped)],
        list(_warnings(first, second)),
    )


def _timings(before: Result, after: Result) -> Iterable[Change | Skipped]:
    """Every series of one result as a ratio."""
    for quantity in dict.fromkeys([*before.series, *after.series]):
        first, second = before.series.get(quantity), after.series.get(quantity)
        name = f"{before.name}, {quantity}"
        if first is None or second is None:
            yield Skipped(name, f"Only in the {'second' if first is None else 'first'} report.")
        elif first.unit != second.unit:
            yield Skipped(name, _units(first, second))
        elif first.better == "neither":
            yield Skipped(name, "Neither more nor less of it is better.")
        elif min(*first.samples, *second.samples) <= 0:
            yield Skipped(name, "Not all samples are positive, so there is no ratio.")
        else:
            for what, centre in _centres(quantity, first, second).items():
                yield change(
                    before.name,
                    what,
                    first,
                    second,
                    paired=False,
                    tolerance=TOLERANCE_APART,
                    centre=centre,
                )


def _centres(quantity: str, first: Series, second: Series) -> Mapping[str, Centre]:
    """What is compared in a series: its median, and more if the median hides what matters."""
    if quantity == "frame_interval":  # half the frames may drop before the median moves
        return {"frame_interval (mean)": np.mean}
    centres: dict[str, Centre] = {quantity: np.median}
    if quantity == "latency" and min(map(len, [*first.rounds, *second.rounds])) >= LEAST_FOR_P95:
        centres["latency (p95)"] = lambda samples: float(np.quantile(samples, 0.95))
    return centres


def change(
    name: str,
    quantity: str,
    first: Series,
    second: Series,
    *,
    paired: bool,
    tolerance: float,
    centre: Centre = np.median,
) -> Change:
    """Compares the `centre` of one series with that of another of the same unit."""
    found = ratio(first.rounds, second.rounds, paired=paired, centre=centre)
    return Change(
        name,
        quantity,
        first.unit,
        float(centre(first.samples)),
        float(centre(second.samples)),
        found,
        judge(found, lower_is_better=first.better == "lower", tolerance=tolerance),
    )


def _people(before: Result, after: Result) -> Iterable[Change | Skipped]:
    """A quality metric as the difference of its means over the people that are in both reports.

    If neither more nor less of a metric is better, its distance from 1 is compared.
    """
    first, second = _by_person(before), _by_person(after)
    if first is None or second is None:
        yield Skipped(before.name, "Its samples cannot be told apart by the people's names.")
        return
    series, other_series = before.series["faces"], after.series["faces"]
    if series.unit != other_series.unit:
        yield Skipped(before.name, _units(series, other_series))
        return
    both = [person for person in first if person in second]
    for people, other, which in ((first, second, "first"), (second, first, "second")):
        if alone := [person for person in people if person not in other]:
            yield Skipped(
                f"{before.name} of {_some(alone)}",
                f"Answered only in the {which} report, for {len(alone)} of {len(people)} people.",
            )
    if not both:
        yield Skipped(before.name, "The reports have no person in common.")
        return
    old, new = ([people[person] for person in both] for people in (first, second))
    if series.better == "neither":
        old, new = ([abs(value - 1) for value in values] for values in (old, new))
    found = mean_difference(old, new)
    before_mean, after_mean = float(np.mean(old)), float(np.mean(new))
    yield Change(
        before.name,
        "mean distance from 1" if series.better == "neither" else "mean",
        series.unit,
        before_mean,
        after_mean,
        found,
        judge(
            found,
            lower_is_better=series.better != "higher",
            tolerance=TOLERANCE_TOGETHER * abs(before_mean),
            unchanged=0.0,
        ),
        "difference",
    )


def _units(first: Series, second: Series) -> str:
    return f"Measured differently: as {first.unit}, and as {second.unit}."


def _by_person(result: Result) -> dict[str, float] | None:
    """Sample by person, or None if names and samples do not match one to one."""
    names = str(result.labels.get("names", "")).split()
    samples = result.series["faces"].samples if "faces" in result.series else []
    if not samples or not len(names) == len(set(names)) == len(samples):
        return None
    return dict(zip(names, samples, strict=True))


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
