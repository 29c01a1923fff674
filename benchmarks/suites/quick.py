"""The quick version of every suite that needs nothing but the machine, as one block to post."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

from benchmarks.render import machine_line, markdown_rows, results_grid
from benchmarks.report import Report, Skipped
from engines.errors import ToonifyError
from engines.say import Say

FIGURES = {
    "engines": ("median ms", "p95 ms", "images/s"),
    "loop": ("fps", "drawn/s", "p50 ms", "p95 ms"),
    "peers": ("median ms", "× ours", "fps"),
    "wire": ("kB sent", "kB back", "median ms"),
}
"""Suite -> the columns of its report that are worth posting."""


@dataclass(frozen=True)
class Outcome:
    """What came of the suites: reports that can be trusted, and why the others are missing."""

    reports: list[Report] = field(default_factory=list)
    left_out: list[Skipped] = field(default_factory=list)


def _engines(say: Say) -> Report:
    from benchmarks.suites.engines import EngineSettings, run

    return run(EngineSettings.quick(), say)


def _loop(say: Say) -> Report:
    from benchmarks.suites.loop import LoopSettings, run

    return run(LoopSettings.quick(), say)


def _peers(say: Say) -> Report:
    from benchmarks.suites.peers import PeerSettings, run

    return run(PeerSettings.quick(), say)


def _wire(say: Say) -> Report:
    from benchmarks.suites.wire import QUICK_ROUNDS, run

    return run(QUICK_ROUNDS, say)


SUITES: dict[str, Callable[[Say], Report]] = {
    "engines": _engines,
    "loop": _loop,
    "peers": _peers,
    "wire": _wire,
}


def run(say: Say, noisy_ok: bool) -> Outcome:
    """Run one suite after the other; one that fails does not end the others.

    Args:
        say: takes one line on what is going on.
        noisy_ok: keep reports of a machine that was too busy; the block then says so.

    Raises:
        ToonifyError: no suite gave a report.
    """
    outcome = Outcome()
    for name, suite in SUITES.items():
        try:
            report = suite(lambda line, name=name: say(f"{name}: {line}"))  # type: ignore[misc]
        except ToonifyError as error:
            outcome.left_out.append(Skipped(name, str(error)))
            continue
        if report.complaints and not noisy_ok:
            why = f"{' '.join(report.complaints)} (--noisy-ok keeps it.)"
            outcome.left_out.append(Skipped(name, why))
        else:
            outcome.reports.append(report)
    if not outcome.reports:
        reasons = " ".join(f"{one.name}: {one.reason}" for one in outcome.left_out)
        raise ToonifyError(f"No suite gave samples that can be trusted. {reasons}")
    return outcome


def block(outcome: Outcome) -> str:
    """Machine, versions and medians as Markdown."""
    first = outcome.reports[0]
    title = f"**`toonify bench`, the quick version** ({_version()}, {first.created[:10]})"
    lines = [title, "", machine_line(first.machine), ""]
    for report in outcome.reports:
        for complaint in report.complaints:
            lines += [f"> **Do not trust {report.kind}:** {complaint}", ""]
        lines += [*_figures(report), ""]
    lines += [f"Without {one.name}: {one.reason}" for one in outcome.left_out]
    return "\n".join(lines).rstrip() + "\n"


def _figures(report: Report) -> list[str]:
    """A report's table, with the columns of `FIGURES` only."""
    grid = results_grid(report)
    kept = [0, *(i for i, title in enumerate(grid.header) if title in FIGURES[report.kind])]
    header = [report.kind, *(grid.header[i] for i in kept[1:])]
    return markdown_rows(header, [[row[i] for i in kept] for row in grid.rows])


def _version() -> str:
    return f"toonify-live {version('toonify-live')}"
