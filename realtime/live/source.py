"""A source that can be exchanged for another one while its frames are read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from engines.errors import ToonifyError
from realtime.frame import Frame
from realtime.settings import SourceSettings
from realtime.sources import Source

PATIENCE = 10.0  # seconds in which another source must give its first picture


class ChangingSource:
    """The frames of one source, then of another.

    Another source is opened, and has given its first picture, before the one in use is let go. Only
    a camera that is asked for another size must be let go first.

    Args:
        source: the first one.
        settings: what it was opened with.
        open_source: opens another one.
        patience: seconds in which another source must give its first picture.

    Attributes:
        name, settings: of the source in use.
        audio_location: of the first one; the frames of others have no place on its time line.
        changing: what is being opened; empty if nothing is.
    """

    def __init__(
        self,
        source: Source,
        settings: SourceSettings,
        open_source: Callable[[SourceSettings], Source],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self.name = source.name
        self.live = source.live
        self.size = source.size
        self.rate = source.rate
        self.audio_location: str | None = getattr(source, "audio_location", None)
        self.settings = settings
        self.changing = ""
        self._open = open_source
        self._patience = patience
        self._source = source
        self._next: tuple[Source, Iterator[Frame], SourceSettings] | None = None
        self._closed = threading.Event()
        self._one = threading.Lock()

    def frames(self) -> Iterator[Frame]:
        """Frames of the source in use, numbered without gaps, until it ends by itself."""
        frames = self._source.frames()
        number = stream = 0
        while not self._closed.is_set():
            for frame in frames:
                media_time = None if stream else frame.media_time
                yield replace(frame, number=number, stream=stream, media_time=media_time)
                number += 1
                if self._next:
                    break
            if self._next is None:
                return
            self._source.close()
            self._source, frames, self.settings = self._next
            self.name = self._source.name
            self._next = None
            self.changing = ""
            stream += 1

    def close(self) -> None:
        """End `frames()` soon, from any thread."""
        self._closed.set()
        self._source.close()

    def change(self, settings: SourceSettings) -> None:
        """Open another source and go on with it; returns when it is in use, or was given up.

        Raises:
            ToonifyError: there is no such source, or it gives no picture; the old one goes on.
        """
        if not self._one.acquire(blocking=False):
            raise ToonifyError("Another source is being opened; wait until it is there.")
        self.changing = settings.source
        try:
            opened = self._open(settings)
            frames = opened.frames()
            if settings.source != self.settings.source or not _is_camera(opened):
                frames = self._begun(opened, frames)
            old, self._next = self._source, (opened, frames, settings)
            old.close()  # it may be waiting for a camera that was unplugged
            if self._closed.is_set():
                opened.close()
        except BaseException:
            self.changing = ""
            raise
        finally:
            self._one.release()

    def _begun(self, source: Source, frames: Iterator[Frame]) -> Iterator[Frame]:
        """The frames of a source, once the first one has come."""
        timer = threading.Timer(self._patience, source.close)
        timer.daemon = True
        timer.start()
        first = next(frames, None)
        timer.cancel()
        if first is None:
            source.close()
            raise ToonifyError(
                f"No picture came from {source.name} within {self._patience:g} s; {self.name} "
                "goes on. `toonify devices` tells what is wrong with each camera."
            )
        return frames


def _is_camera(source: Source) -> bool:
    """Whether a source holds a device that cannot be opened twice."""
    from realtime.sources.camera import CameraSource

    return isinstance(source, CameraSource)
