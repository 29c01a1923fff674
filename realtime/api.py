"""The filter for Python programs.

from realtime import Toonifier

toonify = Toonifier()
toon = toonify(picture)                         # uint8 [H, W, 3] BGR in and out
for toon in toonify.stream("0"):                # a camera, file, URL, folder or "demo"
    ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engines.bundle import Bundle
from engines.errors import ToonifyError
from realtime.frame import Frame, Image, Mask, as_bgr
from realtime.guard import Result
from realtime.session import Session
from realtime.settings import Settings, flags_of, load_settings
from realtime.sources import Report, open_source

if TYPE_CHECKING:
    from types import TracebackType


def say(line: str) -> None:
    """The default report: a line on standard error."""
    print(line, file=sys.stderr)


@dataclass(frozen=True, eq=False)
class Toon:
    """A picture with its faces made toons.

    image: uint8 [H, W, 3] BGR.
    alpha: uint8 [H, W], 255 where a toon is.
    faces: how many faces were found.
    """

    image: Image
    alpha: Mask
    faces: int


class Toonifier:
    """Pictures in, pictures out; not thread-safe. A context manager; `close` frees the device.

    settings: everything, or None for the defaults with single values as keywords: `style`, `swap`,
        `strength`, `mode`, `engine`, `faces`, `guard` ("pass" unless given).
    bundle: a loaded model instead of the one that the settings name.
    Raises `ToonifyError` with one sentence for whatever cannot be used.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        bundle: Bundle | None = None,
        report: Report = say,
        **options: Any,
    ) -> None:
        if settings and options:
            raise ToonifyError(
                f"Toonifier was given settings and {', '.join(options)} beside them; put "
                f"everything into the settings, or leave them out."
            )
        self.settings = settings or load_settings(flags=flags_of({"guard": "pass", **options}))
        self._session = Session(self.settings, report, bundle)
        self._report = report

    def __call__(self, picture: Image) -> Image:
        """The picture, uint8 [H, W, 3] BGR, with all its faces made toons, by itself."""
        return self.picture(picture).image

    def picture(self, picture: Image) -> Toon:
        """Like a call, and tells more about the result. The guard applies: see `Settings.guard`."""
        image = as_bgr(picture)
        if image is None:
            raise ToonifyError(
                "A picture must be a uint8 array [H, W, 3] in BGR, not "
                f"{getattr(picture, 'dtype', type(picture).__name__)} "
                f"{list(getattr(picture, 'shape', ()))}."
            )
        faces = self._session.tracker.still(image)
        self._session.stylizer.reset()
        frame = Frame(image, 0.0, 0)
        done = self._session.stylizer.apply(frame, faces)
        guard = self._session.guard(frame.size, look_ahead=False)
        stranger = guard.mode != "pass" and self._session.watch.sees_stranger(image, faces)
        result = Result(frame, done.image, done.alpha, faces, done.covered, stranger)
        output = guard.admit(result)
        assert output  # nothing is held back for a still picture
        return Toon(output.image, output.alpha, len(faces))

    def stream(self, source: str = "0") -> Iterator[Image]:
        """The frames of a source as the guard lets them out, uint8 [H, W, 3] BGR, one by one.

        A file gives every frame; a camera gives the newest whenever the loop asks.
        """
        settings = replace(self.settings.source, source=source)
        opened = open_source(settings, self._report, every_frame=True)
        guard = self._session.guard(opened.size)
        self._session.tracker.reset()
        self._session.stylizer.reset()
        try:
            for frame in opened.frames():
                if settings.mirror:
                    frame = frame.mirrored()
                watch = self._session.watch if guard.mode != "pass" else None
                faces = self._session.tracker.update(frame)
                done = self._session.stylizer.apply(frame, faces)
                stranger = self._session.tracker.search(watch.suspected if watch else ())
                stranger |= watch is not None and watch.alarmed(frame, faces)
                self._session.tracker.look()
                output = guard.admit(
                    Result(frame, done.image, done.alpha, faces, done.covered, stranger)
                )
                if output:
                    yield output.image
            for output in guard.finish():
                yield output.image
        finally:
            opened.close()

    def close(self) -> None:
        """Free the device; the object is of no use afterwards."""
        self._session.close()

    def __enter__(self) -> Toonifier:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
