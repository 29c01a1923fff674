"""Options that the commands of `toonify train` share, and what they set up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from engines import options as shared
from engines.errors import ToonifyError

HARDWARE, TRAINING = "Hardware", "Training"
"""Panels of the help page."""

Minutes = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="MINUTES",
        help="Stop after this time, with a checkpoint.",
        rich_help_panel=TRAINING,
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Pictures in one step.", rich_help_panel=TRAINING),
]
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
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="CPU threads; all cores if not given.",
        rich_help_panel=HARDWARE,
    ),
]
Device = Annotated[
    str, typer.Option(metavar="NAME", help="auto, cpu or cuda.", rich_help_panel=HARDWARE)
]
Devices = Annotated[
    str, typer.Option(metavar="N", help="How many GPUs, or auto.", rich_help_panel=HARDWARE)
]
Precision = Annotated[
    str,
    typer.Option(metavar="NAME", help="bf16-mixed or 32-true.", rich_help_panel=HARDWARE),
]
People = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Any portraits, or a folder made by `toonify train prepare`; needed.",
    ),
]
Out = Annotated[Path, shared.OUT_MODEL]
Swap = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help=f"{shared.SWAP_MEANING} 0: every layer is the toon's.",
        rich_help_panel=shared.TOON_PANEL,
    ),
]
Low = Annotated[str, shared.LOW]
Variants = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Extra pairs with shut or narrowed eyes or open mouths."),
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
class Run:
    """A slice of training: what on, until when, and where progress is shown."""

    hardware: Any
    deadline: Any
    meter: Any


@contextmanager
def slice_of(
    minutes: float | None, threads: int | None, device: str, devices: str, precision: str
) -> Iterator[Run]:
    """Set up threads, deadline, Ctrl-C and progress bars."""
    import cv2
    import torch

    from engines.training.cli.screen import meter
    from engines.training.hardware import Hardware
    from engines.training.learn.runs import Deadline, stop_on_interrupt

    if threads:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
    count: int | str = int(devices) if devices.isdigit() else devices
    deadline = Deadline(float("inf") if minutes is None else minutes)
    with stop_on_interrupt(deadline), meter() as bars:
        yield Run(Hardware(device, count, precision), deadline, bars)


def blend_spec(swap: int | None, low: str, default: Any) -> Any:
    """The layer swap of the options; ``default`` without them."""
    from engines.blending import BlendSpec

    if swap is None:
        return default
    return BlendSpec(swap_resolution=swap or None, low=low)  # type: ignore[arg-type]


def changed(settings: Any, pictures: int | None, batch: int | None) -> Any:
    """``settings`` with the options that were given."""
    wanted = {"pictures": pictures, "batch_size": batch}
    return replace(settings, **{k: v for k, v in wanted.items() if v is not None})


def paused(work: Path) -> None:
    """Tell how a training that was stopped goes on."""
    from engines.say import say

    say(f"Stopped with a checkpoint in {work}; give the same command again to go on.")


def beside(out: Path, work: Path | None) -> Path:
    """The working folder of a training that writes ``out``."""
    return work or out.with_name(f"{out.stem}-work")


def portraits(people: Path | None, why: str) -> Path:
    """The folder of people, which a training cannot do without."""
    if people is None:
        raise ToonifyError(
            f"--people is missing: give a folder of any portraits (a few hundred are good); {why}."
        )
    return people


def tell_left_out(names: tuple[str, ...]) -> None:
    """Name the pictures in which no face was found."""
    from engines.say import say

    if names:
        shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        say(f"No face was found in {len(names)} pictures ({shown}); they were left out.")
