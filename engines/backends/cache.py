"""Built engines on disk, so that a build never surprises in mid-call.

One file is one engine: a magic line, a line of JSON (the key, the payload's size and sha256), and
the payload. An entry whose header does not say exactly what was asked for, or whose payload does
not match its hash, is deleted and rebuilt, never handed to a back end. Files appear by an atomic
rename, and a file lock per entry lets many processes share one build.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from engines.backends.protocol import BackendError, Report

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

MAGIC = b"toonify engine 1\n"
HEADER_LIMIT = 64 * 1024
SIZE_LIMIT = 8 << 30
"""Bytes kept on disk; the engines unused for longest go first (a blend slider makes many)."""


@dataclass(frozen=True)
class EngineKey:
    """Everything that decides whether a built engine may be used again."""

    model: str
    """`model_hash` of the network"""
    backend: str
    version: str
    """of the library that built it"""
    target: str
    """GPU compute capability, or the CPU with its instruction set"""
    shape: str
    """of the crops, e.g. 1..4x256x256x3"""
    precision: str

    @property
    def digest(self) -> str:
        canonical = json.dumps(asdict(self), sort_keys=True).encode()
        return hashlib.sha256(canonical).hexdigest()[:32]


@dataclass(frozen=True)
class CachedEngine:
    """One entry as `toonify engines list` shows it."""

    key: EngineKey
    path: Path
    size: int
    """bytes on disk"""
    used: float
    """seconds since the epoch, of the last build or load"""


def cache_directory(directory: Path | None = None) -> Path:
    """Where engines are kept: the argument, else TOONIFY_CACHE, else the user's cache folder."""
    if directory is not None:
        return directory
    root = os.environ.get("TOONIFY_CACHE")
    return (Path(root) if root else user_cache_path("toonify", appauthor=False)) / "engines"


def model_hash(network: ToonNetwork) -> str:
    """sha256 (hex) over the weights, the module tree and the code that gives them their meaning."""
    digest = hashlib.sha256(metadata.version("toonify-live").encode())
    sources = resources.files("engines.networks").iterdir()
    for source in sorted(sources, key=lambda item: item.name):
        if source.name.endswith(".py"):
            digest.update(source.read_bytes())
    digest.update(repr(network).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()


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
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            header, payload = None, b""
        if header is None or not _matches(header, key, payload):
            path.unlink(missing_ok=True)
            return None
        os.utime(path)
        return payload

    def store(self, key: EngineKey, payload: bytes) -> Path:
        """Writes `payload` under `key`; the entry is there whole or not at all."""
        header = {
            **asdict(key),
            "size": len(payload),
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
        path = self.path(key)
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self.directory, delete=False) as file:
                try:
                    file.write(MAGIC + json.dumps(header).encode() + b"\n")
                    file.write(payload)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.unlink(file.name)
                    raise
            os.replace(file.name, path)
        except OSError as error:
            raise BackendError(
                f"The engine could not be kept in {self.directory} ({error.strerror}): free space "
                "there, or name another folder with TOONIFY_CACHE."
            ) from error
        self._evict(keep=path)
        return path

    def get_or_build(
        self, key: EngineKey, build: Callable[[], bytes], report: Report
    ) -> tuple[bytes, bool]:
        """(payload, whether it was built now); one process builds while the others wait for it."""
        payload = self.load(key)
        if payload is not None:
            return payload, False
        locks = self.directory / "locks"
        try:
            locks.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(locks / f"{key.digest}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                report(f"Waiting for another program that builds the same {key.backend} engine.")
                lock.acquire()
        except OSError as error:
            raise BackendError(
                f"The engine cache {self.directory} cannot be written ({error.strerror}): name "
                "another folder with TOONIFY_CACHE."
            ) from error
        try:
            payload = self.load(key)
            if payload is not None:
                return payload, False
            payload = build()
            self.store(key, payload)
            return payload, True
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
                entry.path.unlink(missing_ok=True)


def list_engines(cache_dir: Path | None = None) -> list[CachedEngine]:
    """The engines on disk, the most recently used first."""
    return list(EngineCache(cache_dir).entries())


def clear_engines(cache_dir: Path | None = None) -> int:
    """Deletes every engine on disk, readable or not; returns how many bytes that freed."""
    freed = 0
    for path in cache_directory(cache_dir).glob("*.engine"):
        freed += path.stat().st_size
        path.unlink(missing_ok=True)
    return freed


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
