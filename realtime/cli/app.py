"""The `toonify` command: its commands, and the program's entry point."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import Annotated

import typer

from engines.command_line import DEBUG_HELP, run_app, run_forwarded
from realtime.cli import files, live, machine, models, web


def _version(wanted: bool) -> None:
    if wanted:
        print(f"Toonify, live {metadata.version('toonify-live')}")
        raise typer.Exit


app = typer.Typer(
    name="toonify",
    help="Turns the face in a webcam stream into an animated-film character, live.",
    epilog=DEBUG_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Say which release this is, and end.",
            is_eager=True,
            callback=_version,
        ),
    ] = False,
) -> None:
    """What all commands have in common."""


app.add_typer(models.models_app, name="models")
app.add_typer(models.engines_app, name="engines")
app.command()(live.demo)
app.command(cls=live.WithPort)(live.run)
for command in (files.image, files.video, web.web, machine.devices, machine.doctor):
    app.command()(command)
app.command()(models.blend)


def _forward(name: str, module: str, summary: str) -> None:
    """Offer the Typer app of another package as a command, imported only when it is used."""

    @app.command(
        name,
        help=summary,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        add_help_option=False,
    )
    def forwarded(context: typer.Context) -> None:
        run_forwarded(importlib.import_module(module).app, f"toonify {name}", context.args)


_forward("bench", "benchmarks.cli", "How fast and how good: engines, the whole loop, quality.")
_forward("train", "engines.training.cli.app", "Train a model, or one of your own style.")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (see `engines.command_line`)."""
    return run_app(app, "toonify", arguments)
