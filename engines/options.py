"""Command-line options that mean the same in every command, explained once.

Use them as `Annotated[str | None, MODEL]`. Options of one command line only stand beside it.
"""

from __future__ import annotations

import typer

ENGINE_PANEL, TOON_PANEL = "Engine", "Toon"
"""Panels of the help page."""

DEFAULT_MODEL = "film-256"
"""`engines.bundle.DEFAULT_BUNDLE`, which is not imported only to show a help page."""

SWAP_MEANING = (
    "Resolution at which the mix switches: layers below it are the toon's shape, from it on the "
    "person's own rendering (4 to 1024)."
)
MODEL_MEANING = "Name of an installed model (see `toonify models list`), or the path of one."

MODEL = typer.Option("--model", metavar="MODEL", help=MODEL_MEANING, rich_help_panel=TOON_PANEL)
MODEL_ARGUMENT = typer.Argument(metavar="MODEL", help=MODEL_MEANING)
STYLE = typer.Option(
    "--style",
    metavar="NAME",
    help="One of the model's styles; its first one if not given.",
    rich_help_panel=TOON_PANEL,
)
SWAP = typer.Option("--swap", metavar="N", help=SWAP_MEANING, rich_help_panel=TOON_PANEL)
LOW = typer.Option(
    "--low",
    metavar="WHOSE",
    help="Whose layers are below --swap: toon, or face for the opposite mix.",
    rich_help_panel=TOON_PANEL,
)
ENGINE = typer.Option(
    "--engine",
    metavar="NAME",
    help="What computes: auto, tensorrt-rtx, tensorrt, cuda, openvino or torch. One asked for by "
    "name runs or fails; no other is taken instead.",
    rich_help_panel=ENGINE_PANEL,
)
PRECISION = typer.Option(
    "--precision",
    metavar="NAME",
    help="fp32, fp16, bf16 or int8; the engine's own choice if not given. int8 is for openvino and "
    "is calibrated on faces first.",
    rich_help_panel=ENGINE_PANEL,
)
CALIBRATION = typer.Option(
    "--calibration",
    metavar="FOLDER",
    help="Portraits on which int8 is calibrated; eight come with the package.",
    rich_help_panel=ENGINE_PANEL,
)
OUT_MODEL = typer.Option("--out", metavar="PATH", help="A folder, or a file ending in .toon.")

CALIBRATION_ALONE = (
    "--calibration is for --precision int8 only; add that, or leave --calibration out."
)
"""What is said to who calibrates something else."""
