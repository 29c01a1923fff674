"""Files that appear whole or not at all, and the sentence for those that cannot be written.

A new file is written into a hidden folder beside its place and renamed into place at the end. A
reader, or a program that starts after a crash, sees the old file or the new one, never a part.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.errors import ToonifyError, reason

UNFINISHED = ".part"
"""How the name of the hidden folder ends. A killed process may leave one behind."""


class WriteError(ToonifyError):
    """A file that cannot be written.

    Attributes:
        reason: the cause, for the middle of a sentence.
    """

    def __init__(self, path: Path, error: OSError) -> None:
        self.reason = reason(error)
        super().__init__(f"{path} cannot be written: {self.reason}; give another place.")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path of the same name; what is made there moves to `path` when the body ends.

    The folders above `path` are made if need be. If the body or the move fails, `path` stays as it
    was and nothing else remains. A file that exists is replaced; a folder is replaced only while
    it is empty.

    Args:
        path: where the file or folder will be.

    Raises:
        WriteError: for every `OSError`, also one of the body.
    """
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError:  # the system's words for a file where a folder should be
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        with tempfile.TemporaryDirectory(
            suffix=UNFINISHED, prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True
        ) as room:
            part = Path(room) / path.name
            yield part
            os.replace(part, path)
    except OSError as error:
        raise WriteError(path, error) from error


def write_atomically(path: Path, data: bytes, *, durable: bool = False, mode: int = 0o666) -> None:
    """Write a file, atomically as in `atomic_path`.

    Args:
        path: where the file will be.
        data: its content.
        durable: wait until the data is on the disk, so that the file survives a power cut whole.
        mode: permission bits of the new file, less the process's umask.

    Raises:
        WriteError: when the file cannot be written.
    """
    with atomic_path(path) as part:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())


_BINARY = getattr(os, "O_BINARY", 0)  # without it, Windows would change line endings


def taken(path: Path) -> bool:
    """Whether something is at `path` already.

    Raises:
        WriteError: the system does not say: the name is too long, or a folder may not be entered.
    """
    try:
        return path.exists()
    except OSError as error:
        raise WriteError(path, error) from error


def check_writable(path: Path) -> None:
    """Check, leaving nothing behind, that a file can be made at `path`, also in new folders.

    Raises:
        WriteError: when it cannot.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        place = next(folder for folder in path.absolute().parents if folder.exists())
        trial = place / f".toonify.{os.getpid()}"
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise WriteError(path, error) from error
