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
from numbers import Real
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from engines.bundle import Bundle
from engines.errors import UsageError
from engines.pictures import Image, Mask
from engines.say import Say, say
from realtime.frame import Frame, checked_bgr
from realtime.guard import Guard, Kind, Output, Result
from realtime.observe import Observer
from realtime.session import Session
from realtime.settings import GuardMode, Mode, Precision, Settings, flags_of, load_settings
from realtime.sources import open_source

EVERY_FACE = 100_000  # more than a picture can show


@dataclass(frozen=True, eq=False)
class Toon:
    """A picture with its faces made toons.

    Attributes:
        image: uint8 [H, W, 3] BGR; yours to write into.
        alpha: uint8 [H, W], 255 where a toon is.
        faces: how many faces were found; at most `faces` of `Toonifier` become toons.
        drawn: how many of them became toons; 0 for what the guard shows instead.
        kind: "toon", "raw" (as it came), or what the guard shows: "hold", "blur" or "card".
    """

    image: Image
    alpha: Mask
    faces: int
    kind: Kind
    drawn: int = 0


class Toonifier:
    """Pictures in, pictures out; not thread-safe. A context manager; `close` frees the device.

    Args:
        model: an installed model's name, the path of one, or a loaded `Bundle`; None for the model
            that comes with the package.
        style: one of the model's styles; None for its default.
        swap: resolution at which the mix switches, a power of two from 4 to 1024; None for the
            model's own.
        strength: 0 shows the picture, 1 the toon.
        eyes: size of the eyes, 0.8 to 1.4 times the style's.
        childlike: how far faces get a child's proportions, 0 to 1; None for 0.25.
        mode: what is replaced: the "head", the "face" without hair, or the whole "crop".
        paint_room: paint all that is no toon, too.
        engine: what computes: "auto" or a back end's name.
        precision: one that the back end can compute in; None for its default.
        faces: most faces that are made toons, 1 to 16; None for all of them in single pictures
            and 4 in `frame` and `stream`.
        guard: what is shown without a toon: "pass" (if not given), "hold", "blur" or "card".
        settings: everything at once, instead of the above (but for a loaded `Bundle`).
        every_face: in single pictures all faces are made toons, whatever `faces` says.
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
        eyes: float | None = None,
        childlike: float | None = None,
        mode: Mode | None = None,
        paint_room: bool | None = None,
        engine: str | None = None,
        precision: Precision | None = None,
        faces: int | None = None,
        guard: GuardMode | None = None,
        settings: Settings | None = None,
        every_face: bool = False,
        say: Say = say,
    ) -> None:
        bundle = model if isinstance(model, Bundle) else None
        name = None if isinstance(model, Bundle) else model
        options = {
            "model": None if name is None else str(name),
            "style": style,
            "swap": swap,
            "strength": strength,
            "eyes": eyes,
            "childlike": childlike,
            "mode": mode,
            "paint_room": paint_room,
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
        stills = EVERY_FACE if every_face or (settings is None and faces is None) else None
        if settings is None:
            settings = load_settings(
                flags=flags_of({**options, "guard": guard or "pass"}), typed=lambda name: name
            )
        self.settings = settings
        self._session = Session(settings, say, bundle, stills=stills)
        self._say = say
        self._loop: tuple[Guard, Observer] | None = None  # of `frame`, since its first one
        self._size, self._time, self._number = (0, 0), -math.inf, 0
        self._closed = False

    def __call__(self, picture: NDArray[Any]) -> Image:
        """The picture, uint8 [H, W, 3] BGR, with its faces made toons, as `image` does."""
        return self.image(picture).image

    def image(self, picture: NDArray[Any]) -> Toon:
        """A single picture with its faces made toons, or what the guard shows instead.

        All faces are searched for, also lying ones, and nothing is remembered from call to call.
        All become toons, unless `faces` or the settings name a number.

        Args:
            picture: uint8 [H, W, 3] BGR; not changed. Grey [H, W] and BGRA [H, W, 4] work too;
                their alpha is ignored, and the result is always [H, W, 3].

        Raises:
            ToonifyError: when it is not a picture, this is closed, or the engine failed.
        """
        self._check_open()
        frame = Frame(checked_bgr(picture), 0.0, 0)
        guard = self._session.guard(frame.size, still=True)
        result = self._session.observer(guard, still=True).still(frame)
        output = guard.admit(result)
        assert output  # nothing is held back for a still picture
        return self._toon(output, result, guard, alone=True)

    def frame(self, picture: NDArray[Any], timestamp: float) -> Toon:
        """The next frame of a loop of your own: faces are tracked and steadied over time.

        The first call, and one with a picture of another size, begins a new stream, whose clock
        may start anywhere. With the guard's `look_ahead` n, the result is the frame given n calls
        earlier.

        Args:
            picture: as for `image`.
            timestamp: seconds of its capture: any real number that rises from call to call.

        Returns:
            The frame with its faces made toons, or what the guard shows instead.

        Raises:
            ToonifyError: when it is not a picture, the timestamp does not rise, this is closed, or
                the engine failed.
        """
        self._check_open()
        image = checked_bgr(picture)
        if (image.shape[1], image.shape[0]) != self._size:
            self._loop = None
        time = _seconds(timestamp)
        if time is None or (self._loop is not None and time <= self._time):
            above = f" above the last one, {self._time:g}" if self._loop else ""
            raise UsageError(
                f"A timestamp must be a number of seconds{above}, not {timestamp!r}; give the "
                "moment of capture, such as time.monotonic()."
            )
        frame = Frame(image, time, self._number)
        if self._loop is None:
            self._session.reset()
            guard = self._session.guard(frame.size)
            self._loop = guard, self._session.observer(guard)
        guard, observer = self._loop
        self._size, self._time, self._number = frame.size, frame.timestamp, self._number + 1
        result = observer.observe(frame)
        output = guard.admit(result) or guard.fill(frame, frame.timestamp)
        return self._toon(output, result, guard)

    def restart(self) -> None:
        """Forget what `frame` has seen: its next call begins a new stream."""
        self._loop = None

    def stream(self, source: str | Path = "0") -> Iterator[Image]:
        """The frames of a source as the guard lets them out, uint8 [H, W, 3] BGR, one by one.

        A file gives every frame; a camera gives the newest whenever the loop asks. After it,
        `frame` starts a new stream.

        Args:
            source: a camera's index, name or path; a file, URL, folder or picture; or "demo".

        Raises:
            ToonifyError: there is no such source, it breaks off, or this is closed.
        """
        self._check_open()
        if not isinstance(source, str | Path) or not str(source).strip():
            raise UsageError(
                "source must be a camera's index, name or path, a file, URL or folder, or demo, as "
                f"text or a path, not {source!r}."
            )
        return self._stream(str(source))

    def _stream(self, source: str) -> Iterator[Image]:
        self._check_open()
        settings = replace(self.settings.source, source=source)
        opened = open_source(settings, self._say, every_frame=True)
        guard = self._session.guard(opened.size)
        observer = self._session.observer(guard)
        self._session.reset()
        self._loop = None
        try:
            for frame in opened.frames():
                self._check_open()
                if settings.mirror:
                    frame = frame.mirrored()
                output = guard.admit(observer.observe(frame))
                if output:
                    yield output.image
            for output in guard.finish():
                self._check_open()
                yield output.image
        finally:
            opened.close()

    def close(self) -> None:
        """Free the device; the object cannot be used afterwards."""
        if not self._closed:
            self._session.close()
        self._closed = True

    def __enter__(self) -> Toonifier:
        self._check_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise UsageError("This Toonifier is closed; make another one.")

    def _toon(self, output: Output, result: Result, guard: Guard, alone: bool = False) -> Toon:
        found = len(result.faces)
        visible = output.kind == "toon" and self.settings.compositing.strength > 0
        drawn = min(found, guard.max_faces) if visible else 0
        if alone and output.kind == "toon":
            return Toon(output.image, output.alpha, found, output.kind, drawn)
        # Copies, because the guard, or the caller, may use these arrays again.
        return Toon(output.image.copy(), output.alpha.copy(), found, output.kind, drawn)


def _seconds(timestamp: object) -> float | None:
    """A timestamp as a float; None if it is no number, or none that a float holds."""
    if isinstance(timestamp, bool) or not isinstance(timestamp, Real):
        return None
    try:
        seconds = float(timestamp)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


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
