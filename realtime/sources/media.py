"""A film through PyAV: a media file, or one at an address."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np

from engines.errors import reason
from engines.pictures import Image
from engines.say import Say
from realtime.addresses import redacted
from realtime.frame import Frame
from realtime.sources import SourceError
from realtime.sources.tone import is_hdr, to_bgr

LEAST_GAP = 0.3  # seconds that must be missing at its end before a file counts as cut off
LEAST_STEP = 0.001  # seconds between two timestamps
UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED


def open_media(location: str) -> Any:
    """An open container with at least one video stream.

    Raises:
        SourceError: it cannot be opened, or holds no video.
    """
    try:
        # The time-outs end the wait for a silent server; they do not matter for files.
        container = av.open(location, timeout=(10.0, 5.0))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise SourceError(f"{location} cannot be opened as a video: {reason(error)}.") from error
    if not container.streams.video:
        container.close()
        raise SourceError(f"{location} holds no video stream; give a file that has pictures.")
    container.streams.video[0].thread_type = "AUTO"
    return container


def upright(frame: Any) -> Image:
    """A decoded picture as uint8 [H, W, 3] BGR, turned as its display matrix asks.

    Colours without a stated standard count as BT.709 from HD on, as players take them, and as
    BT.601 below. A high dynamic range is brought down to the standard one.
    """
    if is_hdr(frame):
        return _turned(frame, to_bgr(frame))
    large = frame.width >= 1280 or frame.height >= 720
    unsaid = frame.colorspace == UNSPECIFIED and not frame.format.is_rgb
    image = frame.to_ndarray(format="bgr24", src_colorspace="ITU709" if large and unsaid else None)
    return _turned(frame, image)


def _turned(frame: Any, image: Image) -> Image:
    turns = round((frame.rotation or 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _stated_end(container: Any, stream: Any) -> Fraction | None:
    """When the pictures of a file should end, on their own clock, seconds; None if it is not said.

    The length of the whole file counts only if there is no sound, which may go on alone.
    """
    if tag := re.fullmatch(r"(\d+):(\d+):(\d+)\.(\d{6})\d*", stream.metadata.get("DURATION", "")):
        hours, minutes, seconds, micros = map(int, tag.groups())  # Matroska, which counts from 0
        return Fraction((hours * 60 + minutes) * 60 + seconds) + Fraction(micros, 1_000_000)
    begin = Fraction(stream.start_time or 0) * stream.time_base
    if stream.duration:
        return begin + stream.duration * Fraction(stream.time_base)
    if container.duration and len(container.streams) == 1:
        return begin + Fraction(container.duration, int(av.time_base))
    return None


class MediaSource:
    """Frames of a film, in real time or as fast as they are read.

    Attributes:
        total: number of frames as the file states or its length suggests; None if unknown.
        audio_location: where the sound that belongs to the pictures is; None if there is none.
        missing: seconds that the file states at its end but does not hold, known once `frames` has
            ended; above 0 for a file that was cut off.
        damaged: pictures that could not be decoded and were left out (only if `tolerant`).
        broken: why reading ended before the end of the file; empty if it did not (only if
            `tolerant`).
        first: number of the first frame wanted; earlier ones are decoded and skipped. May be set
            until `frames` is called.

    Args:
        tolerant: a damaged file gives what can be decoded of it, instead of an error.
        say: is told once, at the end of the file, what of a damaged one was left out.

    Raises:
        SourceError: it cannot be opened, or holds no picture.
    """

    def __init__(
        self,
        location: str,
        *,
        live: bool,
        loop: bool,
        first: int = 0,
        tolerant: bool = False,
        say: Say | None = None,
    ) -> None:
        self.name = redacted(location)
        self.live = live
        self.first = first
        self._location = location
        self._loop = loop
        self._tolerant = tolerant
        self._say = say
        self._closed = threading.Event()
        self._offset = 0.0  # seconds from media time to timestamps
        self.missing = 0.0
        self.damaged, self.broken = 0, ""
        self._fault = ""  # the first picture that could not be decoded: why
        self._latest = -float("inf")  # timestamp of the frame before
        with open_media(location) as container:
            stream = container.streams.video[0]
            try:
                picture = next(self._pictures(container, stream), None)
            except (av.error.FFmpegError, OSError) as error:
                raise SourceError(
                    f"{location} holds no picture that can be decoded ({reason(error)}); it may "
                    f"be damaged."
                ) from error
            if picture is None:
                why = f" ({self._fault}); it may be damaged" if self._fault else ""
                raise SourceError(f"{location} holds no picture that can be decoded{why}.")
            image = upright(picture)
            self.size = (image.shape[1], image.shape[0])
            self.rate = float(stream.average_rate or stream.guessed_rate or 30)
            sound = bool(container.streams.audio) and not loop
            self.audio_location: str | None = location if sound else None
            length: int | None = container.duration
            self._ends = _stated_end(container, stream)
            self.total: int | None = stream.frames or (
                round(length / int(av.time_base) * self.rate) if length else None
            )

    def frames(self) -> Iterator[Frame]:
        """Frames in order, each with its `media_time`.

        In real time a frame leaves when it is due.

        Raises:
            SourceError: it breaks off.
        """
        number = 0
        while not self._closed.is_set():
            before = number
            for frame in self._one_pass(number):
                yield frame
                number = frame.number + 1
            say, self._say = self._say, None
            if say is not None:
                for loss in self.losses():
                    say(loss)
            if not self._loop:
                return
            if number == before and not self._closed.is_set():
                raise SourceError(f"{self.name} holds no picture any more that can be decoded.")

    def losses(self) -> list[str]:
        """What of a cut-off or damaged file was left out, a sentence each; known at its end."""
        told = []
        if self.damaged:
            lost = f"{self.damaged} of its pictures cannot be decoded"
            told.append(f"{self.name} is damaged: {lost}.")
        if self.broken:
            told.append(f"{self.name} is cut off: it cannot be read to its end ({self.broken}).")
        if self.missing:
            told.append(f"{self.name} is cut off: its last {self.missing:.1f} s are missing.")
        return told

    def close(self) -> None:
        """End `frames()` after the frame in hand."""
        self._closed.set()

    def _one_pass(self, number: int) -> Iterator[Frame]:
        self.damaged, self.broken = 0, ""
        with open_media(self._location) as container:
            stream = container.streams.video[0]
            started: float | None = None
            media_time = Fraction(0)
            decoded = self._pictures(container, stream)
            while not self._closed.is_set():
                try:
                    picture = next(decoded, None)
                except (av.error.FFmpegError, OSError) as error:
                    raise SourceError(
                        f"{self.name} breaks off after {number} frames: {reason(error)}."
                    ) from error
                if picture is None:
                    if self._ends is not None and number:
                        gap = float(self._ends - media_time)
                        self.missing = gap if gap > max(LEAST_GAP, 2.5 / self.rate) else 0.0
                    return
                if picture.pts is not None:
                    media_time = picture.pts * Fraction(picture.time_base)
                if started is None:
                    started = time.monotonic() - float(media_time)
                    if number:  # the file starts again, while its clock goes on
                        self._offset = self._latest + 1 / self.rate - float(media_time)
                if self.live:
                    self._closed.wait(max(0.0, started + float(media_time) - time.monotonic()))
                timestamp = self._stamp(media_time)
                if number >= self.first:
                    image, now = upright(picture), time.monotonic()
                    yield Frame(
                        image, now if self.live else timestamp, number, media_time, captured=now
                    )
                number += 1
                media_time += 1 / Fraction(self.rate).limit_denominator(100_000)

    def _pictures(self, container: Any, stream: Any) -> Iterator[Any]:
        """Decoded pictures; if `tolerant`, what cannot be decoded is counted and left out."""
        if not self._tolerant:
            yield from container.decode(stream)
            return
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError) as error:
                self.broken = reason(error)
                return
            if packet is None:
                return
            try:
                pictures = packet.decode()
            except (av.error.FFmpegError, OSError) as error:  # it goes on with the next key frame
                self.damaged += 1
                self._fault = self._fault or reason(error)
                continue
            yield from pictures

    def _stamp(self, media_time: Fraction) -> float:
        """`media_time` on a clock that always rises, also from pass to pass of a loop and where a
        file's own times do not."""
        self._latest = max(self._offset + float(media_time), self._latest + LEAST_STEP)
        return self._latest
