"""The options of `toonify`, each explained once, and the settings that they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engines import options as shared
from engines.options import CALIBRATION_ALONE

if TYPE_CHECKING:
    from realtime.settings import Settings

SOURCE, GUARD, OUTPUT, RUN = "Source", "Guard", "Output", "Run"
"""Panels of the help page."""

Style = Annotated[str | None, shared.STYLE]
Precision = Annotated[str | None, shared.PRECISION]
Calibration = Annotated[Path | None, shared.CALIBRATION]


@dataclass(frozen=True)
class Toon:
    """What the toon is."""

    model: Annotated[str | None, shared.MODEL] = None
    style: Style = None
    swap: Annotated[int | None, shared.SWAP] = None
    low: Annotated[str | None, shared.LOW] = None
    strength: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of the toon, 0 to 1; if not given, 1.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = None
    eyes: Annotated[
        float | None,
        typer.Option(
            metavar="TIMES",
            help="Size of the eyes, 0.8 to 1.4 times the style's; if not given, 1.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = None
    childlike: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="How far faces get a child's proportions, 0 to 1; if not given, 0.25.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = None
    mode: Annotated[
        str | None,
        typer.Option(
            metavar="PART",
            help="What is pasted: head, face or crop; if not given, head.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = None
    paint_room: Annotated[
        bool | None,
        typer.Option(
            "--paint-room/--no-paint-room",
            help="Beside toons, paint clothes and the room, too.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = None
    faces: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Most faces in one picture, 1 to 16; if not given, 4 in a stream and all in "
            "a single picture.",
            rich_help_panel=shared.TOON_PANEL,
        ),
    ] = None


@dataclass(frozen=True)
class Engine:
    """What computes it."""

    engine: Annotated[str | None, shared.ENGINE] = None
    precision: Precision = None
    calibration: Calibration = None


# Where pictures come from.
Source = Annotated[
    str | None,
    typer.Option(
        metavar="WHAT",
        help="Camera (index, name or path), file, URL, folder, picture, or demo; if not given, "
        "camera 0.",
        rich_help_panel=SOURCE,
    ),
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="WxH",
        help="Pixels asked of the camera; if not given, 1280x720.",
        rich_help_panel=SOURCE,
    ),
]
Fps = Annotated[
    float | None,
    typer.Option(
        metavar="RATE",
        help="Frames a second asked of the camera; if not given, 30.",
        rich_help_panel=SOURCE,
    ),
]
Mirror = Annotated[
    bool | None,
    typer.Option("--mirror/--no-mirror", help="Flip left and right.", rich_help_panel=SOURCE),
]
Loop = Annotated[
    bool | None,
    typer.Option("--loop/--no-loop", help="Repeat a file without end.", rich_help_panel=SOURCE),
]

# What may be shown.
GuardMode = Annotated[
    str | None,
    typer.Option(
        "--guard",
        metavar="MODE",
        help="What is shown when there is no toon: pass, hold, blur or card; if not given, blur "
        "for a virtual camera or a stream, and pass for files.",
        rich_help_panel=GUARD,
    ),
]
LookAhead = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Frames by which the output waits, so that faces found late are hidden; else 0.",
        rich_help_panel=GUARD,
    ),
]
GuardCard = Annotated[
    str | None,
    typer.Option("--card", metavar="FILE", help="Picture for --guard card.", rich_help_panel=GUARD),
]

# Where pictures go.
Sinks = Annotated[
    list[str] | None,
    typer.Option(
        "--sink",
        metavar="WHERE",
        help="virtual, virtual:DEVICE, a stream (rtmp://, rtmps://, udp://HOST:PORT or a .ts "
        "file), a movie, a folder/ or none; may be repeated; if not given, virtual.",
        rich_help_panel=OUTPUT,
    ),
]
Audio = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help="Microphone for streams, as late as the picture; default, or one that `toonify "
        "devices` lists. If not given, streams are silent.",
        rich_help_panel=OUTPUT,
    ),
]
Preview = Annotated[
    bool | None,
    typer.Option(
        "--preview/--no-preview", help="Open a window; h shows its keys.", rich_help_panel=OUTPUT
    ),
]
Panel = Annotated[
    int | None,
    typer.Option(
        metavar="[PORT]",
        help="Serve a panel for the browser, and the overlay for OBS; port 8765 if not given.",
        rich_help_panel=OUTPUT,
    ),
]
KeepAddress = Annotated[
    bool | None,
    typer.Option(
        "--keep-address/--no-keep-address",
        help="Give panel and overlay the same address in every run, so that OBS is told it once; "
        "it is kept in a file that only you can read.",
        rich_help_panel=OUTPUT,
    ),
]
Record = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Also record to this movie.", rich_help_panel=OUTPUT),
]
Overlay = Annotated[
    str | None,
    typer.Option(
        metavar="WHERE",
        help="green: toons on green; or a .mov, .webm or folder/ that takes them with alpha.",
        rich_help_panel=OUTPUT,
    ),
]
PixelFormat = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="For the virtual camera: i420, nv12, yuyv, uyvy, bgr or rgb; if not given, i420.",
        rich_help_panel=OUTPUT,
    ),
]

# The run itself.
Cpu = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        help="Share of the processor that may be taken, like 50%: fewer drawings, as many frames.",
        rich_help_panel=RUN,
    ),
]
Move = Annotated[
    bool | None,
    typer.Option(
        "--move/--no-move",
        help="With an engine slower than the camera: move the last toon with its face, or send "
        "fewer frames.",
        rich_help_panel=RUN,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Settings file (TOML); options win over it.", rich_help_panel=RUN
    ),
]
Stats = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the numbers of the run as JSON.", rich_help_panel=RUN),
]


def parse_size(text: str | None) -> tuple[int, int] | None:
    """ "1280x720" as (1280, 720); None stays None.

    Raises:
        typer.BadParameter: anything else.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)[x×](\d+)", text)
    if not match:
        raise typer.BadParameter(f"a size looks like 1280x720, not {text!r}", param_hint="'--size'")
    return int(match[1]), int(match[2])


def parse_share(text: str | None) -> float | None:
    """ "50%" or "0.5" as 0.5; None stays None.

    Raises:
        typer.BadParameter: anything else.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0.05 <= share <= 1:
        raise typer.BadParameter(
            f"a share of the processor looks like 50% (5% to 100%), not {text!r}",
            param_hint="'--cpu'",
        )
    return share


def _flag(name: str) -> str:
    """A short name as it is typed on the command line."""
    return "--sink" if name == "sinks" else f"--{name.replace('_', '-')}"


def settings_from(
    toon: Toon, engine: Engine, config: Path | None = None, **others: Any
) -> Settings:
    """Settings from a file and options by their short names; None means not given.

    Raises:
        SettingsError: a value that cannot be used.
    """
    from realtime.settings import SettingsError, flags_of, load_settings

    named = {**vars(toon), **vars(engine), **others}
    if engine.calibration is not None:
        named["calibration"] = str(engine.calibration)
    settings = load_settings(config, flags_of(named), _flag)
    if engine.calibration is not None and settings.engine.precision != "int8":
        raise SettingsError(CALIBRATION_ALONE)
    return settings
