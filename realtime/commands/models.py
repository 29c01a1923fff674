"""`toonify models`, `toonify engines` and `toonify blend`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markdown import Markdown
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from engines.backends import (
    BuildStep,
    build_engines,
    cache_directory,
    clear_engines,
    list_engines,
)
from engines.backends.remote.repository import PORT, export_repository
from engines.bundle import Bundle
from engines.catalogue import SHIPPED
from engines.catalogue.making import blend_into, import_into
from engines.catalogue.models import DOWNLOADS, fetch, find_bundle, installed_models
from engines.errors import ToonifyError, UsageError
from engines.faces.calibration import crops_for
from engines.files import check_writable
from engines.options import CALIBRATION_ALONE, PRECISIONS
from engines.pictures import write_png
from engines.say import say
from engines.text import plain_lines
from realtime.commands.screen import err, frame_progress, out


def list_models() -> None:
    """Installed models, then those that can be fetched."""
    table = Table("model", "styles", "output", "where")
    for model in installed_models():
        try:
            card = Bundle.load(model.path).card
        except ToonifyError as error:
            table.add_row(model.name, Text("damaged", "red"), "", str(error))
            continue
        where = "in the package" if model.shipped else str(model.path)
        styles = ", ".join(card.styles)
        table.add_row(model.name, styles, f"{card.generator.output_size} px", where)
    for name, download in DOWNLOADS.items():
        table.add_row(name, "", "", f"`toonify models fetch {name}` ({download.licence})")
    out.print(table)


def list_downloads() -> None:
    """What can be fetched by name, and how to fetch the rest."""
    if DOWNLOADS:
        table = Table("model", "what it is", "licence")
        for name, download in DOWNLOADS.items():
            table.add_row(name, download.summary, download.licence)
        out.print(table)
    else:
        say(
            f"No model can be fetched by name in this release; {' and '.join(SHIPPED)} comes with "
            "the package."
        )
    say(
        "Any model at an address can be fetched with its hash: `toonify models fetch "
        "https://HOST/NAME.toon --sha256 HEX`."
    )


def show_model(what: str) -> None:
    """A model's card."""
    card = plain_lines(find_bundle(what).card.to_markdown())
    out.print(Markdown(card, hyperlinks=False))


def fetch_model(what: str, sha256: str | None) -> None:
    """Download with a progress bar."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task("Fetching", total=None)
        model = fetch(
            what,
            sha256,
            lambda done, total: bar.update(task, completed=done, total=total or None),
        )
    say(f"Installed {model.name} in {model.path}; `toonify run --model {model.name}` uses it.")


def import_model(face: Path, toons: Sequence[Path], target: Path) -> None:
    """Checkpoints into a bundle."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("Reading", total=None)

        def show(step: str, share: float | None) -> None:
            bar.update(
                task, description=step, completed=share or 0, total=None if share is None else 1
            )

        bundle = import_into(target, face, toons, show)
    for limit in bundle.card.limits:
        say(limit)
    say(
        f"Wrote {target} with the styles {', '.join(bundle.styles)}; "
        f"`toonify train refit {target}` makes it runnable."
    )


def blend_model(what: str, target: Path, style: str | None, name: str | None, **spec: Any) -> None:
    """A copy of a model whose style is shown with another layer swap.

    Args:
        spec: `swap`, `level`, `low`, `width` and `strength` of `blend_into`.
    """
    blend_into(target, find_bundle(what), style, name, **spec)
    say(f"Wrote {target}; `toonify run --model {target}` uses it.")


def sample_model(
    what: str,
    target: Path,
    seeds: str,
    truncation: float,
    mix: int | None,
    style: str | None,
    swap: int | None,
) -> None:
    """A sheet of random characters, with a progress bar.

    Args:
        target: a new PNG.
        seeds, truncation, mix: see `engines.catalogue.sampling`.

    Raises:
        ToonifyError: the model has none, a value is not valid, or `target` cannot be written.
    """
    from engines.catalogue.sampling import Characters, lay_out, parse_seeds, sheet_of

    if target.suffix.lower() != ".png":
        raise UsageError(f"--out must be a file ending in .png, not {target}.")
    chosen = parse_seeds(seeds)
    if target.exists():
        raise ToonifyError(f"{target} exists; give another --out.")
    check_writable(target)
    characters = Characters(find_bundle(what), style, swap)
    count, drawn, across = sheet_of(characters, chosen, truncation, mix)
    with frame_progress() as bar:
        pictures = list(bar.track(drawn, total=count, description="Characters"))
    write_png(target, lay_out(pictures, across))
    say(f"Wrote {target}: {count} pictures.")


def build(
    what: str,
    backends: Sequence[str],
    style: str | None,
    precision: str | None,
    faces: int,
    calibration: Path | None,
) -> None:
    """Build engines ahead of time with a progress display.

    Args:
        calibration: folder of portraits that int8 is calibrated on; None for the package's own.

    Raises:
        UsageError: there is no such precision, or it needs no calibration.
        ToonifyError: the model or the faces are missing, or an engine cannot be built here.
    """
    if precision not in (None, *PRECISIONS):
        raise UsageError(f"--precision must be one of {', '.join(PRECISIONS)}, not {precision!r}.")
    if calibration is not None and precision != "int8":
        raise UsageError(CALIBRATION_ALONE)
    network = find_bundle(what).network(style)
    crops = crops_for(precision, network.input_size, calibration)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("Building", total=1.0)

        def show(step: BuildStep) -> None:
            bar.update(task, description=f"{step.name}: {step.stage}", completed=step.fraction)

        built = build_engines(
            network, backends, precision=precision, max_batch=faces, say=say, progress=show,
            calibration=crops,
        )  # fmt: skip
    for engine in built:
        how = f"built in {engine.seconds:.1f} s" if engine.built else "was there already"
        say(f"{engine.name}: {how}, {engine.size / 1e6:.1f} MB, {engine.path}")


def export(
    what: str,
    style: str | None,
    swap: int | None,
    form: str,
    repository: Path,
    precision: str | None,
    batch: int,
) -> None:
    """A model repository for a server, and how to use it.

    Raises:
        ToonifyError: the model, style or swap is missing, or the folder cannot be written.
    """
    network = find_bundle(what).network(style, swap)
    made = export_repository(network, repository, form, precision=precision, max_batch=batch)
    say(
        f"Wrote {made.path}. On the wire, a face takes {made.sent / 1e3:.0f} kB to the server and "
        f"{made.returned / 1e3:.0f} kB back."
    )
    say(
        f"{repository / 'README.md'} starts the server; then `toonify run --engine "
        f"remote:HOST:{PORT}/{made.model}` uses it."
    )


def list_built() -> None:
    """Engines on disk."""
    table, engines = Table(), list_engines()
    for name in ("back end", "precision", "crops", "weights", "MB", "used", "for"):
        table.add_column(name, no_wrap=True, max_width=12)
    for engine in engines:
        key = engine.key
        used = time.strftime("%d %b", time.localtime(engine.used))
        cells = (key.precision, key.shape, key.model[:8], f"{engine.size / 1e6:.0f}", used)
        table.add_row(key.backend, *cells, key.target)
    out.print(table)
    total = sum(engine.size for engine in engines)
    say(f"{len(engines)} engines, {total / 1e6:.0f} MB in {cache_directory()}")


def clear_built() -> None:
    """Delete engines on disk."""
    say(f"Freed {clear_engines() / 1e6:.1f} MB.")
