"""Short names of settings, as flags and keywords use them, and messages in those names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from realtime.tables import SettingsError

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
    "engine": ("engine", "backend"),
    "precision": ("engine", "precision"),
    "calibration": ("engine", "calibration"),
    "strength": ("compositing", "strength"),
    "mode": ("compositing", "mode"),
    "guard": ("guard", "mode"),
    "look_ahead": ("guard", "look_ahead"),
    "card": ("guard", "card"),
    "sinks": ("output", "sinks"),
    "preview": ("output", "preview"),
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
