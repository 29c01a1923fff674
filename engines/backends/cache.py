"""Built engines on disk, so that no build interrupts a call.

One file is one engine: a magic line, a line of JSON (the key, the payload's size and sha256), and
the payload. An entry whose header does not say exactly what was asked for, or whose payload does
not match its hash, is deleted and rebuilt, never handed to a back end. Files appear by an atomic
rename, and a file lock per entry lets many processes share one build. Whatever another process or
user does to a file, the result is a miss or a `BackendError`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from engines.backends.keys import EngineKey
from engines.backends.protocol import BackendError
from engines.errors import reason
from engines.files import UNFINISHED, WriteError, write_atomically
from engines.say import Say

MAGIC = b"toonify engine 1\n"
HEADER_LIMIT = 64 * 1024
SIZE_LIMIT = 8 << 30
"""Bytes kept on disk; the engines unused for longest go first (a blend slider makes many)."""

UNFINISHED_SECONDS = 3600
"""What is unfinished for longer than this was left by a process that died."""
T = TypeVar("T")


class EngineLoadError(BackendError):
    """An engine whose file is sound, but which its library refuses."""


class CacheWriteError(BackendError):
    """The cache cannot be written."""


@dataclass(frozen=True)
class CachedEngine:
    """One entry as `toonify engines list` shows it.

    Attributes:
        size: bytes on disk.
        used: seconds since the epoch, of the last build or load.
    """

    key: EngineKey
    path: Path
    size: int
    used: float


def cache_directory(directory: Path | None = None) -> Path:
    """Where engines are kept: the argument, else TOONIFY_CACHE, else the user's cache folder."""
    if directory is not None:
        return directory
    root = os.environ.get("TOONIFY_CACHE")
    return (Path(root) if root else user_cache_path("toonify", appauthor=False)) / "engines"


class EngineCache:
    """The engines in one directory (made when the first one is stored)."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = cache_directory(directory)

    def path(self, key: EngineKey) -> Path:
        return self.directory / f"{key.backend}-{key.digest}.engine"

    def load(self, key: EngineKey) -> bytes | None:
        """The payload stored under `key`, or None; a damaged or foreign entry is deleted."""
        path = self.path(key)
        try:
            with path.open("rb") as file:
                header = _read_header(file.readline, file.readline)
                payload = file.read()
        except OSError:
            return None
        except ValueError:
            header, payload = None, b""
        if header is None or not _matches(header, key, payload):
            self.drop(key)
            return None
        with suppress(OSError):  # another user's file, or just evicted; the payload is good
            os.utime(path)
        return payload

    def holds(self, key: EngineKey) -> bool:
        """Whether there is an entry under `key`, good or damaged."""
        return os.path.exists(self.path(key))

    def drop(self, key: EngineKey) -> None:
        """Deletes the entry under `key`, if there is one and this user may."""
        with suppress(OSError):
            self.path(key).unlink()

    def store(self, key: EngineKey, payload: bytes) -> Path:
        """Write `payload` under `key`, whole or not at all; returns its path.

        Raises:
            BackendError: when it cannot be written.
        """
        header = {
            **asdict(key),
            "size": len(payload),
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
        path = self.path(key)
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            start = MAGIC + json.dumps(header).encode() + b"\n"
            write_atomically(path, start + payload, durable=True, mode=0o600)
        except (OSError, WriteError) as error:
            why = error.reason if isinstance(error, WriteError) else reason(error)
            raise CacheWriteError(
                f"The engine could not be saved in {self.directory} ({why}): free space there, or "
                "name another folder with TOONIFY_CACHE."
            ) from error
        self._evict(keep=path)
        return path

    def get_or_build(
        self, key: EngineKey, build: Callable[[], bytes], say: Say
    ) -> tuple[bytes, bool]:
        """(payload, whether it was built now); one process builds while the others wait for it."""
        payload = self.load(key)
        if payload is not None:
            return payload, False
        with self._lock(key, say):
            payload = self.load(key)
            if payload is not None:
                return payload, False
            payload = build()
            self.store(key, payload)
            return payload, True

    def load_or_build(
        self,
        key: EngineKey,
        build: Callable[[], bytes],
        load: Callable[[bytes], T],
        say: Say,
    ) -> T:
        """What `load` makes of the payload; a stored one that it refuses is deleted and rebuilt.

        If the cache cannot be written, the engine is built for this process alone, and `say` tells.

        Args:
            load: raises `EngineLoadError` when a new build may help.
        """
        build = functools.cache(build)  # not a second time if the first one cannot be saved
        try:
            return self._load_kept(key, build, load, say)
        except CacheWriteError as error:
            say(f"The {key.backend} engine is built for this run only: {error}")
            return load(build())

    def _load_kept(
        self, key: EngineKey, build: Callable[[], bytes], load: Callable[[bytes], T], say: Say
    ) -> T:
        payload, built = self.get_or_build(key, build, say)
        try:
            return load(payload)
        except EngineLoadError as error:
            if built:
                raise
            say(f"The saved {key.backend} engine does not load, so it is built again: {error}")
        self.drop(key)
        return load(self.get_or_build(key, build, say)[0])

    @contextmanager
    def _lock(self, key: EngineKey, say: Say) -> Iterator[None]:
        locks = self.directory / "locks"
        try:
            locks.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(locks / f"{key.digest}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                say(f"Waiting for another program that is building the same {key.backend} engine.")
                lock.acquire()
        except OSError as error:
            raise CacheWriteError(
                f"The engine cache {self.directory} cannot be written ({reason(error)}): name "
                "another folder with TOONIFY_CACHE."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def entries(self) -> Iterator[CachedEngine]:
        """Every readable entry, the most recently used first."""
        found = []
        for path in self.directory.glob("*.engine"):
            try:
                with path.open("rb") as file:
                    header = _read_header(file.readline, file.readline)
                key = EngineKey(**{name: str(header[name]) for name in EngineKey.__annotations__})
                status = path.stat()
            except (OSError, ValueError, KeyError):
                continue
            found.append(CachedEngine(key, path, status.st_size, status.st_mtime))
        return iter(sorted(found, key=lambda entry: -entry.used))

    def _evict(self, keep: Path) -> None:
        total = 0
        for entry in self.entries():
            total += entry.size
            if total > SIZE_LIMIT and entry.path != keep:
                self.drop(entry.key)
        with suppress(OSError):
            _sweep(self.directory)


def list_engines(cache_dir: Path | None = None) -> list[CachedEngine]:
    """The engines on disk, the most recently used first."""
    return list(EngineCache(cache_dir).entries())


def clear_engines(cache_dir: Path | None = None) -> int:
    """Delete every engine on disk, readable or not; returns the bytes freed.

    Raises:
        BackendError: one of them cannot be deleted.
    """
    directory = cache_directory(cache_dir)
    try:
        freed = sum(_delete(path) for path in directory.glob("*.engine"))
        return freed + _sweep(directory)
    except OSError as error:
        raise BackendError(
            f"The engines in {directory} could not all be deleted ({reason(error)}): close the "
            "programs that use them, or delete them as the user who built them."
        ) from error


def _sweep(directory: Path) -> int:
    """Delete what dead processes left unfinished; returns the bytes freed."""
    oldest = time.time() - UNFINISHED_SECONDS
    freed = 0
    for path in directory.glob(f"*{UNFINISHED}"):
        with suppress(FileNotFoundError):
            if not path.is_dir():
                freed += _delete(path, oldest)
            elif path.stat().st_mtime < oldest:
                freed += sum(_delete(part, oldest) for part in path.iterdir())
                with suppress(OSError):  # something in it is young
                    path.rmdir()
    return freed


def _delete(path: Path, before: float = math.inf) -> int:
    """Deletes a file last written before that time, and returns its size; 0 if it is gone."""
    try:
        status = path.stat()
        if status.st_mtime >= before:
            return 0
        path.unlink()
    except FileNotFoundError:
        return 0
    return status.st_size


def _read_header(*lines: Callable[[int], bytes]) -> dict[str, object]:
    magic, text = (line(HEADER_LIMIT) for line in lines)
    if magic != MAGIC:
        raise ValueError("not an engine of this format")
    header = json.loads(text)
    if not isinstance(header, dict):
        raise ValueError("the header is not a table")
    return header


def _matches(header: dict[str, object], key: EngineKey, payload: bytes) -> bool:
    fields = asdict(key)
    return (
        {name: header.get(name) for name in fields} == fields
        and header.get("size") == len(payload)
        and header.get("sha256") == hashlib.sha256(payload).hexdigest()
    )
