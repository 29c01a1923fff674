"""A report as tables: on screen with Rich, and as Markdown for posting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.compare import Change, Comparison
from benchmarks.report import Report, Result
from benchmarks.statistics import Estimate, Verdict
from engines.text import plain_lines

COLUMNS: dict[str, Sequence[tuple[str, str]]] = {
    "engines": (
        ("median ms", "series:latency:median"),
        ("p95 ms", "series:latency:p95"),
        ("p99 ms", "series:latency:p99"),
        ("images/s", "images_per_s"),
        ("callers at 30 fps", "callers_at_30_fps"),
        ("lost", "lost_share"),
        ("Mbit/s", "mbit_per_s"),
        ("client cores", "client_cores"),
        ("GMAC/s", "gmac_per_s"),
        ("of ceiling", "share_of_ceiling"),
        ("peak MiB", "peak_memory_mib"),
        ("build s", "build_s"),
        ("W", "power_w"),
        ("MHz", "sm_clock_mhz"),
    ),
    "loop": (
        ("fps", "fps"),
        ("drawn/s", "drawings_per_s"),
        ("p50 ms", "series:latency:median"),
        ("p95 ms", "series:latency:p95"),
        ("p99 ms", "series:latency:p99"),
        ("dropped", "dropped_share"),
        ("holds", "holds"),
        ("CPU cores", "cpu_cores"),
        ("share asked", "cpu_asked"),
        ("share used", "cpu_used"),
        ("beside engine ms", "beside_engine_ms"),
        ("MiB/min", "memory_growth_mib_per_min"),
    ),
    "wire": (
        ("kB sent", "sent_kb"),
        ("kB back", "returned_kb"),
        ("Mbit/s at 30 fps", "mbit_per_s_at_30_fps"),
        ("median ms", "series:latency:median"),
        ("change of 255", "difference"),
    ),
    "soak": (
        ("begin", "begin"),
        ("end", "end"),
        ("growth an hour", "growth"),
        ("from", "low"),
        ("to", "high"),
        ("counts from", "bound"),
    ),
    "quality": (
        ("median", "median"),
        ("mean", "mean"),
        ("worst", "worst"),
        ("faces", "count"),
    ),
}
COLUMNS["peers"] = (
    ("median ms", "series:latency:median"),
    ("p95 ms", "series:latency:p95"),
    ("× ours", "times_ours"),
    ("GMAC", "gmac_per_image"),
    ("GMAC/s", "gmac_per_s"),
    ("of ceiling", "share_of_ceiling"),
    ("peak MiB", "peak_memory_mib"),
    ("fps", "fps"),
)
SHARES = {"share_of_ceiling", "dropped_share", "lost_share"}


def literal(text: str) -> str:
    """A text, such as one from a report file, that a Rich console shows as it is."""
    return escape(plain_lines(text))


@dataclass(frozen=True)
class Grid:
    """A table before it is drawn."""

    title: str
    header: list[str]
    rows: list[list[str]]


def grids(report: Report) -> list[Grid]:
    """Everything a report says, as tables without empty columns."""
    found = [results_grid(report)]
    if report.kind == "loop":
        found += [_stages(report), _processor(report)]
    if report.kind == "soak":
        rows = [[result.name, str(result.labels["verdict"])] for result in report.results]
        found.append(Grid("Verdicts", ["over time", ""], rows))
    if report.aims:
        rows = [
            [a.text, _number(a.value), f"{'≤' if a.better == 'lower' else '≥'} {_number(a.bound)}",
             "met" if a.met else "missed"]
            for a in report.aims
        ]  # fmt: skip
        found.append(Grid("Aims", ["aim", "measured", "bound", ""], rows))
    if report.ceilings:
        rows = [
            [c["device"], c["precision"], _number(c["gmac_per_s"]), _number(c["gb_per_s"])]
            for c in report.ceilings
        ]
        header = ["device", "precision", "matmul GMAC/s", "copy GB/s"]
        found.append(Grid("Ceilings measured in this run", header, rows))
    if report.skipped:
        reasons: dict[str, list[str]] = {}
        for skipped in report.skipped:
            reasons.setdefault(skipped.reason, []).append(skipped.name)
        rows = [[_listed(names), reason] for reason, names in reasons.items()]
        found.append(Grid("Not measured", ["what", "why"], rows))
    return [grid for grid in found if grid.rows]


def results_grid(report: Report) -> Grid:
    """The main table of a report, without empty columns."""
    columns = [
        (title, key)
        for title, key in COLUMNS[report.kind]
        if any(_value(result, key) is not None for result in report.results)
    ]
    rows = [
        [result.name, *(_cell(key, _value(result, key)) for _, key in columns)]
        for result in report.results
    ]
    return Grid(f"{report.kind} ({report.created})", ["", *(title for title, _ in columns)], rows)


def _stages(report: Report) -> Grid:
    rows = []
    for result in report.results:
        for name, series in result.series.items():
            if not name.startswith("stage:"):
                continue
            summary = series.summary
            rows.append(
                [
                    result.name,
                    name.removeprefix("stage:"),
                    _number(summary.median.value),
                    _number(summary.p95.value if summary.p95 else None),
                    _number(summary.p99.value if summary.p99 else None),
                ]
            )
    return Grid("Stages", ["run", "stage", "p50 ms", "p95 ms", "p99 ms"], rows)


def _processor(report: Report) -> Grid:
    """Processor time of one toon, by work: a column for each that any run has."""
    works = [name for result in report.results for name in result.metrics]
    works = [name for name in dict.fromkeys(works) if name.startswith("processor_ms:")]
    rows = [
        [result.name, *(_number(result.metrics.get(work)) for work in works)]
        for result in report.results
        if works
    ]
    header = ["run", *(work.removeprefix("processor_ms:") for work in works)]
    return Grid("Processor, ms a toon", header, rows)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _value(result: Result, key: str) -> float | None:
    if not key.startswith("series:"):
        return result.metrics.get(key)
    _, name, statistic = key.split(":")
    series = result.series.get(name)
    found: Estimate | None = getattr(series.summary, statistic) if series else None
    return found.value if found else None


def _cell(key: str, value: float | None) -> str:
    if value is not None and key in SHARES:
        return f"{value:.1%}"
    if value is not None and key == "holds":
        return "yes" if value else "no"
    return _number(value)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine_line(machine: dict[str, Any]) -> str:
    """One line on the machine that was measured."""
    gpus = ", ".join(f"{g['name']} (driver {g['driver']})" for g in machine.get("gpus", []))
    versions = machine.get("versions", {})
    software = ", ".join(
        f"{name} {versions[name]}"
        for name in ("torch", "openvino", "tensorrt-rtx-cu13")
        if name in versions
    )
    hardware = f"{machine.get('cpu')}, {machine.get('usable_cores')} cores"
    return (
        f"{hardware}{', ' + gpus if gpus else ''}; {machine.get('system')}; "
        f"Python {machine.get('python')}, {software}; commit {machine.get('commit')}"
    )


def print_report(report: Report, console: Console) -> None:
    """Draw every table of a report, then its complaints."""
    console.print(literal(machine_line(report.machine)), style="dim", highlight=False)
    for grid in grids(report):
        console.print(_rich(grid))
    for complaint in report.complaints:
        console.print(f"[bold yellow]Do not trust these numbers:[/] {literal(complaint)}")


def _rich(grid: Grid) -> Table:
    table = Table(title=literal(grid.title), title_justify="left")
    for i, title in enumerate(grid.header):
        table.add_column(literal(title), justify="left" if i == 0 else "right", no_wrap=i == 0)
    for row in grid.rows:
        table.add_row(*(literal(cell) for cell in row))
    return table


def markdown(report: Report) -> str:
    """A report as Markdown, ready for posting."""
    lines = [f"`{report.command}`", "", machine_line(report.machine), ""]
    for complaint in report.complaints:
        lines += [f"> **Do not trust these numbers:** {complaint}", ""]
    for grid in grids(report):
        lines += [f"**{grid.title}**", "", *markdown_rows(grid.header, grid.rows), ""]
    return "\n".join(lines)


def markdown_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown: the first column to the left, numbers to the right."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = "|" + "|".join("---" if i == 0 else "---:" for i in range(len(header))) + "|"
    return [line(header), rule, *(line(row) for row in rows)]


STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red", Verdict.SAME: "dim"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Draws what changed between two reports."""
    for warning in comparison.warnings:
        console.print(f"[yellow]Note:[/] {literal(warning)}")
    table = Table(title="second over first (×), or less first (±)", title_justify="left")
    for title in ("", "quantity", "first", "second", "change", "95 % interval", "verdict"):
        table.add_column(title, justify="left" if title in ("", "quantity") else "right")
    for change in comparison.changes:
        low, high = change.estimate.low, change.estimate.high
        style = STYLES.get(change.verdict, "yellow")
        table.add_row(
            literal(change.name),
            literal(f"{change.quantity}, {change.unit}"),
            _number(change.before),
            _number(change.after),
            _change(change, change.estimate.value),
            "–"
            if low is None or high is None
            else f"{_change(change, low)} to {_change(change, high)}",
            f"[{style}]{change.verdict.value}[/]",
        )
    console.print(table)
    for which, names in (
        ("first", comparison.only_first),
        ("second", comparison.only_second),
    ):
        if names:
            console.print(f"Only in the {which}: {literal(', '.join(names))}", style="dim")
    for skipped in comparison.skipped:
        console.print(f"Not compared: {literal(skipped.name)}: {literal(skipped.reason)}")


def _change(change: Change, value: float) -> str:
    return f"×{value:.3f}" if change.measure == "ratio" else f"{value:+.3f}"
