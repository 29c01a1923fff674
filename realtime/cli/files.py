"""`toonify image` and `toonify video`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realtime.cli import options as o


def image(
    pictures: Annotated[list[Path], typer.Argument(metavar="IN...", help="Pictures or folders.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the results.")],
    model: o.Model = None,
    style: o.Style = None,
    swap: o.Swap = None,
    strength: o.Strength = None,
    mode: o.Mode = None,
    faces: o.Faces = 16,
    engine: o.EngineName = None,
    precision: o.Precision = None,
    calibration: o.Calibration = None,
    guard: o.GuardMode = "pass",
) -> None:
    """Toons of pictures: every face, any size; transparency and orientation kept."""
    from engines.say import say
    from realtime.commands.files import run_image

    settings = o.settings_from(
        bundle=model, style=style, swap=swap, strength=strength, mode=mode, guard=guard,
        engine=engine, precision=precision, calibration=calibration, faces=faces,
    )  # fmt: skip
    run_image(pictures, out, settings, say)


def video(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A video.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A .mp4, .mov or .mkv.")],
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
    model: o.Model = None,
    style: o.Style = None,
    swap: o.Swap = None,
    strength: o.Strength = None,
    mode: o.Mode = None,
    faces: o.Faces = None,
    engine: o.EngineName = None,
    precision: o.Precision = None,
    calibration: o.Calibration = None,
    guard: o.GuardMode = None,
    config: o.Config = None,
    stats: o.Stats = None,
) -> None:
    """Every frame of a video, with its sound.

    After an interruption, the same command continues. Without --guard, frames without a toon stay
    as they are.
    """
    from engines.say import say
    from realtime.commands.files import run_video

    settings = o.settings_from(
        config, bundle=model, style=style, swap=swap, strength=strength, mode=mode, guard=guard,
        engine=engine, precision=precision, calibration=calibration, faces=faces,
        sinks=[str(target)],  # the only one, so that the guard is open unless a mode is set
    )  # fmt: skip
    run_video(source, target, settings, say, stats=stats, force=force)
