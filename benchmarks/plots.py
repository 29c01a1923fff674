"""A report as a picture. matplotlib draws it without a display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Report, ReportError, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED = "#1f2430", "#8a93a6"
COLOURS = (
    "#2f6fed",
    "#f2994a",
    "#27ae60",
    "#9b51e0",
    "#eb5757",
    "#00a3bf",
    "#b88700",
    "#7a8290",
    "#d6469a",
)
MOST_BARS = 24
WIDE = 20
"""Largest over smallest value from which on an axis is logarithmic."""


def plot(report: Report, path: Path) -> None:
    """Draws the plots that fit the report's kind into one picture (PNG, SVG or PDF)."""
    figure = draw(report)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise ReportError(f"Cannot write the plot to {path}: {error}.") from error


def draw(report: Report) -> Figure:
    """The figure of `plot`, not yet written."""
    from matplotlib.figure import Figure

    panels = {
        "engines": (_latency_bars, _rate_against_batch, _roofline),
        "peers": (_latency_bars, _roofline),
        "loop": (_latency_bars, _stage_stack),
        "quality": (_spread_of_metrics,),
        "wire": (_latency_bars,),
        "soak": (_over_time,),
    }[report.kind]
    longest = min(MOST_BARS, len(report.results))
    figure = Figure(figsize=(6.0 * len(panels), max(4.2, 0.3 * longest + 1.6)))
    figure.set_layout_engine("constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=8)
        panel(axes, report)
    note = " (unfit machine: do not trust)" if report.complaints else ""
    figure.suptitle(f"{report.kind}: {_hardware(report.machine)}{note}", color=INK, fontsize=10)
    return figure


def _hardware(machine: dict[str, Any]) -> str:
    names = [gpu["name"] for gpu in machine.get("gpus", [])]
    return ", ".join(names or [f"{machine.get('cpu')}, {machine.get('usable_cores')} cores"])


def _latency_bars(axes: Axes, report: Report) -> None:
    """Median per result, whisker up to p95."""
    timed = [result for result in report.results if "latency" in result.series]
    shown = sorted(timed, key=lambda r: r.series["latency"].summary.median.value)[:MOST_BARS]
    for row, result in enumerate(reversed(shown)):
        summary = result.series["latency"].summary
        median = summary.median.value
        axes.barh(row, median, color=_colour(result, report), height=0.7)
        if summary.p95:
            axes.plot([median, summary.p95.value], [row, row], color=INK, linewidth=1)
            axes.plot(summary.p95.value, row, "|", color=INK)
        axes.annotate(
            f"{median:.3g}",
            (summary.p95.value if summary.p95 else median, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=INK,
        )
    axes.set_yticks(range(len(shown)), [result.name for result in reversed(shown)])
    medians = [result.series["latency"].summary.median.value for result in shown]
    if medians and max(medians) > WIDE * min(medians):
        axes.set_xscale("log")
        axes.set_xlim(left=min(medians) / 3)
    axes.margins(x=0.12)
    left_out = len(timed) - len(shown)
    title = "latency, ms: median, whisker to p95"
    axes.set_title(title + (f" ({left_out} slower not shown)" if left_out else ""), fontsize=9)


def _over_time(axes: Axes, report: Report) -> None:
    """Each quantity over the minutes, as a share of its mean."""
    for i, result in enumerate(report.results):
        values = np.array(result.series["samples"].samples)
        label = f"{result.name}: {values.mean():.3g} on average, {result.labels['verdict']}"
        minutes = result.series["minutes"].samples
        axes.plot(minutes, values / values.mean(), color=COLOURS[i], linewidth=1, label=label)
    axes.set_xlabel("minutes", fontsize=8)
    axes.set_title("share of each quantity's mean", fontsize=9)
    axes.legend(fontsize=7)


def _rate_against_batch(axes: Axes, report: Report) -> None:
    lines: dict[str, list[tuple[float, float]]] = {}
    for result in report.results:
        if "images_per_s" in result.metrics and "batch" in result.labels:
            labels = result.labels
            name = f"{labels['tier']} {labels['engine']} {labels['precision']}"
            point = (float(labels["batch"]), result.metrics["images_per_s"])
            lines.setdefault(name, []).append(point)
    for i, (name, points) in enumerate(lines.items()):
        x, y = zip(*sorted(points), strict=True)
        axes.plot(x, y, "o-", label=name, color=COLOURS[i % len(COLOURS)], markersize=4)
    batches = sorted({x for points in lines.values() for x, _ in points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(batches, [f"{batch:g}" for batch in batches])
    rates = [rate for points in lines.values() for _, rate in points]
    if rates and max(rates) > WIDE * min(rates):
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, max(rates, default=1) * 1.1)
    axes.set_xlabel("batch", fontsize=8)
    axes.set_title("images a second", fontsize=9)
    if lines:
        axes.legend(fontsize=7, frameon=False)


def _roofline(axes: Axes, report: Report) -> None:
    """Achieved rate against arithmetic intensity, under the measured ceilings."""
    points = [r for r in report.results if {"intensity", "gmac_per_s"} <= r.metrics.keys()]
    reach = [r.metrics["intensity"] for r in points] or [1.0]
    x = np.geomspace(min(reach) / 8, max(reach) * 8, 100)
    for i, ceiling in enumerate(report.ceilings):
        roof = np.minimum(ceiling["gmac_per_s"], x * ceiling["gb_per_s"])
        style = ("-", "--", ":")[i % 3]
        axes.plot(x, roof, style, color=INK, label=f"{ceiling['device']} {ceiling['precision']}")
    for result in points:
        axes.plot(
            result.metrics["intensity"],
            result.metrics["gmac_per_s"],
            "o",
            color=_colour(result, report),
            markersize=5,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("multiply-accumulates a byte", fontsize=8)
    axes.set_title("roofline, GMAC/s", fontsize=9)
    if report.ceilings:
        axes.legend(fontsize=7, frameon=False)


def _stage_stack(axes: Axes, report: Report) -> None:
    """Median time of every stage, stacked per run."""
    stages = list(
        dict.fromkeys(
            name for r in report.results for name in r.series if name.startswith("stage:")
        )
    )
    for row, result in enumerate(reversed(report.results)):
        left = 0.0
        for i, stage in enumerate(stages):
            if stage in result.series:
                width = result.series[stage].summary.median.value
                axes.barh(row, width, left=left, color=COLOURS[i % len(COLOURS)], height=0.7)
                left += width
    names = [result.name for result in reversed(report.results)]
    axes.set_yticks(range(len(names)), names)
    for i, stage in enumerate(stages):
        label = stage.removeprefix("stage:")
        axes.barh(0, 0, color=COLOURS[i % len(COLOURS)], label=label)
    if stages:
        axes.legend(fontsize=7, frameon=False)
    axes.set_title("median ms by stage", fontsize=9)


def _spread_of_metrics(axes: Axes, report: Report) -> None:
    """Every face as a dot, one row per metric, scaled by the row's own largest value."""
    rows = [r for r in reversed(report.results) if "faces" in r.series]
    random = np.random.default_rng(0)
    for row, result in enumerate(rows):
        values = np.asarray(result.series["faces"].samples)
        scale = float(np.abs(values).max()) or 1.0
        height = row + random.uniform(-0.25, 0.25, len(values))
        axes.plot(values / scale, height, ".", color=COLOURS[0], alpha=0.5, markersize=4)
        axes.plot(np.median(values) / scale, row, "|", color=INK, markersize=14)
    axes.set_yticks(range(len(rows)), [result.name for result in rows])
    # In two lines: long names of rows leave little width to the axes.
    axes.set_title("each face, as a share of its\nrow's largest; bar: median", fontsize=9)
    axes.axvline(0, color=MUTED, linewidth=0.5)


def _colour(result: Result, report: Report) -> str:
    """One colour per engine, or per result where there is none."""
    key = "engine" if "engine" in result.labels else "run"
    names = list(dict.fromkeys(str(r.labels.get(key, r.name)) for r in report.results))
    return COLOURS[names.index(str(result.labels.get(key, result.name))) % len(COLOURS)]
