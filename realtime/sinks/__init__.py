"""Where pictures go: virtual camera, window, live stream, recording, pictures, alpha overlay."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from engines.errors import ToonifyError
from engines.files import check_writable
from engines.say import Say
from engines.say import say as say_line
from realtime.addresses import TRANSPORT, stream_format
from realtime.guard import Output
from realtime.settings import OutputSettings, require
from realtime.sources import Source

MOVIES = (".mp4", ".m4v", ".mov", ".mkv")
"""What recordings may end in."""


class SinkError(ToonifyError):
    """A sink that cannot be opened or fed."""


class Sink(Protocol):
    """Takes pictures of one size. All methods are called from one thread.

    Attributes:
        name: for messages and reports.
        live: shown to somebody now, so that the last picture may stay on after the end.
        local: it is given the untooned pictures too (see `Output`): only the user sees it, or it
            removes from a picture what is not toon.
    """

    name: str
    live: bool
    local: bool

    def open(self) -> None:
        """Get ready; called again after a failure.

        Raises:
            SinkError: it cannot be opened.
        """
        ...

    def send(self, output: Output) -> None:
        """Take one picture."""
        ...

    def close(self) -> None:
        """Finish; never raises for a sink that failed before."""
        ...


def open_sinks(
    settings: OutputSettings,
    size: tuple[int, int],
    rate: float,
    source: Source,
    *,
    paced: bool,
    say: Say = say_line,
) -> list[Sink]:
    """The sinks that the settings name, not yet opened.

    Args:
        size: (width, height) of the pictures.
        rate: frames per second.
        source: its audio is kept in recordings if it is a file.
        paced: pictures come in real time, else as fast as they are made.
        say: called with what a stream has to tell.

    Raises:
        SettingsError: a target is of no known kind. It is not guessed at: a mistyped virtual camera
            must not become a folder of pictures.
        ToonifyError: no file can be made at one of the places.
    """
    from realtime.sinks.files import ALPHA_CODECS, AlphaMovie, PictureSequence, Recording
    from realtime.sinks.stream import StreamSink
    from realtime.sinks.virtual_camera import VirtualCamera

    _check_streams(settings)
    audio = None if settings.overlay == "green" else getattr(source, "audio_location", None)
    sinks: list[Sink] = []
    for target in settings.sinks:
        kind, _, device = target.partition(":")
        if target == "none":
            continue
        if kind == "virtual":
            sinks.append(VirtualCamera(size, rate, device or None, settings.pixel_format))
        elif container := stream_format(target):
            if "://" not in target:
                _writable(Path(target))
            sinks.append(StreamSink(target, container, size, rate, say, audio=settings.audio))
        elif is_folder(target):
            sinks.append(PictureSequence(_writable(Path(target), "frame-000001.png")))
        else:
            require(
                Path(target).suffix.lower() in MOVIES,
                f"There is no sink {target!r}: choose virtual, virtual:DEVICE, none, a stream to "
                f"rtmp://, rtmps:// or udp://HOST:PORT or into a file ending in {TRANSPORT}, a "
                f"movie ending in {', '.join(MOVIES)}, or a folder ending in /.",
            )
            path = _writable(Path(target))
            sinks.append(Recording(path, size, rate, audio=audio, paced=paced))
    if settings.overlay not in ("none", "green"):
        path = Path(settings.overlay)
        if is_folder(settings.overlay):
            sinks.append(PictureSequence(_writable(path, "frame-000001.png"), alpha=True))
        else:
            require(
                path.suffix.lower() in ALPHA_CODECS,
                f"There is no overlay {settings.overlay!r}: choose none, green, a movie ending in "
                f"{', '.join(ALPHA_CODECS)}, or a folder ending in /.",
            )
            sinks.append(AlphaMovie(_writable(path), size, rate, paced=paced))
    return sinks


def _check_streams(settings: OutputSettings) -> None:
    """Refuse a protocol that is not there."""
    if any(target.lower().startswith("srt://") for target in settings.sinks):
        from realtime.sinks.stream_writer import has_srt

        require(
            has_srt(),
            "This build of PyAV cannot send SRT; stream to rtmp:// or udp:// instead.",
        )


def _writable(path: Path, inside: str = "") -> Path:
    """`path`, after a check that a file can be made there, or `inside` it if it is a folder."""
    check_writable(path / inside)
    return path


def is_folder(target: str) -> bool:
    """Whether a target names a folder: it ends in a slash or exists as one."""
    return target.endswith(("/", "\\")) or Path(target).is_dir()
