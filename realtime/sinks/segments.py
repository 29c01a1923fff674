"""A video in segments, each a playable file of its own, so that finished work stays finished."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from realtime.guard import Output
from realtime.sinks.encoding import H264, MovieWriter

SEGMENT = 150  # frames; at most so many are done again after a crash
OPTIONS = {**H264, "preset": "faster"}


@dataclass(frozen=True)
class Part:
    """A finished segment: frames `first` to `first + count - 1`."""

    path: Path
    first: int
    count: int


def finished_parts(folder: Path) -> list[Part]:
    """The segments without a gap from frame 0."""
    parts: list[Part] = []
    done = 0
    for path in sorted(folder.glob("segment-*.nut")):
        match = re.fullmatch(r"segment-(\d+)-(\d+)", path.stem)
        if match and int(match[1]) == done:
            parts.append(Part(path, done, int(match[2])))
            done += int(match[2])
    return parts


class Segments:
    """A sink that writes segments into a folder, each renamed into place once it is whole.

    Args:
        size: (width, height) of the pictures.
        rate: pictures a second, for those without a time of their own.
        first: number of the first picture.
    """

    live = False
    local = False

    def __init__(self, folder: Path, size: tuple[int, int], rate: float, first: int) -> None:
        self.name = f"folder {folder}"
        self._folder = folder
        self._size = size
        self._rate = rate
        self._first = first
        self._count = 0
        self._writer: MovieWriter | None = None

    def open(self) -> None:
        """Nothing to do: a file begins with its first frame."""

    def send(self, output: Output) -> None:
        """Add the next frame."""
        if self._writer is None:
            path = self._folder / "unfinished.nut"
            self._writer = MovieWriter(path, self._size, self._rate, options=OPTIONS)
        step = Fraction(self._rate).limit_denominator(1001)
        time = output.media_time
        self._writer.write(
            output.image, (self._first + self._count) / step if time is None else time
        )
        self._count += 1
        if self._count == SEGMENT:
            self.close()

    def close(self) -> None:
        """Finish the segment at hand."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.close()
        name = f"segment-{self._first:08d}-{self._count}.nut"
        os.replace(writer.path, self._folder / name)
        self._first += self._count
        self._count = 0
