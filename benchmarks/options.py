"""Options that the commands of `toonify bench` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from engines import options
from engines.errors import UsageError
from engines.files import check_writable

if TYPE_CHECKING:
    from benchmarks.tiers import Tier
    from benchmarks.timing import Budget
    from realtime.settings import Precision

REPORT, HOW = "Report", "How it is measured"
"""Panels of the help page."""


@dataclass(frozen=True)
class Output:
    """Where a report goes beside the screen."""

    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write everything, raw samples included, to this file.",
            rich_help_panel=REPORT,
        ),
    ] = None
    markdown: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the tables to this file, ready for posting.",
            rich_help_panel=REPORT,
        ),
    ] = None
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the results into this file (PNG, SVG or PDF).",
            rich_help_panel=REPORT,
        ),
    ] = None

    def check(self) -> None:
        """Check, before anything is measured, that all of it can be written.

        Raises:
            WriteError: one of the files cannot.
        """
        for path in (self.json, self.markdown, self.plot):
            if path is not None:
                check_writable(path)


Quick = Annotated[
    bool,
    typer.Option("--quick", help="Less of everything: under a minute.", rich_help_panel=HOW),
]
NoisyOk = Annotated[
    bool,
    typer.Option(
        "--noisy-ok",
        help="Report even if the machine was too busy; the report says so.",
        rich_help_panel=REPORT,
    ),
]
Engine = Annotated[str, options.ENGINE]
Engines = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="A back end: tensorrt-rtx, tensorrt, cuda, openvino or torch; all of them if not "
        "given; or remote:HOST:PORT, a server; may be repeated.",
        rich_help_panel=options.ENGINE_PANEL,
    ),
]
Batches = Annotated[
    list[int] | None,
    typer.Option(
        "--batch", min=1, metavar="N", help="Crops in one call; 1, 2, 4, 8 and 16 if not given."
    ),
]
Callers = Annotated[
    list[int] | None,
    typer.Option(
        "--callers",
        min=1,
        max=64,
        metavar="N",
        help="Callers of a remote engine at once; 1, 2, 4, 8 and 16 if not given.",
        rich_help_panel=options.ENGINE_PANEL,
    ),
]
Precisions = Annotated[
    list[str] | None,
    typer.Option(
        "--precision",
        metavar="NAME",
        help="fp32, fp16, bf16 or int8; all of them if not given; may be repeated.",
        rich_help_panel=options.ENGINE_PANEL,
    ),
]
Gpus = Annotated[
    str,
    typer.Option(
        "--gpus",
        metavar="WHICH",
        help="all, or numbers such as 0,1: one process on each GPU, at once.",
        rich_help_panel=options.ENGINE_PANEL,
    ),
]
Tiers = Annotated[
    list[str] | None,
    typer.Option(
        "--tier",
        metavar="NAME",
        help="Model size: shipped, cpu-512, 256, 512 or 1024; may be repeated.",
    ),
]
Rates = Annotated[
    list[float] | None,
    typer.Option(
        "--rate",
        min=0,
        metavar="RATE",
        help="Frames a second of the source; 0: as fast as it can; may be repeated.",
    ),
]
Sizes = Annotated[
    list[str] | None,
    typer.Option(
        "--size",
        metavar="WxH",
        help="Size of the frames; 640x480, 1280x720 and 1920x1080 if not given.",
    ),
]
Share = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        help="Keep to this share of the processor, such as 20%; the report says what was used.",
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        min=0.05,
        metavar="SECONDS",
        help="Timing of each ends after this time.",
        rich_help_panel=HOW,
    ),
]


@dataclass(frozen=True)
class Timing:
    """How long each is timed, and on how busy a machine."""

    runs: Annotated[
        int | None,
        typer.Option(min=10, metavar="N", help="Timed runs of each.", rich_help_panel=HOW),
    ] = None
    seconds: Seconds = None
    quick: Quick = False
    noisy_ok: NoisyOk = False

    def budget(self) -> Budget:
        """The usual budget, or the quick one, with the values that were given."""
        from benchmarks.timing import Budget

        usual = Budget.quick() if self.quick else Budget()
        return replace(usual, runs=self.runs or usual.runs, seconds=self.seconds or usual.seconds)


def chosen_tiers(names: list[str] | None) -> tuple[Tier, ...]:
    """The tiers of these names, all of them for None.

    Raises:
        UsageError: there is no such tier.
    """
    from benchmarks.tiers import TIERS

    unknown = [name for name in names or () if name not in TIERS]
    if unknown:
        raise UsageError(f"There is no tier {unknown[0]!r}; choose from {', '.join(TIERS)}.")
    return tuple(TIERS[name] for name in names or TIERS)


def chosen_engines(names: list[str] | None) -> tuple[str, ...]:
    """These back ends, all of them for None.

    Raises:
        BackendNameError: there is no such back end.
    """
    from engines.backends import BACKENDS
    from engines.backends.registry import check_name

    for name in names or ():
        check_name(name)
    return tuple(names or BACKENDS)


def chosen_precision(name: str | None) -> Precision | None:
    """This precision, None for None.

    Raises:
        UsageError: there is no such precision.
    """
    chosen = chosen_precisions([name] if name else None)
    return cast("Precision", chosen[0]) if chosen else None


def chosen_precisions(names: Sequence[str] | None) -> tuple[str, ...]:
    """These precisions, none for None.

    Raises:
        UsageError: there is no such precision.
    """
    unknown = [name for name in names or () if name not in options.PRECISIONS]
    if unknown:
        raise UsageError(
            f"There is no precision {unknown[0]!r}; choose from {', '.join(options.PRECISIONS)}."
        )
    return tuple(names or ())
