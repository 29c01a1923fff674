"""`toonify models`, `toonify engines` and `toonify blend`: what is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engines.catalogue import DEFAULT_BUNDLE

models_app = typer.Typer(no_args_is_help=True, help="Installed and downloadable models.")
engines_app = typer.Typer(no_args_is_help=True, help="Engines built for this machine.")

Style = Annotated[str | None, typer.Option(help="One of the model's styles.")]
Precision = Annotated[str | None, typer.Option(help="fp32, fp16 or bf16, as the engine can.")]


@models_app.command("list")
def models_list() -> None:
    """Installed models, and those that can be fetched."""
    from realtime.commands.models import list_models

    list_models()


@models_app.command("show")
def models_show(
    name: Annotated[str, typer.Argument(help="Name or path.")] = DEFAULT_BUNDLE,
) -> None:
    """A model's card: data, licence, measures, limits, hashes."""
    from realtime.commands.models import show_model

    show_model(name)


@models_app.command("fetch")
def models_fetch(
    what: Annotated[str, typer.Argument(metavar="NAME|URL")],
    sha256: Annotated[str | None, typer.Option(help="Of the file at a URL.")] = None,
) -> None:
    """Download a model, checked by its hash; goes on where it stopped."""
    from realtime.commands.models import fetch_model

    fetch_model(what, sha256)


@models_app.command("import")
def models_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The generator of real faces.")],
    out: Annotated[Path, typer.Option(help="A folder, or a file ending in .toon.")],
    blend_with: Annotated[
        list[Path] | None,
        typer.Option(help="A generator fine-tuned from FILE: one style; several times."),
    ] = None,
) -> None:
    """A model from public StyleGAN2 checkpoints; nothing in them is executed."""
    from realtime.commands.models import import_model

    import_model(file, blend_with or [], out)


@engines_app.command("build")
def engines_build(
    backends: Annotated[
        list[str], typer.Argument(metavar="BACKEND...", help="openvino, tensorrt-rtx:sm89, ...")
    ],
    model: Annotated[str, typer.Option(help="Name or path.")] = DEFAULT_BUNDLE,
    style: Style = None,
    precision: Precision = None,
    faces: Annotated[int, typer.Option(help="Most faces at once.")] = 4,
) -> None:
    """Build ahead of time, so that no build comes in mid-call."""
    from realtime.commands.models import build

    build(model, backends, style, precision, faces)


@engines_app.command("list")
def engines_list() -> None:
    """Built engines on disk."""
    from realtime.commands.models import list_built

    list_built()


@engines_app.command("clear")
def engines_clear() -> None:
    """Delete them all."""
    from realtime.commands.models import clear_built

    clear_built()


def blend(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name or path.")],
    out: Annotated[Path, typer.Option(help="A folder, or a file ending in .toon.")],
    style: Style = None,
    swap: Annotated[int, typer.Option(help="First resolution of the other generator.")] = 16,
    level: Annotated[str, typer.Option(help="conv0 or conv1, where in it.")] = "conv0",
    low: Annotated[str, typer.Option(help="Whose layers are below: toon or face.")] = "toon",
    width: Annotated[float, typer.Option(min=0, help="0 is a hard step.")] = 0.0,
    strength: Annotated[float, typer.Option(min=0, max=1, help="Of the toon's weights.")] = 1.0,
    name: Annotated[str | None, typer.Option(help="The new model's name.")] = None,
) -> None:
    """A copy of a model with another layer swap."""
    from engines.blending import BlendSpec
    from realtime.commands.models import blend_model

    spec = BlendSpec(swap, level, low, width, strength=strength)  # type: ignore[arg-type]
    blend_model(model, out, style, spec, name)
