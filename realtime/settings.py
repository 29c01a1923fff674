"""What the user may set: one frozen dataclass per stage; defaults < TOML file < flags.

Over 300 lines: every setting stands in one place.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engines.backends.registry import check_name
from engines.catalogue import DEFAULT_BUNDLE
from engines.files import write_atomically
from realtime.addresses import is_watched, redacted, stream_format
from realtime.tables import SettingsError as SettingsError
from realtime.tables import as_table, as_typed, build, to_toml
from realtime.tables import flags_of as flags_of

GuardMode = Literal["pass", "hold", "blur", "card"]
GUARD_MODES: tuple[GuardMode, ...] = ("pass", "hold", "blur", "card")
Mode = Literal["crop", "head", "face"]
MODES: tuple[Mode, ...] = ("crop", "head", "face")
EYE_SIZES = (0.8, 1.4)
"""Least and most of `CompositingSettings.eyes`: beyond it, faces would fold, or eyes touch."""
Low = Literal["toon", "face"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]


def require(condition: bool, message: str) -> None:
    """Raise `SettingsError(message)` unless `condition` holds."""
    if not condition:
        raise SettingsError(message)


def require_eye_size(size: float, name: str) -> None:
    """Raise `SettingsError` unless eyes can have this size; `name` is what the user calls it."""
    least, most = EYE_SIZES
    require(
        least <= size <= most, f"{name} must be {least} to {most} times the style's, not {size}."
    )


def require_share(share: float, name: str) -> None:
    """Raise `SettingsError` unless `share` lies in 0..1; `name` is what the user calls it."""
    require(0 <= share <= 1, f"{name} must lie between 0 and 1, not {share}.")


@dataclass(frozen=True)
class SourceSettings:
    """Where pictures come from.

    Attributes:
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
        require(
            bool(self.source.strip()),
            "source.source must name a camera, file, URL or folder, or be demo; it is empty.",
        )
        width, height = self.size
        require(
            16 <= width <= 7680 and 16 <= height <= 4320,
            f"source.size must lie between 16x16 and 7680x4320 pixels, not {width}x{height}.",
        )
        require(0.01 <= self.fps <= 240, f"source.fps must be 0.01 to 240, not {self.fps}.")


@dataclass(frozen=True)
class TrackerSettings:
    """How faces are found.

    Attributes:
        max_faces: how many faces are made toons. One more is followed, so that the guard knows of
            it.
        min_confidence: MediaPipe's, for detection, presence and tracking alike.
        hold: seconds for which a face that cannot be found is still reported where it should be.
        memory: seconds after which a face that comes back counts as a new one.
        search_interval: seconds between two searches for more faces, each in a part of the frame;
            a third of it while there is time, a face is lost or somebody has just come.
        refresh_interval: seconds after which a face that is carried on by its motion is detected
            again; three times as many while it is still and looks the same, up to four times as
            many if there is little time. 0: in every frame.
    """

    max_faces: int = 4
    min_confidence: float = 0.5
    hold: float = 0.4
    memory: float = 5.0
    search_interval: float = 0.25
    refresh_interval: float = 0.05

    def __post_init__(self) -> None:
        require(
            1 <= self.max_faces <= 16, f"faces.max_faces must be 1 to 16, not {self.max_faces}."
        )
        require(
            0 < self.min_confidence < 1,
            f"faces.min_confidence must lie between 0 and 1, not {self.min_confidence}.",
        )
        for name in ("hold", "memory", "search_interval", "refresh_interval"):
            seconds = getattr(self, name)
            require(0 <= seconds <= 60, f"faces.{name} must be 0 to 60 s, not {seconds}.")


@dataclass(frozen=True)
class EngineSettings:
    """Which toon, and what computes it.

    Attributes:
        model: an installed model's name or the path of one.
        style: one of the model's styles; None for its default.
        swap: resolution at which the mix switches to the other generator, in most cards the one
            that draws the person; None for the card's default.
        low: whose layers are below the swap, "toon" or "face"; None for the card's default.
        backend: "auto" or a back end's name; asking by name never falls back.
        precision: one that the back end can compute in; None for its default.
        calibration: folder of portraits that int8 is calibrated on; None for those in the package.
        cpu: share of all cores that a run may take, 0.05 to 1; the engine rests to keep to it. None
            for no limit.
    """

    model: str = DEFAULT_BUNDLE
    style: str | None = None
    swap: int | None = None
    low: Low | None = None
    backend: str = "auto"
    precision: Precision | None = None
    calibration: str | None = None
    cpu: float | None = None

    def __post_init__(self) -> None:
        check_name(self.backend)
        require(
            self.cpu is None or 0.05 <= self.cpu <= 1,
            f"engine.cpu must be a share from 0.05 to 1 (5% to 100%), not {self.cpu}.",
        )
        swap = self.swap
        require(
            swap is None or (4 <= swap <= 1024 and swap & (swap - 1) == 0),
            f"engine.swap must be a power of two from 4 to 1024, not {swap}.",
        )


@dataclass(frozen=True)
class CompositingSettings:
    """How toons are put into frames.

    Attributes:
        mode: "head" takes head and hair, "face" the face without hair, "crop" the whole square.
        strength: 0 shows the frame, 1 the toon.
        eyes: how large eyes are, in shares of what the style draws; for models that say where they
            take the photo's detail from.
        childlike: 0..1, how far a face gets a child's proportions, where the style wants other
            shapes: a high forehead, eyes low in the face, a small chin.
        colour: 0..1, how far the toon's light and colour are drawn to the scene's.
        memory: seconds over which light and colour are averaged.
        move: with a camera, let the last toon move with its face while the engine cannot keep up;
            else fewer frames go out.
        paint_eyes: paint the eyes at the frame's own resolution, open and shut, and brows that the
            network lost, where the style wants it; else they are the network's.
        paint_hair: paint hair in locks, along its own flow; else it is the network's, with some of
            the frame's detail.
        ink: draw flat bands of light and ink over a style that wants them, as the comic does, and
            make its mouth and nostrils even.
        relief: iron skin, make mouth and nose a film's and light the face by its own relief,
            where the style wants it, as the film does.
        reshape: rounder eyes, bold low brows, a film's nose and mouth, and what `childlike` says,
            where the style wants them.
        paint_room: in frames with toons, paint all the rest, too (`realtime.room`).
    """

    mode: Mode = "head"
    strength: float = 1.0
    eyes: float = 1.0
    childlike: float = 0.25
    colour: float = 0.35
    memory: float = 1.5
    move: bool = True
    paint_eyes: bool = True
    paint_hair: bool = True
    ink: bool = True
    relief: bool = True
    reshape: bool = True
    paint_room: bool = False

    def __post_init__(self) -> None:
        require(
            self.mode in MODES,
            f"compositing.mode must be one of {', '.join(MODES)}, not {self.mode!r}.",
        )
        for name in ("strength", "childlike", "colour"):
            require_share(getattr(self, name), f"compositing.{name}")
        require_eye_size(self.eyes, "compositing.eyes")
        require(0 <= self.memory <= 60, f"compositing.memory must be 0 to 60 s, not {self.memory}.")


@dataclass(frozen=True)
class GuardSettings:
    """What goes out when there is no toon to show; see `realtime.guard` for the rules.

    Attributes:
        mode: "auto" is "blur" for a virtual camera or a stream, and "pass" for files.
        grace: seconds for which the last toon is repeated before the mode's picture is shown.
        linger: seconds for which a face that was lost inside the picture keeps it hidden.
        look_ahead: frames by which the output waits, so that a face found late hides earlier
            frames; each adds one frame of latency.
        card: a picture file to show in mode "card" instead of the built-in one.
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

    Attributes:
        sinks: "virtual" or "virtual:DEVICE" for a virtual camera; the address of a live stream
            (rtmp, rtmps, udp) or a .ts file that takes one; else paths: a movie file to record, or
            a folder (ending in "/") for a sequence of pictures; "none" for none at all.
        audio: microphone for streams, as late as the pictures; None for silence.
        preview: open a window.
        panel: port of the panel in the browser, 0 for a free one; None for no panel.
        keep_address: panel and overlay have the same address in every run with this port.
        overlay: "none", "green" (toons on green in every sink), or the path of a movie (.mov,
            .webm) or folder that takes the toons with an alpha channel.
        pixel_format: what the virtual camera is fed with.
    """

    sinks: tuple[str, ...] = ("virtual",)
    audio: str | None = None
    preview: bool = False
    panel: int | None = None
    keep_address: bool = False
    overlay: str = "none"
    pixel_format: Literal["bgr", "rgb", "i420", "nv12", "yuyv", "uyvy"] = "i420"

    def __post_init__(self) -> None:
        # As a path, an empty text would be the current folder.
        require(
            all(sink.strip() for sink in self.sinks),
            "output.sinks must each be virtual, virtual:DEVICE, none, a stream, a movie or a "
            "folder ending in /; one of them is empty.",
        )
        require(
            self.audio is None or bool(self.audio.strip() and any(map(stream_format, self.sinks))),
            "output.audio must name a microphone, and a sink must be a stream that takes it.",
        )
        require(
            self.panel is None or 0 <= self.panel <= 65535,
            f"output.panel must be a port from 1 to 65535, or 0 for a free one, not {self.panel}.",
        )
        require(
            bool(self.panel) or not self.keep_address,
            "output.keep_address needs a panel whose port stays the same; add --panel, or "
            "--panel PORT with a port from 1 to 65535.",
        )
        require(
            bool(self.overlay.strip()),
            "output.overlay must be none, green, a movie or a folder ending in /; it is empty.",
        )


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
        return "blur" if any(map(is_watched, self.output.sinks)) else "pass"


def load_settings(
    path: Path | None = None,
    flags: Mapping[str, Mapping[str, Any]] | None = None,
    typed: Callable[[str], str] | None = None,
) -> Settings:
    """Defaults, then the TOML file at `path`, then `flags` (section -> key -> value).

    A flag that is None was not given.

    Args:
        path: a settings file.
        flags: win over the file.
        typed: turns a short name of `FLAGS` into what the user typed, for messages about values
            that came from `flags`; None names the keys of the settings.

    Raises:
        SettingsError: a key or a value is wrong; it names the key.
    """
    tables = read_toml(path) if path else {}
    for section, values in (flags or {}).items():
        given = {key: value for key, value in values.items() if value is not None}
        tables[section] = {**as_table(tables.get(section, {}), section), **given}
    try:
        return build(Settings, tables, "")
    except SettingsError as error:
        if typed is None:
            raise
        raise SettingsError(as_typed(str(error), flags or {}, typed)) from error


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a settings file."""
    require(not path.is_dir(), f"{path} is a folder, not a settings file; give a .toml file.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {path}; `toonify run --save {path}` writes one."
        ) from None
    except RecursionError as error:
        raise SettingsError(f"{path} nests its values too deeply for settings.") from error
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, no TOML, a number too long
        raise SettingsError(f"The settings file {path} cannot be read as TOML: {error}.") from error


def save_settings(settings: Settings, path: Path) -> None:
    """Write every setting as TOML, atomically; keys that are None are left out. One with
    passwords or stream keys is for its owner alone.

    Raises:
        SettingsError: `path` does not end in .toml; a file of another kind would be lost.
    """
    require(path.suffix == ".toml", f"Settings are kept in a file ending in .toml, not {path}.")
    lines = ["# Settings of toonify; flags on the command line win over these."]
    for section, values in dataclasses.asdict(settings).items():
        lines += ["", f"[{section}]"]
        lines += [f"{key} = {to_toml(value)}" for key, value in values.items() if value is not None]
    text = "\n".join(lines) + "\n"
    write_atomically(path, text.encode(), mode=0o666 if redacted(text) == text else 0o600)


def check_settings(settings: Settings) -> None:
    """Refuse what would break the guard's promise.

    Raises:
        SettingsError: the settings show some of the real face under a guard that hides it.
    """
    mode, strength = settings.guard_mode(), settings.compositing.strength
    if mode != "pass" and strength < 1:
        raise SettingsError(
            f"The strength {strength} shows some of the real face, which guard {mode!r} "
            "never lets out; use strength 1 or --guard pass."
        )
