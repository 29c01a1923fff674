"""Dataclasses from tables of settings, every key and type checked; short names; values as TOML."""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from engines.errors import ToonifyError, UsageError
from engines.text import plain


class SettingsError(UsageError):
    """A setting that cannot be used; names the key and what it takes."""


def to_toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(to_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def as_table(values: Any, section: str) -> Mapping[str, Any]:
    """The settings of one section, if that is what they are."""
    if not isinstance(values, Mapping):
        raise SettingsError(
            f"{section} must be a table, not {_shown(values)}; write its keys below a line "
            f"[{section}]."
        )
    return values


def build(kind: Any, values: Mapping[str, Any], where: str) -> Any:
    """An instance of dataclass `kind` from a table, checking every key and type."""
    hints = typing.get_type_hints(kind)
    arguments = {}
    for key, value in values.items():
        name = f"{where}.{key}" if where else key
        if key not in hints:
            raise SettingsError(
                f"There is no setting {plain(name, 80)}; {_advice(name, key, hints)}"
            )
        hint = hints[key]
        arguments[key] = (
            build(hint, as_table(value, name), name)
            if dataclasses.is_dataclass(hint)
            else _convert(hint, value, name)
        )
    try:
        return kind(**arguments)
    except ToonifyError as error:
        raise SettingsError(str(error)) from error


NEAR = 0.6
"""Likeness, 0..1, from which a key counts as a misspelling of another one."""
RENAMED = {"engine.bundle": "engine.model", "faces.look_interval": "faces.refresh_interval"}
"""Keys of earlier versions -> what they are called now."""


def _advice(name: str, key: str, known: Collection[str]) -> str:
    """What to write instead of a key that does not exist."""
    if name in RENAMED:
        return f"it is called {RENAMED[name]} now."
    near = difflib.get_close_matches(key, known, n=1, cutoff=NEAR)
    return f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}."


def _convert(hint: Any, value: Any, name: str) -> Any:
    """`value` as the type `hint`; numbers and strings are never turned into each other."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if not isinstance(value, str) or value not in options:
            choice = ", ".join(map(str, options))
            raise SettingsError(f"{name} must be one of {choice}, not {_shown(value)}.")
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and types.NoneType in options:
            return None
        return _convert(next(o for o in options if o is not types.NoneType), value, name)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise SettingsError(f"{name} must be a list, not {_shown(value)}.")
        kinds = [options[0]] * len(value) if options[-1] is Ellipsis else list(options)
        if len(kinds) != len(value):
            raise SettingsError(f"{name} must have {len(kinds)} entries, not {len(value)}.")
        return tuple(_convert(k, v, name) for k, v in zip(kinds, value, strict=True))
    wanted = (int, float) if hint is float else hint
    if not isinstance(value, wanted) or (isinstance(value, bool) and hint is not bool):
        words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise SettingsError(f"{name} must be {words.get(hint, hint)}, not {_shown(value)}.")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise SettingsError(f"{name} must lie within {LARGEST} of 0, not {_shown(value)}.")
    return float(value) if hint is float else value


LARGEST = 2**53
"""Whole numbers up to here are floats as well."""


def _shown(value: Any) -> str:
    """A value of a file, for a message."""
    try:
        return plain(repr(value), 80)
    except (ValueError, RecursionError):  # more digits, or more nested, than Python prints
        return "something huge"


FLAGS = {
    "source": ("source", "source"),
    "size": ("source", "size"),
    "fps": ("source", "fps"),
    "mirror": ("source", "mirror"),
    "loop": ("source", "loop"),
    "faces": ("faces", "max_faces"),
    "model": ("engine", "model"),
    "style": ("engine", "style"),
    "swap": ("engine", "swap"),
    "low": ("engine", "low"),
    "engine": ("engine", "backend"),
    "precision": ("engine", "precision"),
    "cpu": ("engine", "cpu"),
    "calibration": ("engine", "calibration"),
    "strength": ("compositing", "strength"),
    "eyes": ("compositing", "eyes"),
    "childlike": ("compositing", "childlike"),
    "mode": ("compositing", "mode"),
    "paint_room": ("compositing", "paint_room"),
    "move": ("compositing", "move"),
    "guard": ("guard", "mode"),
    "look_ahead": ("guard", "look_ahead"),
    "card": ("guard", "card"),
    "sinks": ("output", "sinks"),
    "audio": ("output", "audio"),
    "preview": ("output", "preview"),
    "panel": ("output", "panel"),
    "keep_address": ("output", "keep_address"),
    "overlay": ("output", "overlay"),
    "pixel_format": ("output", "pixel_format"),
}
"""Short name, as flags and keywords use it -> (section, key) of the settings."""


def flags_of(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Short names as sections and keys; None means not given.

    Raises:
        SettingsError: there is no option of a name.
    """
    sections: dict[str, dict[str, Any]] = {}
    for name, value in options.items():
        if name not in FLAGS:
            raise SettingsError(f"There is no option {name!r}; choose from {', '.join(FLAGS)}.")
        section, key = FLAGS[name]
        if value is not None:
            sections.setdefault(section, {})[key] = value
    return sections


def as_typed(
    message: str, flags: Mapping[str, Mapping[str, Any]], typed: Callable[[str], str]
) -> str:
    """A message about a value from `flags`, with what the user typed in place of the key."""
    for short, (section, key) in FLAGS.items():
        begin = f"{section}.{key} "
        if message.startswith(begin) and flags.get(section, {}).get(key) is not None:
            return f"{typed(short)} {message.removeprefix(begin)}"
    return message
