"""Standard output and error of a command, when they are closed, full or a pipe that nobody reads.

Messages that cannot be written are dropped: they must not stop the work. Results on standard output
that cannot be written are an error.
"""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from engines.errors import reason

NATIVE_LOG = re.compile(
    rb"[IWEF]\d{4} \d\d:\d\d:\d+\.|(INFO|WARNING): |WARNING: All log messages before absl|ALSA lib "
)
"""How the log lines of MediaPipe, Abseil, TensorFlow Lite and ALSA begin."""


@contextmanager
def tolerant_streams() -> Iterator[None]:
    """In the body of a `with`, `sys.stderr` never fails and a failure of `sys.stdout` is noted."""
    out, err = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        sys.stderr = cast("TextIO", _Tolerant(err or nowhere))
        sys.stdout = cast("TextIO", _Noting(out or _Closed()))
        try:
            yield
        finally:
            sys.stdout, sys.stderr = out, err


@contextmanager
def without_native_logs() -> Iterator[None]:
    """In the body of a `with`, log lines of native libraries do not reach standard error.

    MediaPipe writes them past Python, at any time and from any thread, and has no switch for that.
    So descriptor 2 leads through a filter, while `sys.stderr` writes to where it led before.
    """
    try:
        real = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    receiving, sending = os.pipe()
    os.set_blocking(sending, False)  # a full pipe costs a log line, and never stops the program
    before = sys.stderr
    try:
        direct = before is not None and before.fileno() == 2
    except (OSError, ValueError):  # it is no file
        direct = False
    if direct:
        before.flush()
        sys.stderr = open(  # noqa: SIM115
            os.dup(real), "w", buffering=1, encoding=before.encoding, errors="backslashreplace"
        )
    os.dup2(sending, 2)
    os.close(sending)
    thread = threading.Thread(target=_pass_on, args=(receiving, real), daemon=True)
    thread.start()
    try:
        yield
    finally:
        if direct:
            with suppress(OSError, ValueError):
                sys.stderr.close()
            sys.stderr = before
        os.dup2(real, 2)
        thread.join(1.0)  # a child process may still hold the other end


def _pass_on(receiving: int, real: int) -> None:
    """Copy lines from one descriptor to another, except for logs; closes both at the end."""
    with open(receiving, "rb") as lines, suppress(OSError):
        for line in lines:
            if not NATIVE_LOG.match(line):
                os.write(real, line)
    os.close(real)


def why_unwritable() -> str:
    """Why standard output could not be written, or "" if it could; what it holds is thrown away."""
    error = getattr(sys.stdout, "failure", None)
    if error is None:
        return ""
    discard(sys.stdout)
    return reason(error)


def discard(stream: TextIO) -> None:
    """Throw away what a stream holds; without this, Python would fail when it flushes at exit."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # it has no descriptor
            target = stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, target)
            os.close(nowhere)


class _Tolerant:
    """A stream that drops what cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):  # the latter when it is closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        discard(self._stream)


class _Noting:
    """A stream that keeps the last `OSError` it raised as `failure`."""

    failure: OSError | None = None

    def __init__(self, stream: TextIO | _Closed) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._noted():
            return self._stream.write(text)

    def flush(self) -> None:
        with self._noted():
            self._stream.flush()

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error
            raise


class _Closed(io.TextIOBase):
    """Stands for a standard output that is closed."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "it is closed")
