"""`toonify image` and `toonify video`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from engines.options import grouped
from realtime.cli import options as o

MOST_FOLLOWED = 16
"""Faces of an animated picture, unless --faces says otherwise; a still one has time for all."""


@grouped
def image(
    *,
    pictures: Annotated[list[Path], typer.Argument(metavar="IN", help="Pictures or folders.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the results.")],
    toon: o.Toon,
    engine: o.Engine,
    guard: o.GuardMode = "pass",
) -> None:
    """Toons of pictures: every face, any size; transparency and orientation kept.

    Animated GIF, WebP and PNG stay animated.
    """
    from engines.say import say
    from realtime.commands.files import run_image

    every_face = toon.faces is None
    toon = replace(toon, faces=MOST_FOLLOWED) if every_face else toon
    settings = o.settings_from(toon, engine, guard=guard)
    run_image(pictures, out, settings, say, every_face=every_face)


@grouped
def video(
    *,
    source: Annotated[Path, typer.Argument(metavar="IN", help="A video.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A .mp4, .mov or .mkv.")],
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
    toon: o.Toon,
    engine: o.Engine,
    guard: o.GuardMode = None,
    config: o.Config = None,
    stats: o.Stats = None,
) -> None:
    """Every frame of a video, with its sound.

    After an interruption, the same command continues.
    """
    from engines.say import say
    from realtime.commands.files import run_video

    # The only sink, so that the guard is open unless a mode is set.
    settings = o.settings_from(toon, engine, config, guard=guard, sinks=[str(target)])
    run_video(source, target, settings, say, stats=stats, force=force)
