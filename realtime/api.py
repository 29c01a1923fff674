"""The filter for Python programs.

from realtime import Toonifier

toonify = Toonifier()                           # or Toonifier("my-model", style="comic", ...)
toon = toonify(picture)                         # uint8 [H, W, 3] BGR in and out
toon = toonify.image(picture)                   # the same, and how many faces it has
toon = toonify.frame(picture, time.monotonic()) # the next frame of your own camera loop
for toon in toonify.stream("0"):                # a camera, file, URL, folder or "demo"
    ...
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from engines.bundle import Bundle
from engines.errors import UsageError
from engines.pictures import Image, Mask
from engines.say import Say, say
from realtime.frame import Frame, as_bgr
from realtime.guard import Guard, Kind, Output, Result
from realtime.observe import Observer
from realtime.session import Session
from realtime.settings import GuardMode, Mode, Settings, flags_of, load_settings
from realtime.sources import open_source


@dataclass(frozen=True, eq=False)
class Toon:
    """A picture with its faces made toons.

    Attributes:
        image: uint8 [H, W, 3] BGR; yours to write into.
        alpha: uint8 [H, W], 255 where a toon is.
        faces: how many faces were found.
        kind: "toon"; "raw" for a picture as it came; or what the guard shows instead: "hold",
            "blur" or "card".
    """

    image: Image
    alpha: Mask
    faces: int
    kind: Kind


class Toonifier:
    """Pictures in, pictures out; not thread-safe. A context manager; `close` frees the device.

    Three calls, for three kinds of pictures: `image` for a picture by itself, `frame` for the
    frames of a loop of your own, `stream` for a source that this package reads.

    Args:
        model: an installed model's name, the path of one, or a loaded `Bundle`; None for the model
            that comes with the package.
        style: one of the model's styles; None for its default.
        swap: resolution at which the mix switches, a power of two from 4 to 1024; None for the
            model's own.
        strength: 0 shows the picture, 1 the toon.
        mode: what is replaced: the "head", the "face" without hair, or the whole "crop".
        engine: what computes: "auto" or a back end's name.
        precision: one that the back end can compute in; None for its default.
        faces: how many faces are made toons, 1 to 16.
        guard: what is shown when there is no toon: "pass" (the picture itself, unless given),
            "hold", "blur" or "card"; see `realtime.guard`.
        settings: everything at once, instead of the above (but for a loaded `Bundle`).
        say: called with each message for the user, one line at a time.

    Raises:
        ToonifyError: when something cannot be used; its sentence says what.
    """

    def __init__(
        self,
        model: str | Path | Bundle | None = None,
        *,
        style: str | None = None,
        swap: int | None = None,
        strength: float | None = None,
        mode: Mode | None = None,
        engine: str | None = None,
        precision: Literal["fp32", "fp16", "bf16", "int8"] | None = None,
        faces: int | None = None,
        guard: GuardMode | None = None,
        settings: Settings | None = None,
        say: Say = say,
    ) -> None:
        bundle = model if isinstance(model, Bundle) else None
        name = None if isinstance(model, Bundle) else model
        options = {
            "model": None if name is None else str(name),
            "style": style,
            "swap": swap,
            "strength": strength,
            "mode": mode,
            "engine": engine,
            "precision": precision,
            "faces": faces,
            "guard": guard,
        }
        _check_kinds(name, settings, say)
        given = [option for option, value in options.items() if value is not None]
        if settings and given:
            raise UsageError(
                f"Toonifier was given settings and {', '.join(given)} beside them; put everything "
                "into the settings, or leave them out."
            )
        if settings is None:
            settings = load_settings(flags=flags_of({**options, "guard": guard or "pass"}))
        self.settings = settings
        self._session = Session(settings, say, bundle)
        self._say = say
        self._loop: tuple[Guard, Observer] | None = None  # of `frame`, since its first one
        self._size = (0, 0)
        self._time = -math.inf
        self._number = 0

    def __call__(self, picture: NDArray[Any]) -> Image:
        """The picture, uint8 [H, W, 3] BGR, with all its faces made toons, by itself."""
        return self.image(picture).image

    def image(self, picture: NDArray[Any]) -> Toon:
        """A single picture with its faces made toons, or what the guard shows instead.

        All faces are searched for, and nothing is remembered from one call to the next.

        Args:
            picture: uint8 [H, W, 3] BGR; not changed.

        Raises:
            ToonifyError: when it is not a picture, or the engine failed.
        """
        frame = Frame(_checked(picture), 0.0, 0)
        guard = self._session.guard(frame.size, look_ahead=False)
        result = self._session.observer(guard).still(frame)
        output = guard.admit(result)
        assert output  # nothing is held back for a still picture
        return _toon(output, result)

    def frame(self, picture: NDArray[Any], timestamp: float) -> Toon:
        """The next frame of a loop of your own: faces are tracked and steadied over time.

        The first call, and one with a picture of another size, begins a new stream. With the
        guard's `look_ahead` n, the result is the frame given n calls earlier.

        Args:
            picture: uint8 [H, W, 3] BGR; not changed.
            timestamp: seconds at which it was captured, on any clock that rises from call to call,
                such as `time.monotonic()`.

        Returns:
            The frame with its faces made toons, or what the guard shows instead.

        Raises:
            ToonifyError: when it is not a picture, the timestamp does not rise, or the engine
                failed.
        """
        image = _checked(picture)
        if (
            isinstance(timestamp, bool)
            or not isinstance(timestamp, int | float)
            or not math.isfinite(timestamp)
            or (self._loop is not None and timestamp <= self._time)
        ):
            above = f" above the last one, {self._time:g}" if self._loop else ""
            raise UsageError(
                f"A timestamp must be a number of seconds{above}, not {timestamp!r}; give the "
                "moment of capture, such as time.monotonic()."
            )
        frame = Frame(image, float(timestamp), self._number)
        if self._loop is None or frame.size != self._size:
            self._session.reset()
            guard = self._session.guard(frame.size)
            self._loop = guard, self._session.observer(guard)
        guard, observer = self._loop
        self._size, self._time, self._number = frame.size, frame.timestamp, self._number + 1
        result = observer.observe(frame)
        output = guard.admit(result) or guard.fill(frame, frame.timestamp)
        return _toon(output, result)

    def stream(self, source: str = "0") -> Iterator[Image]:
        """The frames of a source as the guard lets them out, uint8 [H, W, 3] BGR, one by one.

        A file gives every frame; a camera gives the newest whenever the loop asks. After it,
        `frame` starts a new stream.

        Args:
            source: a camera's index, name or path; a file, URL, folder or picture; or "demo".

        Raises:
            ToonifyError: when there is no such source, it breaks off, or the engine failed.
        """
        settings = replace(self.settings.source, source=source)
        opened = open_source(settings, self._say, every_frame=True)
        guard = self._session.guard(opened.size)
        observer = self._session.observer(guard)
        self._session.reset()
        self._loop = None
        try:
            for frame in opened.frames():
                if settings.mirror:
                    frame = frame.mirrored()
                output = guard.admit(observer.observe(frame))
                if output:
                    yield output.image
            for output in guard.finish():
                yield output.image
        finally:
            opened.close()

    def close(self) -> None:
        """Free the device; the object cannot be used afterwards."""
        self._session.close()

    def __enter__(self) -> Toonifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_kinds(model: object, settings: object, say: object) -> None:
    """Refuse arguments of a wrong kind; values are checked as the settings are."""
    if not (model is None or isinstance(model, str | Path)):
        raise UsageError(
            "model must be an installed model's name, the path of one or a loaded Bundle, not "
            f"{model!r}."
        )
    if not (settings is None or isinstance(settings, Settings)):
        raise UsageError(
            f"settings must be realtime.settings.Settings, not {type(settings).__name__}; "
            "load_settings() makes them."
        )
    if not callable(say):
        raise UsageError(f"say must be a function that takes a line of text, not {say!r}.")


def _checked(picture: object) -> Image:
    image = as_bgr(picture)
    if image is None:
        raise UsageError(
            "A picture must be a uint8 array [H, W, 3] in BGR, not "
            f"{getattr(picture, 'dtype', type(picture).__name__)} "
            f"{list(getattr(picture, 'shape', ()))}."
        )
    return image


def _toon(output: Output, result: Result) -> Toon:
    # Copies, because the guard may show its own arrays again.
    return Toon(output.image.copy(), output.alpha.copy(), len(result.faces), output.kind)
