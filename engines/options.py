"""Command-line options that mean the same in every command, explained once.

Use them as `Annotated[str | None, MODEL]`. Options that only one command line has are defined
beside it; those that many of its commands take form a dataclass (see `grouped`).
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

import typer

ENGINE_PANEL, TOON_PANEL = "Engine", "Toon"
"""Panels of the help page."""

PRECISIONS = ("fp32", "fp16", "bf16", "int8")

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
    help="What computes: auto, tensorrt-rtx, tensorrt, cuda, openvino or torch; openvino:gpu or "
    "openvino:npu, a device of Intel's; or a server, "
    "remote:HOST:PORT or remote:HOST:PORT/MODEL, which is sent crops of faces. One asked for by "
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
"""The error for --calibration with any other precision."""


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command for Typer in which every argument of a dataclass type becomes its fields.

    The fields are options like any other (`Annotated` with `typer.Option`, and a default), and
    appear in the help page in the argument's place. An argument's default is a value of the
    dataclass that gives other defaults than its fields do.

    Raises:
        TypeError: two arguments bring an option of one name.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    groups: dict[str, tuple[type, list[str]]] = {}
    parameters: dict[str, inspect.Parameter] = {}
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        flat = [parameter.replace(annotation=hint)]
        if dataclasses.is_dataclass(hint):
            assert isinstance(hint, type)
            given = None if parameter.default is inspect.Parameter.empty else parameter.default
            flat = _fields(hint, given)
            groups[parameter.name] = (hint, [field.name for field in flat])
        for one in flat:
            if one.name in parameters:
                raise TypeError(f"{command.__name__} has two options of the name {one.name}.")
            parameters[one.name] = one.replace(kind=inspect.Parameter.KEYWORD_ONLY)

    @functools.wraps(command)
    def flattened(**values: Any) -> None:
        for name, (kind, fields) in groups.items():
            values[name] = kind(**{field: values.pop(field) for field in fields})
        command(**values)

    del flattened.__wrapped__
    flattened.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
    flattened.__annotations__ = {one.name: one.annotation for one in parameters.values()}
    return flattened


def _fields(kind: type, given: Any) -> list[inspect.Parameter]:
    """The fields of a dataclass as parameters, with the defaults of `given` if there is one."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default if given is None else getattr(given, field.name),
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(kind)
    ]
