"""`toonify bench`: what is fast and what is good, measured on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from engines.errors import ToonifyError, UsageError, reason

if TYPE_CHECKING:
    from benchmarks.report import Report
    from benchmarks.timing import Budget

app = typer.Typer(
    no_args_is_help=True,
    help="Measure speed and quality on this machine, and compare reports.",
    pretty_exceptions_enable=False,
)

Json = Annotated[
    Path | None,
    typer.Option("--json", help="Write everything, raw samples included, to this file."),
]
Markdown = Annotated[
    Path | None,
    typer.Option("--markdown", help="Write the tables to this file, ready for posting."),
]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", help="Draw the results into this file (PNG, SVG or PDF)."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Less of everything: under a minute.")]
NoisyOk = Annotated[
    bool,
    typer.Option("--noisy-ok", help="Report even when the machine was unfit; the report says so."),
]
Engines = Annotated[
    list[str] | None,
    typer.Option("--engine", help="A back end (repeatable); all of them by default."),
]
Tiers = Annotated[
    list[str] | None,
    typer.Option("--tier", help="cpu-256, 256, 512 or 1024 (repeatable)."),
]
Runs = Annotated[int | None, typer.Option(min=10, help="Timed runs of each.")]
Seconds = Annotated[
    float | None,
    typer.Option(min=0.05, help="Seconds after which timing of each ends."),
]


@app.command()
def engines(
    tier: Tiers = None,
    batch: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Crops a call (repeatable): 1, 2, 4, 8, 16."),
    ] = None,
    engine: Engines = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(help="fp32, fp16, bf16 or int8 (repeatable)."),
    ] = None,
    gpus: Annotated[
        str, typer.Option(help="'all' or numbers such as 0,1: one process each, at once.")
    ] = "",
    runs: Runs = None,
    seconds: Seconds = None,
    quick: Quick = False,
    noisy_ok: NoisyOk = False,
    json: Json = None,
    markdown: Markdown = None,
    plot: Plot = None,
) -> None:
    """Every back end by model tier, precision and batch, under the machine's own ceilings."""
    from benchmarks.suites.engines import PRECISIONS, EngineSettings, run
    from benchmarks.suites.multi_gpu import run_on_gpus

    settings = EngineSettings(
        tiers=_tiers(tier or (["cpu-256"] if quick else None)),
        batches=tuple(batch or ((1, 4) if quick else (1, 2, 4, 8, 16))),
        engines=_engines(engine),
        precisions=_precisions(precision) or ((None,) if quick else PRECISIONS),
        budget=_budget(quick, runs, seconds),
    )
    with _Status() as say:
        report = run_on_gpus(settings, gpus, say) if gpus else run(settings, say)
    _finish(report, json, markdown, plot, noisy_ok)


@app.command()
def peers(
    tier: Tiers = None,
    engine: Engines = None,
    runs: Runs = None,
    seconds: Seconds = None,
    quick: Quick = False,
    noisy_ok: NoisyOk = False,
    json: Json = None,
    markdown: Markdown = None,
    plot: Plot = None,
) -> None:
    """Our networks beside published ones, taking turns in one run."""
    from benchmarks.suites.peers import PeerSettings, run

    settings = PeerSettings(
        tiers=_tiers(tier or (["cpu-256"] if quick else ["cpu-256", "256"])),
        engines=_engines(engine),
        budget=_budget(quick, runs, seconds),
        mobile_sizes=(256,) if quick else (256, 1024),
        floor_seconds=3.0 if quick else 10.0,
    )
    with _Status() as say:
        report = run(settings, say)
    _finish(report, json, markdown, plot, noisy_ok)


@app.command()
def loop(
    size: Annotated[
        list[str] | None,
        typer.Option(help="WIDTHxHEIGHT (repeatable): 640x480, 1280x720, 1920x1080."),
    ] = None,
    faces: Annotated[
        list[int] | None,
        typer.Option(help="1, 2 or 4 faces in the picture (repeatable)."),
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option(min=0, help="Frames a second of the source; 0 is unpaced (repeatable)."),
    ] = None,
    engine: Annotated[str, typer.Option(help="auto or a back end.")] = "auto",
    seconds: Seconds = None,
    quick: Quick = False,
    noisy_ok: NoisyOk = False,
    json: Json = None,
    markdown: Markdown = None,
    plot: Plot = None,
) -> None:
    """The whole road from source to sink: fps, latency by stage, drops, processor and memory."""
    from benchmarks.suites.loop import LoopSettings, parse_size, run

    sizes = size or (["1280x720"] if quick else ["640x480", "1280x720", "1920x1080"])
    settings = LoopSettings(
        sizes=tuple(parse_size(text) for text in sizes),
        faces=tuple(faces or ((1,) if quick else (1, 2, 4))),
        rates=tuple(rate or ((0.0, 30.0) if quick else (0.0, 30.0, 60.0))),
        engine=engine,
        seconds=seconds or (3.0 if quick else 5.0),
        rounds=2 if quick else 3,
    )
    with _Status() as say:
        report = run(settings, say)
    _finish(report, json, markdown, plot, noisy_ok)


@app.command()
def quality(
    folder: Annotated[Path, typer.Argument(help="Portraits of people never trained on.")],
    cache: Annotated[Path, typer.Option(help="Where the artist's toons are kept.")],
    bundle: Annotated[
        str | None,
        typer.Option(help="A bundle's name or path; the shipped one by default."),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(help="A style of the bundle."),
    ] = None,
    look: Annotated[str, typer.Option(help="The artist's look to compare with.")] = "film",
    clips: Annotated[
        Path | None,
        typer.Option(help="A folder of animated pictures with moving faces."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Contact sheet PNG; the ten worst go beside it."),
    ] = None,
    engine: Annotated[str, typer.Option(help="auto or a back end.")] = "auto",
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Only the first so many."),
    ] = None,
    quick: Quick = False,
    json: Json = None,
    markdown: Markdown = None,
    plot: Plot = None,
) -> None:
    """How near the toon is to the artist's, and how it follows the person."""
    from benchmarks.suites.quality import QualitySettings, run
    from engines.catalogue import DEFAULT_BUNDLE

    settings = QualitySettings(
        folder=folder,
        cache=cache,
        look=look,
        style=style,
        bundle=bundle or DEFAULT_BUNDLE,
        engine=engine,
        limit=limit or (8 if quick else None),
        clips=clips,
        sheet=sheet,
    )
    with _Status() as say:
        report = run(settings, say)
    _finish(report, json, markdown, plot, noisy_ok=True)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A report (JSON).")],
    second: Annotated[Path, typer.Argument(help="Another one of the same kind.")],
) -> None:
    """Ratios of two reports with intervals, and what they let one say."""
    from benchmarks.compare import compare as compare_reports
    from benchmarks.render import print_comparison
    from benchmarks.report import Report

    print_comparison(compare_reports(Report.load(first), Report.load(second)), _screen())


@app.command()
def card(
    report: Annotated[Path, typer.Argument(help="JSON of `toonify bench quality`.")],
    bundle: Annotated[Path, typer.Argument(help="The measured model: a folder or a .toon file.")],
) -> None:
    """Write the measured figures into a model's card."""
    from benchmarks.card import measured
    from benchmarks.report import Report
    from engines.bundle import Bundle

    measured(Bundle.load(bundle), Report.load(report)).save(bundle)
    _screen().print(f"Wrote the figures of {report} into {bundle}.", highlight=False)


class _Status:
    """A line on standard error that says what is going on; the last one stays if it goes wrong."""

    def __enter__(self) -> _Status:
        self._status = Console(stderr=True).status("starting")
        self._status.start()
        return self

    def __call__(self, line: str) -> None:
        self._status.update(line)

    def __exit__(self, *_: object) -> None:
        self._status.stop()


def _screen() -> Console:
    """Wide enough for the tables where there is no terminal to ask."""
    return Console(width=None if sys.stdout.isatty() else 120)


def _tiers(names: list[str] | None) -> tuple:
    from benchmarks.tiers import TIERS

    unknown = [name for name in names or () if name not in TIERS]
    if unknown:
        raise UsageError(f"There is no tier {unknown[0]!r}; choose from {', '.join(TIERS)}.")
    return tuple(TIERS[name] for name in names or TIERS)


def _engines(names: list[str] | None) -> tuple[str, ...]:
    from engines.backends import BACKENDS
    from engines.backends.registry import check_name

    for name in names or ():
        check_name(name)
    return tuple(names or BACKENDS)


def _precisions(names: list[str] | None) -> tuple[str, ...]:
    from benchmarks.suites.engines import PRECISIONS

    unknown = [name for name in names or () if name not in PRECISIONS]
    if unknown:
        raise UsageError(
            f"There is no precision {unknown[0]!r}; choose from {', '.join(PRECISIONS)}."
        )
    return tuple(names or ())


def _budget(quick: bool, runs: int | None, seconds: float | None) -> Budget:
    from dataclasses import replace

    from benchmarks.timing import Budget

    budget = Budget.quick() if quick else Budget()
    return replace(budget, runs=runs or budget.runs, seconds=seconds or budget.seconds)


def _finish(
    report: Report,
    json: Path | None,
    markdown: Path | None,
    plot: Path | None,
    noisy_ok: bool,
) -> None:
    """Refuses meaningless samples, else prints and writes what was asked for."""
    from benchmarks.conditions import require_fit
    from benchmarks.render import markdown as as_markdown
    from benchmarks.render import print_report

    require_fit(report.complaints, noisy_ok)
    print_report(report, _screen())
    if json:
        report.save(json)
    if markdown:
        try:
            markdown.parent.mkdir(parents=True, exist_ok=True)
            markdown.write_text(as_markdown(report), encoding="utf-8")
        except OSError as error:
            raise ToonifyError(f"Cannot write {markdown}: {reason(error)}.") from error
    if plot:
        from benchmarks.plots import plot as draw

        draw(report, plot)


def main() -> None:
    """Entry point with one-sentence errors: exit 1 when the task failed, 2 for wrong use."""
    try:
        app()
    except ToonifyError as error:
        Console(stderr=True).print(f"[red]error:[/] {error}", highlight=False)
        sys.exit(error.exit_code)
