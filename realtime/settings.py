"""What the user may set: one frozen dataclass per stage; defaults < TOML file < flags."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engines.backends.registry import check_name
from engines.errors import ToonifyError, UsageError
from realtime.clocks import write_atomically
from realtime.compositing import CompositingSettings
from realtime.faces.tracker import TrackerSettings

GuardMode = Literal["pass", "hold", "blur", "card"]
GUARD_MODES: tuple[GuardMode, ...] = ("pass", "hold", "blur", "card")


class SettingsError(UsageError):
    """A setting that cannot be used; names the key and what it takes."""


def require(condition: bool, message: str) -> None:
    """Raise `SettingsError(message)` unless `condition` holds."""
    if not condition:
        raise SettingsError(message)


@dataclass(frozen=True)
class SourceSettings:
    """Where pictures come from.

    source: camera index, name or path; media file or URL; folder or picture; or "demo".
    size: (width, height) asked of a camera and made by the demo, in pixels.
    fps: rate asked of a camera and made by the demo; a file keeps its own.
    mirror: flip left and right, as in a mirror.
    loop: start a file again when it ends.
    """

    source: str = "0"
    size: tuple[int, int] = (1280, 720)
    fps: float = 30.0
    mirror: bool = False
    loop: bool = False

    def __post_init__(self) -> None:
        width, height = self.size
        require(
            16 <= width <= 7680 and 16 <= height <= 4320,
            f"source.size must lie between 16x16 and 7680x4320 pixels, not {width}x{height}.",
        )
        require(0 < self.fps <= 240, f"source.fps must be above 0 and at most 240, not {self.fps}.")


@dataclass(frozen=True)
class EngineSettings:
    """Which toon, and what computes it.

    bundle: an installed bundle's name or the path of one.
    style: one of the bundle's styles; None for its default.
    swap: resolution from which layers are the other generator's, in most cards the one that draws
        the person; None for the card's default.
    backend: "auto" or a back end's name; asking by name never falls back.
    precision: one that the back end can; None for its default.
    calibration: folder of portraits that int8 is calibrated on; None for those in the package.
    """

    bundle: str = "film-256"
    style: str | None = None
    swap: int | None = None
    backend: str = "auto"
    precision: Literal["fp32", "fp16", "bf16", "int8"] | None = None
    calibration: str | None = None

    def __post_init__(self) -> None:
        check_name(self.backend)
        swap = self.swap
        require(
            swap is None or (4 <= swap <= 1024 and swap & (swap - 1) == 0),
            f"engine.swap must be a power of two from 4 to 1024, not {swap}.",
        )


@dataclass(frozen=True)
class GuardSettings:
    """What goes out when there is no toon to show; see `realtime.guard` for the rules.

    mode: "auto" is "blur" for a virtual camera and "pass" for files.
    grace: seconds for which the last toon is repeated before the mode's picture is shown.
    linger: seconds for which a face that was lost inside the picture keeps it hidden.
    look_ahead: frames by which the output waits, so that a face found late hides earlier frames;
        each adds one frame of latency.
    card: a picture for the card instead of the built-in one.
    """

    mode: Literal["auto", "pass", "hold", "blur", "card"] = "auto"
    grace: float = 0.2
    linger: float = 5.0
    look_ahead: int = 0
    card: str | None = None

    def __post_init__(self) -> None:
        require(0 <= self.grace <= 5, f"guard.grace must be 0 to 5 seconds, not {self.grace}.")
        require(0 <= self.linger <= 60, f"guard.linger must be 0 to 60 seconds, not {self.linger}.")
        require(
            0 <= self.look_ahead <= 30,
            f"guard.look_ahead must be 0 to 30 frames, not {self.look_ahead}.",
        )


@dataclass(frozen=True)
class OutputSettings:
    """Where pictures go; several at once.

    sinks: "virtual" or "virtual:DEVICE" for a virtual camera, else paths: a movie file to record,
        or a folder (ending in "/") for a sequence of pictures; "none" for none at all.
    preview: open a window.
    overlay: "none", "green" (toons on green in every sink), or the path of a movie (.mov, .webm)
        or folder that takes the toons with an alpha channel.
    pixel_format: what the virtual camera is fed with.
    """

    sinks: tuple[str, ...] = ("virtual",)
    preview: bool = False
    overlay: str = "none"
    pixel_format: Literal["bgr", "rgb", "i420", "nv12", "yuyv", "uyvy"] = "i420"


@dataclass(frozen=True)
class Settings:
    """Everything one run needs."""

    source: SourceSettings = field(default_factory=SourceSettings)
    faces: TrackerSettings = field(default_factory=TrackerSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    compositing: CompositingSettings = field(default_factory=CompositingSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)
    output: OutputSettings = field(default_factory=OutputSettings)

    def guard_mode(self) -> GuardMode:
        """The guard's mode once "auto" is resolved."""
        if self.guard.mode != "auto":
            return self.guard.mode
        virtual = any(sink.split(":")[0] == "virtual" for sink in self.output.sinks)
        return "blur" if virtual else "pass"


def load_settings(
    path: Path | None = None, flags: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """Defaults, then the TOML file at `path`, then `flags` (section -> key -> value).

    A flag that is None was not given. Raises `SettingsError` naming the key.
    """
    tables = read_toml(path) if path else {}
    for section, values in (flags or {}).items():
        given = {key: value for key, value in values.items() if value is not None}
        tables[section] = {**_table(tables.get(section, {}), section), **given}
    return _build(Settings, tables, "")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a settings file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {path}; `toonify run --save {path}` writes one."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read as TOML: {error}.") from error


def save_settings(settings: Settings, path: Path) -> None:
    """Write every setting as TOML, atomically; keys that are None are left out.

    Raises `SettingsError` for a path that is no settings file's: what stands there is replaced.
    """
    require(path.suffix == ".toml", f"Settings are kept in a file ending in .toml, not {path}.")
    lines = ["# Settings of toonify; flags on the command line win over these."]
    for section, values in dataclasses.asdict(settings).items():
        lines += ["", f"[{section}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]
    write_atomically(path, ("\n".join(lines) + "\n").encode())


def _toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _table(values: Any, section: str) -> Mapping[str, Any]:
    """The settings of one section, if that is what they are."""
    if not isinstance(values, Mapping):
        raise SettingsError(
            f"{section} must be a table, not {values!r}; write its keys below a line [{section}]."
        )
    return values


def _build(kind: Any, values: Mapping[str, Any], where: str) -> Any:
    """An instance of dataclass `kind` from a table, checking every key and type."""
    hints = typing.get_type_hints(kind)
    arguments = {}
    for key, value in values.items():
        name = f"{where}.{key}" if where else key
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1, cutoff=0.0)
            raise SettingsError(f"There is no setting {name}; did you mean {near[0]}?")
        hint = hints[key]
        arguments[key] = (
            _build(hint, _table(value, name), name)
            if dataclasses.is_dataclass(hint)
            else _convert(hint, value, name)
        )
    try:
        return kind(**arguments)
    except ToonifyError as error:
        raise SettingsError(str(error)) from error


def _convert(hint: Any, value: Any, name: str) -> Any:
    """`value` as the type `hint`; numbers and strings are never turned into each other."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value not in options:
            choice = ", ".join(map(str, options))
            raise SettingsError(f"{name} must be one of {choice}, not {value!r}.")
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and types.NoneType in options:
            return None
        return _convert(next(o for o in options if o is not types.NoneType), value, name)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise SettingsError(f"{name} must be a list, not {value!r}.")
        kinds = [options[0]] * len(value) if options[-1] is Ellipsis else list(options)
        if len(kinds) != len(value):
            raise SettingsError(f"{name} must have {len(kinds)} entries, not {len(value)}.")
        return tuple(_convert(k, v, name) for k, v in zip(kinds, value, strict=True))
    wanted = (int, float) if hint is float else hint
    if not isinstance(value, wanted) or (isinstance(value, bool) and hint is not bool):
        words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise SettingsError(f"{name} must be {words.get(hint, hint)}, not {value!r}.")
    return float(value) if hint is float else value


FLAGS = {
    "source": ("source", "source"),
    "size": ("source", "size"),
    "fps": ("source", "fps"),
    "mirror": ("source", "mirror"),
    "loop": ("source", "loop"),
    "faces": ("faces", "max_faces"),
    "bundle": ("engine", "bundle"),
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
    """Short names as sections and keys; None means not given. Raises `SettingsError`."""
    sections: dict[str, dict[str, Any]] = {}
    for name, value in options.items():
        if name not in FLAGS:
            raise SettingsError(f"There is no option {name!r}; choose from {', '.join(FLAGS)}.")
        section, key = FLAGS[name]
        if value is not None:
            sections.setdefault(section, {})[key] = value
    return sections
