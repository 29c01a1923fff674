"""What a benchmark shows while it runs, and what it leaves at its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console

from engines.errors import ToonifyError, reason

if TYPE_CHECKING:
    from benchmarks.options import Output
    from benchmarks.report import Report


class Status:
    """A line on standard error that shows the current step; the last one stays after a failure."""

    def __enter__(self) -> Status:
        self._status = Console(stderr=True).status("starting")
        self._status.start()
        return self

    def __call__(self, line: str) -> None:
        from benchmarks.render import literal

        self._status.update(literal(line))

    def __exit__(self, *_: object) -> None:
        self._status.stop()


def screen() -> Console:
    """Wide enough for the tables where there is no terminal to ask."""
    return Console(width=None if sys.stdout.isatty() else 120)


def finish(report: Report, output: Output, noisy_ok: bool) -> None:
    """Refuses meaningless samples, else prints and writes what was asked for."""
    from benchmarks.conditions import require_fit
    from benchmarks.render import markdown as as_markdown
    from benchmarks.render import print_report

    require_fit(report.complaints, noisy_ok)
    print_report(report, screen())
    if output.json:
        report.save(output.json)
    if output.markdown:
        try:
            output.markdown.parent.mkdir(parents=True, exist_ok=True)
            output.markdown.write_text(as_markdown(report), encoding="utf-8")
        except OSError as error:
            raise ToonifyError(f"Cannot write {output.markdown}: {reason(error)}.") from error
    if output.plot:
        from benchmarks.plots import plot as draw

        draw(report, output.plot)
