"""`toonify bench`: what is fast and what is good, measured on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import (
    REPORT,
    Batches,
    Callers,
    Engine,
    Engines,
    Gpus,
    NoisyOk,
    Output,
    Precisions,
    Quick,
    Rates,
    Seconds,
    Share,
    Sizes,
    Tiers,
    Timing,
    chosen_engines,
    chosen_precision,
    chosen_precisions,
    chosen_tiers,
)
from benchmarks.screen import Status, finish, screen
from engines import options
from engines.catalogue import DEFAULT_BUNDLE
from engines.command_line import DEBUG_HELP
from engines.errors import UsageError
from engines.options import grouped
from engines.say import say

app = typer.Typer(
    add_completion=False,
    epilog=DEBUG_HELP,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", hidden=True)] = False,
    noisy_ok: NoisyOk = False,
) -> None:
    """Measure speed and quality on this machine, and compare reports.

    Without a command: the quick version of engines, loop, peers and wire, in about two minutes,
    as one block to post.
    """
    if context.invoked_subcommand:
        if quick or noisy_ok:
            option = "--quick" if quick else "--noisy-ok"
            raise UsageError(f"Write {option} behind {context.invoked_subcommand}, not before it.")
        return
    from benchmarks.suites.quick import block, run

    with Status() as status:
        outcome = run(status, noisy_ok)
    print(block(outcome), end="")


@app.command()
@grouped
def engines(
    *,
    tier: Tiers = None,
    batch: Batches = None,
    engine: Engines = None,
    callers: Callers = None,
    precision: Precisions = None,
    calibration: Annotated[Path | None, options.CALIBRATION] = None,
    gpus: Gpus = "",
    timing: Timing,
    output: Output,
) -> None:
    """Every back end by model tier, precision and batch, under the machine's own ceilings."""
    output.check()
    from benchmarks.suites.engines import EngineSettings, run
    from benchmarks.suites.multi_gpu import run_on_gpus

    served = bool(engine) and all(name.startswith("remote:") for name in engine or ())
    # A server serves models; tiers with random weights are none.
    whole = EngineSettings(chosen_tiers(["shipped"] if served else None))
    usual = EngineSettings.quick() if timing.quick else whole
    settings = EngineSettings(
        tiers=chosen_tiers(tier) if tier else usual.tiers,
        batches=tuple(batch or usual.batches),
        engines=chosen_engines(engine),
        precisions=chosen_precisions(precision) or usual.precisions,
        budget=timing.budget(),
        calibration=calibration,
        callers=tuple(callers or usual.callers),
    )
    if calibration and "int8" not in settings.precisions:
        raise UsageError(options.CALIBRATION_ALONE)
    with Status() as status:
        report = run_on_gpus(settings, gpus, status) if gpus else run(settings, status)
    finish(report, output, timing.noisy_ok)


@app.command()
@grouped
def peers(
    *,
    tier: Tiers = None,
    engine: Engines = None,
    timing: Timing,
    output: Output,
) -> None:
    """Our networks beside published ones, taking turns in one run."""
    output.check()
    from benchmarks.suites.peers import PeerSettings, run

    usual = PeerSettings.quick() if timing.quick else PeerSettings(chosen_tiers(["shipped", "256"]))
    settings = replace(
        usual,
        tiers=chosen_tiers(tier) if tier else usual.tiers,
        engines=chosen_engines(engine),
        budget=timing.budget(),
    )
    with Status() as status:
        report = run(settings, status)
    finish(report, output, timing.noisy_ok)


@app.command()
@grouped
def wire(*, quick: Quick = False, noisy_ok: NoisyOk = False, output: Output) -> None:
    """What a face weighs on the way to a server and back, in each form it could be sent in."""
    from benchmarks.suites.wire import QUICK_ROUNDS, run

    with Status() as status:
        report = run(QUICK_ROUNDS if quick else 20, status)
    finish(report, output, noisy_ok)


@app.command()
@grouped
def loop(
    *,
    size: Sizes = None,
    faces: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Faces in the picture: 1, 2 or 4; may be repeated."),
    ] = None,
    rate: Rates = None,
    cpu: Share = None,
    panel: Annotated[
        bool,
        typer.Option("--panel", help="With and without panel and overlay open, one face."),
    ] = False,
    model: Annotated[str, options.MODEL] = DEFAULT_BUNDLE,
    engine: Engine = "auto",
    precision: Annotated[str | None, options.PRECISION] = None,
    seconds: Seconds = None,
    quick: Quick = False,
    noisy_ok: NoisyOk = False,
    output: Output,
) -> None:
    """The whole road from source to sink: fps, latency by stage, drops, processor and memory."""
    output.check()
    from benchmarks.suites.loop import LoopSettings, parse_size, run
    from realtime.cli.options import parse_share

    usual = LoopSettings.quick() if quick else LoopSettings()
    settings = replace(
        usual,
        sizes=tuple(parse_size(text) for text in size) if size else usual.sizes,
        faces=tuple(faces or usual.faces),
        rates=tuple(rate or usual.rates),
        engine=engine,
        precision=chosen_precision(precision),
        seconds=seconds or usual.seconds,
        cpu=parse_share(cpu),
        model=model,
    )
    if panel:
        from benchmarks.suites.panel import run
    with Status() as status:
        report = run(settings, status)
    finish(report, output, noisy_ok)


@app.command()
@grouped
def soak(
    *,
    minutes: Annotated[
        float, typer.Option(min=0.1, metavar="MINUTES", help="How long the loop runs.")
    ] = 30.0,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the frames.")] = "1280x720",
    faces: Annotated[int, typer.Option(metavar="N", help="Faces in the picture: 1, 2 or 4.")] = 1,
    rate: Annotated[
        float, typer.Option(min=1, metavar="RATE", help="Frames a second of the source.")
    ] = 30.0,
    engine: Engine = "auto",
    output: Output,
) -> None:
    """The loop for minutes or hours: whether memory, handles, threads or latency grow."""
    from benchmarks.suites.loop import parse_size
    from benchmarks.suites.soak import SoakSettings, run

    settings = SoakSettings(minutes, parse_size(size), faces, rate, engine)
    with Status() as status:
        report = run(settings, status)
    finish(report, output, noisy_ok=False)


@app.command()
@grouped
def quality(
    *,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Portraits of people never trained on.")
    ],
    cache: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the artist's toons are kept.")
    ],
    look: Annotated[
        str, typer.Option(metavar="NAME", help="The artist's look to compare with.")
    ] = "film",
    clips: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Animated pictures with moving faces."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only the first N portraits."),
    ] = None,
    quick: Quick = False,
    model: Annotated[str, options.MODEL] = DEFAULT_BUNDLE,
    style: Annotated[str | None, options.STYLE] = None,
    engine: Engine = "auto",
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Contact sheet (PNG); the ten worst go beside it.",
            rich_help_panel=REPORT,
        ),
    ] = None,
    output: Output,
) -> None:
    """How near the toon is to the artist's, and how it follows the person."""
    output.check()
    from benchmarks.suites.quality import QualitySettings, run

    settings = QualitySettings(
        folder=folder,
        cache=cache,
        look=look,
        style=style,
        bundle=model,
        engine=engine,
        limit=limit or (8 if quick else None),
        clips=clips,
        sheet=sheet,
    )
    with Status() as status:
        report = run(settings, status)
    finish(report, output, noisy_ok=True)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="A report (JSON).")],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="Another one of the same kind.")],
) -> None:
    """Ratios of two reports with intervals, and what they show."""
    from benchmarks.compare import compare as compare_reports
    from benchmarks.render import print_comparison
    from benchmarks.report import Report

    print_comparison(compare_reports(Report.load(first), Report.load(second)), screen())


@app.command()
def card(
    report: Annotated[
        Path, typer.Argument(metavar="REPORT", help="JSON of `toonify bench quality`.")
    ],
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="The measured model: a folder or a .toon file."),
    ],
) -> None:
    """Write the measured figures into a model's card."""
    from benchmarks.card import write_figures

    write_figures(report, model)
    say(f"Wrote the figures of {report} into {model}.")
