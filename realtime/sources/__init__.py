"""Where frames come from: camera, network stream, media file, pictures, built-in demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from engines.errors import ToonifyError
from engines.pictures import PICTURE_SUFFIXES, is_picture
from engines.say import Say
from realtime.addresses import is_network
from realtime.frame import Frame
from realtime.settings import SourceSettings


class SourceError(ToonifyError):
    """A source that cannot be opened or read."""


class Source(Protocol):
    """A stream of frames.

    Attributes:
        name: for messages and reports.
        live: pictures happen in real time and only the newest matters; else every one does.
        size: (width, height) expected of the frames.
        rate: frames per second expected.
    """

    name: str
    live: bool
    size: tuple[int, int]
    rate: float

    def frames(self) -> Iterator[Frame]:
        """Frames until the end; a live source waits for each and recovers from failures."""
        ...

    def close(self) -> None:
        """End `frames()` soon, from any thread, and release the device."""
        ...


def open_source(settings: SourceSettings, say: Say, *, every_frame: bool = False) -> Source:
    """The source that `settings.source` means.

    Args:
        every_frame: a file is read at the reader's pace and loses nothing: a damaged one is an
            error, as is a camera that is not there. Otherwise it is read in real time, what cannot
            be decoded is left out, and a missing camera is waited for.

    Raises:
        SourceError, PictureError: there is no such file, or a stream shows nothing.
    """
    what = settings.source
    path = Path(what)
    if what == "demo":
        from realtime.sources.demo import DemoSource

        return DemoSource(settings.size, settings.fps, live=not every_frame)
    if is_network(what):
        from realtime.sources.network import NetworkSource

        stream = NetworkSource(what, say)
        if stream.length is None:
            return stream
    if "://" in what or (path.is_file() and not is_picture(path)):
        from realtime.sources.media import MediaSource

        live = not every_frame
        return MediaSource(what, live=live, loop=settings.loop, tolerant=live, say=say)
    if path.is_dir() or path.is_file():
        from realtime.sources.pictures import PictureSource

        return PictureSource(path, settings.fps, live=not every_frame, loop=settings.loop)
    if path.suffix.lower() in MEDIA_SUFFIXES | PICTURE_SUFFIXES:
        raise SourceError(f"There is no file {what}; check the path given as the source.")
    from realtime.sources.camera import CameraSource

    return CameraSource(settings, say, patient=not every_frame)


MEDIA_SUFFIXES = {".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm"}
