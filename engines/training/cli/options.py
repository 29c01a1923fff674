"""Options that the commands of `toonify train` share, and what they set up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from engines import options as shared
from engines.errors import ToonifyError

if TYPE_CHECKING:
    from engines.blending import BlendSpec
    from engines.finish import Finish
    from engines.training.cli.screen import Meter
    from engines.training.hardware import Hardware
    from engines.training.learn.runs import Deadline

S = TypeVar("S")
D = TypeVar("D")

HARDWARE, LIVE, TRAINING = "Hardware", "Live pictures", "Training"
"""Panels of the help page."""

Pictures = Annotated[
    int | None,
    typer.Option(
        "--pictures",
        min=1,
        metavar="N",
        help="Length of the training, in pictures.",
        rich_help_panel=TRAINING,
    ),
]
Work = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder for checkpoints; beside --out if not given.",
        rich_help_panel=TRAINING,
    ),
]
People = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Any portraits, or a folder made by `toonify train prepare`; needed.",
    ),
]
Recipe = Annotated[str, typer.Option(metavar="NAME", help="A recipe's name, or a JSON file.")]
Look = Annotated[str, typer.Option(metavar="NAME", help="The artist's look.")]
Base = typer.Option(metavar="MODEL", help="Model to start from, by name or path.")
Out = Annotated[Path, shared.OUT_MODEL]
Variants = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Extra pairs with shut or narrowed eyes or open mouths."),
]
Turned = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="Extra pairs with heads turned to as much as 60 degrees; they need the head model.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Processes that draw; one per core if not given.",
        rich_help_panel=HARDWARE,
    ),
]
Name = Annotated[str, typer.Option(metavar="NAME", help="Name of the style.")]


@dataclass(frozen=True)
class Blend:
    """How the toon is mixed with the person's own rendering."""

    swap: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help=f"{shared.SWAP_MEANING} 0: every layer is the toon's.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = None
    low: Annotated[str, shared.LOW] = "toon"

    def spec(self, default: D) -> BlendSpec | D:
        """The layer swap of these options; `default` without --swap."""
        from engines.blending import BlendSpec

        if self.swap is None:
            return default
        return BlendSpec(swap_resolution=self.swap or None, low=self.low)  # type: ignore[arg-type]


@dataclass(frozen=True)
class LiveFinish:
    """What live pictures of a style get beside what its network draws."""

    painted_eyes: Annotated[
        bool,
        typer.Option(
            "--painted-eyes",
            help="Paint the eyes over the network's, as the looks film and comic have them.",
            rich_help_panel=LIVE,
        ),
    ] = False
    inked: Annotated[
        bool,
        typer.Option(
            "--inked",
            help="Draw flat bands of light and ink over the network's, as the look comic has them.",
            rich_help_panel=LIVE,
        ),
    ] = False
    relief: Annotated[
        bool,
        typer.Option(
            "--relief",
            help="Iron the skin and light it by the face's own relief, as the look film has it.",
            rich_help_panel=LIVE,
        ),
    ] = False
    haired_brows: Annotated[
        bool,
        typer.Option(
            "--haired-brows",
            help="Keep some of the person's own hairs in brows, as the look film has them.",
            rich_help_panel=LIVE,
        ),
    ] = False
    reshaped: Annotated[
        bool,
        typer.Option(
            "--reshaped",
            help="Rounder eyes, bold low brows and other noses and mouths, as the looks film "
            "and comic have them.",
            rich_help_panel=LIVE,
        ),
    ] = False

    def finish(self) -> Finish:
        """These options as a style has them."""
        from engines.finish import Finish

        return Finish(**vars(self))


@dataclass(frozen=True)
class Run:
    """One run of a training, as it was set up.

    Attributes:
        hardware: what to train on.
        deadline: when to stop.
        meter: shows the progress.
    """

    hardware: Hardware
    deadline: Deadline
    meter: Meter


@dataclass(frozen=True)
class RunOptions:
    """How long one run of a training takes, and on what."""

    minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="MINUTES",
            help="Stop after this time, with a checkpoint.",
            rich_help_panel=TRAINING,
        ),
    ] = None
    batch: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Pictures in one step.", rich_help_panel=TRAINING),
    ] = None
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="CPU threads; all cores if not given.",
            rich_help_panel=HARDWARE,
        ),
    ] = None
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto, cpu or cuda.", rich_help_panel=HARDWARE)
    ] = "auto"
    devices: Annotated[
        str, typer.Option(metavar="N", help="How many GPUs, or auto.", rich_help_panel=HARDWARE)
    ] = "1"
    precision: Annotated[
        str,
        typer.Option(metavar="NAME", help="bf16-mixed or 32-true.", rich_help_panel=HARDWARE),
    ] = "bf16-mixed"

    @contextmanager
    def start(self) -> Iterator[Run]:
        """Set up threads, deadline, Ctrl-C and progress bars."""
        import cv2
        import torch

        from engines.training.cli.screen import meter
        from engines.training.hardware import Hardware
        from engines.training.learn.runs import Deadline, stop_on_interrupt

        if self.threads:
            torch.set_num_threads(self.threads)
            cv2.setNumThreads(self.threads)
        count: int | str = int(self.devices) if self.devices.isdigit() else self.devices
        deadline = Deadline(float("inf") if self.minutes is None else self.minutes)
        with stop_on_interrupt(deadline), meter() as bars:
            yield Run(Hardware(self.device, count, self.precision), deadline, bars)

    def change(self, settings: S, pictures: int | None = None) -> S:
        """`settings` with --batch, and with the length of the training where they were given."""
        wanted = {"pictures": pictures, "batch_size": self.batch}
        given = {name: value for name, value in wanted.items() if value is not None}
        return replace(settings, **given)  # type: ignore[type-var]


def paused(work: Path) -> None:
    """Say how a stopped training is continued."""
    from engines.say import say

    say(f"Stopped with a checkpoint in {work}; give the same command again to continue.")


def beside(out: Path, work: Path | None) -> Path:
    """The working folder of a training that writes `out`."""
    return work or out.with_name(f"{out.stem}-work")


def portraits(people: Path | None, why: str) -> Path:
    """The folder of people, which a training cannot do without.

    Raises:
        ToonifyError: none is given, it is missing, or it holds no pictures.
    """
    if people is None:
        raise ToonifyError(
            f"--people is missing: give a folder of any portraits (a few hundred are good); {why}."
        )
    from engines.training.pairs.portraits import people_files

    people_files(people)  # hours of other work may come before the people are read
    return people


def tell_left_out(names: tuple[str, ...]) -> None:
    """Name the pictures in which no face was found."""
    from engines.say import say

    if names:
        shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        say(f"No face was found in {len(names)} pictures ({shown}); they were skipped.")
