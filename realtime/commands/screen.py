"""What commands print: messages on standard error, results on standard output.

Much of it quotes files and devices: model cards, paths, names of cameras. So a text is printed as
it is, never as Rich's markup, and with its control characters made visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from engines.text import plain_lines


class PlainConsole(Console):
    """A console for which every text, also in cells and titles of tables, is plain."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text without markup and control characters."""
        return super().render_str(plain_lines(text), **{**options, "markup": False})


out = PlainConsole()
err = PlainConsole(stderr=True)


def frame_progress() -> Progress:
    """A progress bar for frames, with the time left."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )


def print_statistics(numbers: Mapping[str, Any]) -> None:
    """Print the numbers of a run: a table, and a line that may be longer than it is wide."""
    model, style, engine, device, precision = (
        str(numbers.get(key, "")) for key in ("model", "style", "engine", "device", "precision")
    )
    look = model if style == model else f"{style} of {model}"
    title = f"{look} on {engine} {device} {precision}"
    table = Table(title=title, title_justify="left")
    table.add_column("stage")
    for name in ("frames", "p50 ms", "p95 ms"):
        table.add_column(name, justify="right")
    rows = {**numbers["stages"], "added latency": numbers["added_latency"]}
    for name, stage in rows.items():
        values = [stage["p50_ms"], stage["p95_ms"]]
        cells = ["-" if value is None else f"{value:.1f}" for value in values]
        table.add_row(name, str(stage["count"]), *cells)
    kinds = ", ".join(f"{count} {kind}" for kind, count in numbers["sent_by_kind"].items())
    if numbers["toons_moved"]:
        kinds += f" ({numbers['toons_drawn']} drawn, {numbers['toons_moved']} moved)"
    dropped = sum(numbers["frames_dropped"].values())
    out.print(table)
    out.print(
        f"{numbers['fps']:.1f} frames a second out, {numbers['source_fps']:.1f} in; "
        f"sent {kinds or 'nothing'}; {dropped} replaced by newer ones",
        soft_wrap=True,
    )
