"""Options that many commands share, declared once as a dataclass and taken as one argument."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command for Typer in which every argument of a dataclass type becomes its fields.

    The fields are options like any other (`Annotated` with `typer.Option`, and a default), and
    stand in the help page where the argument stands. An argument's default is a value of the
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
