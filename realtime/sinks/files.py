"""Sinks that write files: a recording, a sequence of pictures, a movie with an alpha channel."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import cv2

from engines.pictures import Image
from realtime.frame import exact_rate
from realtime.guard import Output
from realtime.sinks import SinkError
from realtime.sinks.encoding import MovieWriter
from realtime.toons.matting import with_alpha

ALPHA_CODECS: dict[str, tuple[str, str, dict[str, str]]] = {
    ".mov": ("prores_ks", "yuva444p10le", {"profile": "4444"}),
    ".webm": (
        "libvpx-vp9",
        "yuva420p",
        {"deadline": "realtime", "cpu-used": "8", "crf": "24", "lag-in-frames": "0"},
    ),
}


def unused(path: Path) -> Path:
    """`path`, or the first of path-2, path-3, ... that does not exist: nothing is overwritten."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


class _Movie:
    """Common to all movies: when each picture is shown, and a fresh file after a failure."""

    live = False
    local = False
    _audio: str | None = None

    def __init__(self, path: Path, size: tuple[int, int], rate: float, *, paced: bool) -> None:
        self.name = f"movie {path}"
        self.path = path
        self._size = size
        self._rate = rate
        self._paced = paced
        self._writer: MovieWriter | None = None
        self._start = Fraction(0)
        self._count = 0

    def _time(self, output: Output) -> Fraction:
        """When a picture is shown, seconds: now if paced, else by the file's own time line; sound
        belongs to that one, however much later a picture comes out of the loop."""
        self._count += 1
        if output.media_time is not None and (self._audio or not self._paced):
            return output.media_time
        if self._paced:
            return Fraction(time.monotonic()).limit_denominator(90_000)
        return (self._count - 1) / exact_rate(self._rate)

    def _make(self) -> MovieWriter:
        """A file that begins at `_start` on the time line of the pictures."""
        raise NotImplementedError

    def open(self) -> None:
        """The file begins with the first picture."""

    def _write(self, image: Image, output: Output) -> None:
        if self._audio and output.media_time is None:
            return  # before the first picture there is no time line to follow
        shown = self._time(output)
        if self._writer is None:
            self.path = unused(self.path)  # nothing is overwritten, not even after a failure
            self._start = shown
            self._writer = self._make()
        self._writer.write(image, shown - self._start)

    def close(self) -> None:
        """Finish the file."""
        writer, self._writer = self._writer, None
        if writer:
            writer.close()


class Recording(_Movie):
    """What goes out as H.264, with the sound of a file source (`audio`: its location)."""

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: float,
        *,
        audio: str | None = None,
        paced: bool = True,
    ) -> None:
        super().__init__(path, size, rate, paced=paced)
        self._audio = audio

    def _make(self) -> MovieWriter:
        return MovieWriter(self.path, self._size, self._rate, audio=self._audio, begin=self._start)

    def send(self, output: Output) -> None:
        """Add one picture."""
        self._write(output.image, output)


class AlphaMovie(_Movie):
    """The toons alone on a clear ground, as ProRes 4444 (.mov) or VP9 (.webm)."""

    local = True  # the untooned picture is needed to take it out

    def open(self) -> None:
        """Check the suffix.

        Raises:
            SinkError: no codec for it can hold an alpha channel.
        """
        if self.path.suffix.lower() not in ALPHA_CODECS:
            raise SinkError(
                f"{self.path} cannot hold an alpha channel; end it in .mov, .webm or / (a folder)."
            )

    def _make(self) -> MovieWriter:
        codec, pixel_format, options = ALPHA_CODECS[self.path.suffix.lower()]
        return MovieWriter(
            self.path,
            self._size,
            self._rate,
            codec=codec,
            pixel_format=pixel_format,
            options=options,
        )

    def send(self, output: Output) -> None:
        """Add one picture."""
        self._write(with_alpha(output), output)


class PictureSequence:
    """frame-000001.png, ... in a folder, continuing after what is there; with alpha on request."""

    live = False

    def __init__(self, folder: Path, *, alpha: bool = False) -> None:
        self.local = alpha  # the untooned picture is needed to take it out
        self.name = f"pictures {folder}"
        self.folder = folder
        self._alpha = alpha
        self._number = 0

    def open(self) -> None:
        """Make the folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"The folder {self.folder} cannot be made: {error}.") from error
        there = [int(p.stem[6:]) for p in self.folder.glob("frame-*.png") if p.stem[6:].isdigit()]
        self._number = max(there, default=0)

    def send(self, output: Output) -> None:
        """Write one picture."""
        path = self.folder / f"frame-{self._number + 1:06d}.png"
        write_bgr_png(path, with_alpha(output) if self._alpha else output.image)
        self._number += 1

    def close(self) -> None:
        """Nothing is open between two pictures."""


def write_bgr_png(path: Path, image: Image) -> None:
    """Write uint8 [H, W, 3] BGR or [H, W, 4] BGRA as a PNG, quickly rather than small.

    Raises:
        SinkError: it cannot be written.
    """
    done, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    try:
        assert done
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SinkError(f"The picture {path} cannot be written: {error}.") from error
