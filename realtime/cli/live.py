"""`toonify run` and `toonify demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from engines.options import grouped
from realtime.cli import options as o
from realtime.process import early_panic

PANEL_PORT = "8765"


@grouped
def demo(
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the film.")] = Path(
        "demo-out"
    ),
    seconds: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Length of the film.")
    ] = 8.0,
    size: o.Size = None,
    toon: o.Toon,
    engine: o.Engine,
) -> None:
    """Make a film of the built-in demo, before beside after; needs no camera."""
    from realtime.commands.demo import run_demo

    settings = o.settings_from(toon, engine, source="demo", size=o.parse_size(size), guard="pass")
    run_demo(out, settings, seconds=seconds)


class WithPort(TyperCommand):
    """A command whose `--panel` may stand without a port; Typer knows no such option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words with the usual port where none is given."""
        given: list[str] = []
        for word, after in zip(args, [*args[1:], ""], strict=False):
            alone = word == "--panel" and not after.lstrip("-").isdigit()
            given += [word, PANEL_PORT] if alone else [word]
        return super().parse_args(ctx, given)


@grouped
@early_panic()
def run(
    *,
    source: o.Source = None,
    size: o.Size = None,
    fps: o.Fps = None,
    mirror: o.Mirror = None,
    loop: o.Loop = None,
    toon: o.Toon,
    engine: o.Engine,
    guard: o.GuardMode = None,
    look_ahead: o.LookAhead = None,
    card: o.GuardCard = None,
    sink: o.Sinks = None,
    audio: o.Audio = None,
    preview: o.Preview = None,
    panel: o.Panel = None,
    keep_address: o.KeepAddress = None,
    record: o.Record = None,
    overlay: o.Overlay = None,
    pixel_format: o.PixelFormat = None,
    cpu: o.Cpu = None,
    move: o.Move = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.1, metavar="SECONDS", help="Stop after this time.", rich_help_panel=o.RUN
        ),
    ] = None,
    config: o.Config = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write these settings to a file and end.", rich_help_panel=o.RUN
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Replace the file of --save if it exists.", rich_help_panel=o.RUN
        ),
    ] = False,
    stats: o.Stats = None,
) -> None:
    """Camera to virtual camera, until Ctrl-C."""
    settings = o.settings_from(
        toon, engine, config, source=source, size=o.parse_size(size), fps=fps, mirror=mirror,
        loop=loop, guard=guard, look_ahead=look_ahead, card=card, sinks=sink or None,
        audio=audio, preview=preview, panel=panel, keep_address=keep_address, overlay=overlay,
        pixel_format=pixel_format, cpu=o.parse_share(cpu), move=move,
    )  # fmt: skip
    if record:
        from dataclasses import replace

        from realtime.settings import require
        from realtime.sinks import MOVIES

        # A folder, as which an empty text counts, would fill with pictures.
        require(
            record.suffix.lower() in MOVIES,
            f"--record must be a movie ending in {', '.join(MOVIES)}, not {str(record)!r}.",
        )
        output = replace(settings.output, sinks=(*settings.output.sinks, str(record)))
        settings = replace(settings, output=output)
    if save:
        from engines.files import taken
        from engines.say import say
        from realtime.addresses import redacted
        from realtime.settings import require, save_settings

        there = taken(save)
        own = config is not None and there and save.samefile(config)
        require(
            force or own or not there,
            f"{save} exists; give another name, or --force to replace it.",
        )
        save_settings(settings, save)
        say(f"Wrote {save}; `toonify run --config {save}` uses it.")
        if seconds is not None or stats:
            say("It does not hold --seconds and --stats, which are for one run only.")
        text = save.read_text(encoding="utf-8")
        if redacted(text) != text:
            say(f"{save} holds a password or stream key, so only you can read it; do not share it.")
        return
    from realtime.commands.run import run_live

    run_live(settings, stats=stats, seconds=seconds, config=config)
