"""`toonify models`, `toonify engines` and `toonify blend`: what is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engines import options as shared
from engines.catalogue import DEFAULT_BUNDLE
from realtime.cli.options import Calibration, Precision, Style

models_app = typer.Typer(no_args_is_help=True, help="Installed and downloadable models.")
engines_app = typer.Typer(no_args_is_help=True, help="Engines built for this machine.")


@models_app.command("list")
def models_list() -> None:
    """Installed models, and those that can be fetched."""
    from realtime.commands.models import list_models

    list_models()


@models_app.command("show")
def models_show(name: Annotated[str, shared.MODEL_ARGUMENT] = DEFAULT_BUNDLE) -> None:
    """A model's card: data, licence, measures, limits, hashes."""
    from realtime.commands.models import show_model

    show_model(name)


@models_app.command("fetch")
def models_fetch(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|URL",
            help="A known model, or a .toon file's address; without it, what there is to fetch.",
        ),
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="Hash of the file; needed for a URL."),
    ] = None,
) -> None:
    """Download a model and check its hash; continues an interrupted download."""
    from realtime.commands.models import fetch_model, list_downloads

    if what is None:
        list_downloads()
    else:
        fetch_model(what, sha256)


@models_app.command("import")
def models_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The generator of real faces.")],
    out: Annotated[Path, shared.OUT_MODEL],
    blend_with: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A generator fine-tuned from that one: one style; may be repeated.",
        ),
    ] = None,
) -> None:
    """Make a model from public StyleGAN2 checkpoints; nothing in them is executed."""
    from realtime.commands.models import import_model

    import_model(file, blend_with or [], out)


@models_app.command("sample")
def models_sample(
    name: Annotated[str, shared.MODEL_ARGUMENT],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The sheet, a new .png.")],
    seeds: Annotated[
        str, typer.Option(metavar="N-M", help="Which characters, like 0-23 or 3,5,8-11.")
    ] = "0-23",
    truncation: Annotated[
        float, typer.Option(metavar="SHARE", help="Variety: 0 is the mean face, 1 is all.")
    ] = 0.7,
    mix: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="A table of style mixing: the first four seeds (or half) give the shape, below "
            "this resolution, the others the rest.",
        ),
    ] = None,
    style: Style = None,
    swap: Annotated[int | None, shared.SWAP] = None,
) -> None:
    """A sheet of random characters, of a model with a trained mapping network."""
    from realtime.commands.models import sample_model

    sample_model(name, out, seeds, truncation, mix, style, swap)


@engines_app.command("build")
def engines_build(
    backends: Annotated[
        list[str],
        typer.Argument(
            metavar="BACKEND",
            help="openvino, tensorrt or tensorrt-rtx, or one for a device: tensorrt-rtx:sm89.",
        ),
    ],
    faces: Annotated[int, typer.Option(metavar="N", min=1, help="Most faces in one picture.")] = 4,
    model: Annotated[str, shared.MODEL] = DEFAULT_BUNDLE,
    style: Style = None,
    precision: Precision = None,
    calibration: Calibration = None,
) -> None:
    """Build engines ahead of time, so that no call waits for one."""
    from realtime.commands.models import build

    build(model, backends, style, precision, faces, calibration)


@engines_app.command("export")
def engines_export(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="REPOSITORY", help="A folder; models in it stay."),
    ],
    form: Annotated[
        str,
        typer.Option("--for", metavar="SERVER", help="triton (ONNX) or openvino (OpenVINO IR)."),
    ],
    model: Annotated[str, shared.MODEL_ARGUMENT] = DEFAULT_BUNDLE,
    style: Style = None,
    swap: Annotated[int | None, shared.SWAP] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", metavar="NAME", help="fp16 if not given, or fp32."),
    ] = None,
    batch: Annotated[
        int, typer.Option(metavar="N", min=2, help="Most crops that the server draws at once.")
    ] = 16,
) -> None:
    """Write a model repository for a server, which many callers can share."""
    from realtime.commands.models import export

    export(model, style, swap, form, out, precision, batch)


@engines_app.command("list")
def engines_list() -> None:
    """Built engines on disk."""
    from realtime.commands.models import list_built

    list_built()


@engines_app.command("clear")
def engines_clear() -> None:
    """Delete all built engines."""
    from realtime.commands.models import clear_built

    clear_built()


def blend(
    model: Annotated[str, shared.MODEL_ARGUMENT],
    out: Annotated[Path, shared.OUT_MODEL],
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The new model's name; that of --out if not given."),
    ] = None,
    style: Style = None,
    swap: Annotated[int, shared.SWAP] = 16,
    level: Annotated[
        str,
        typer.Option(
            metavar="LAYER",
            help="Where in --swap's resolution the mix switches: before conv0 or before conv1.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = "conv0",
    low: Annotated[str, shared.LOW] = "toon",
    width: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="WIDTH",
            help="Softness of the switch in layers; 0 is a hard step.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = 0.0,
    strength: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Share of the toon's weights, 0 to 1.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = 1.0,
) -> None:
    """A copy of a model with another layer swap."""
    from realtime.commands.models import blend_model

    blend_model(
        model, out, style, name, swap=swap, level=level, low=low, width=width, strength=strength
    )
