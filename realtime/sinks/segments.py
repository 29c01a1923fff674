"""A video in segments, each a playable file of its own, so that finished work stays finished."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from engines.errors import reason
from engines.files import write_atomically
from engines.say import Say
from realtime.frame import exact_rate
from realtime.guard import Output
from realtime.sinks import SinkError
from realtime.sinks.encoding import H264, MovieWriter

SEGMENT = 150  # frames; at most so many are done again after a crash
OPTIONS = {**H264, "preset": "faster"}
JOB, LOCK, AT_HAND, TRIAL = "job.json", "lock", "unfinished.nut", "sound"
_OWN = re.compile(
    rf"segment-\d+-\d+\.nut|{AT_HAND}|{TRIAL}\.\w+|{re.escape(JOB)}|{LOCK}"
    rf"|\.{re.escape(JOB)}\..*"  # of a process that was killed while it wrote it
)
"""Names of what the folder of a video's work holds; nothing else there is touched."""


@dataclass(frozen=True)
class Part:
    """A finished segment: frames `first` to `first + count - 1`."""

    path: Path
    first: int
    count: int


@contextmanager
def workplace(folder: Path, job: dict[str, Any], say: Say) -> Iterator[None]:
    """The folder of a job's segments, made if need be, and this process's alone meanwhile.

    Segments of another job are deleted first. If the body ends well the folder is deleted, else it
    stays for the next time.

    Args:
        job: what decides what the pictures are, as JSON holds it.

    Raises:
        SinkError: it cannot be made, another process works in it, or somebody else's files lie
            there.
    """
    with _alone(folder):
        if (kept := _read_job(folder)) != job:
            if kept is not None or finished_parts(folder):
                say(f"Starting over: {folder} holds work for another input, model or settings.")
            _clear(folder)
            write_atomically(folder / JOB, json.dumps(job).encode())
        yield
        _clear(folder)
    with suppress(OSError):  # another process may have come, or a file of somebody else
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process is in the folder, which is this program's and is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(not _OWN.fullmatch(name) for name in os.listdir(folder)):
            raise SinkError(f"{folder} exists, but this command did not make it; move it away.")
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise SinkError(
            f"Another program is at work in {folder}; wait until it is done, or give another OUT."
        ) from None
    except OSError as error:
        why = os.strerror(errno.ENOTDIR) if isinstance(error, FileExistsError) else reason(error)
        raise SinkError(f"The folder {folder} cannot be made: {why}; give another OUT.") from error
    try:
        yield
    finally:
        lock.release()


def _read_job(folder: Path) -> Any:
    try:
        return json.loads((folder / JOB).read_text())
    except (OSError, ValueError):
        return None


def _clear(folder: Path) -> None:
    """Delete what this program made there, but for the lock."""
    for path in folder.iterdir():
        if _OWN.fullmatch(path.name) and path.name != LOCK:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


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
            path = self._folder / AT_HAND
            self._writer = MovieWriter(path, self._size, self._rate, options=OPTIONS)
        time = output.media_time
        if time is None:
            time = (self._first + self._count) / exact_rate(self._rate)
        self._writer.write(output.image, time)
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
