"""Whatever happens to the cache's files, an engine is a miss, or one sentence tells why not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engines.backends import cache as cache_module
from engines.backends.cache import EngineCache, clear_engines
from engines.backends.protocol import BackendError
from tests.engines.backends.test_cache import KEY, never, silent


def deny(*arguments: Any, **options: Any) -> Any:
    raise PermissionError(13, "Permission denied")


def vanish(*arguments: Any, **options: Any) -> Any:
    raise FileNotFoundError(2, "No such file or directory")


@pytest.mark.parametrize("error", [deny, vanish])
def test_an_entry_whose_age_cannot_be_noted_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"plan")
    monkeypatch.setattr(os, "utime", error)
    assert cache.load(KEY) == b"plan"


def test_what_another_user_keeps_to_himself_is_a_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = EngineCache(tmp_path)
    path = cache.store(KEY, b"plan")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", deny)
        patch.setattr(Path, "unlink", deny)
        assert cache.load(KEY) is None
        patch.setattr(Path, "mkdir", deny)
        with pytest.raises(BackendError, match=r"cannot be written \(Permission denied\): name"):
            cache.get_or_build(KEY, never, silent)
    path.write_bytes(b"damaged")
    monkeypatch.setattr(Path, "unlink", deny)
    assert cache.load(KEY) is None


def test_engines_that_cannot_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EngineCache(tmp_path)
    os.utime(cache.store(KEY, bytes(1000)), (1, 1))
    monkeypatch.setattr(cache_module, "SIZE_LIMIT", 1)
    monkeypatch.setattr(Path, "unlink", deny)
    newer = cache.store(replace(KEY, target="sm86"), b"plan")
    assert newer.exists()
    with pytest.raises(BackendError, match=r"could not all be deleted \(Permission denied\)"):
        clear_engines(tmp_path)
    monkeypatch.setattr(Path, "unlink", vanish)
    assert clear_engines(tmp_path) == 0


def test_a_write_that_is_stopped_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []

    def stop(descriptor: int) -> None:
        names.extend(path.name for path in tmp_path.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        EngineCache(tmp_path).store(KEY, b"plan")
    assert [name.endswith(cache_module.UNFINISHED) for name in names] == [True]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("clear", [True, False])
def test_what_a_killed_write_left_is_swept_when_old(tmp_path: Path, clear: bool) -> None:
    old, young = tmp_path / "a.part", tmp_path / "b.part"
    for path in (old, young):
        path.write_bytes(bytes(100))
    os.utime(old, (1, 1))
    if clear:
        assert clear_engines(tmp_path) == 100
    else:
        EngineCache(tmp_path).store(KEY, b"plan")
    assert not old.exists()
    assert young.exists()


def test_an_old_unfinished_folder_goes_with_what_is_in_it(tmp_path: Path) -> None:
    old, young = (tmp_path / f".{name}.engine.x{cache_module.UNFINISHED}" for name in "ab")
    for folder in (old, young):
        folder.mkdir()
        (folder / "a.engine").write_bytes(bytes(100))
    os.utime(old / "a.engine", (1, 1))
    os.utime(old, (1, 1))
    assert clear_engines(tmp_path) == 100
    assert list(tmp_path.iterdir()) == [young]
    assert list(young.iterdir())


def test_failed_write_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BackendError, match="No space left on device"):
        cache.store(KEY, b"new")
    assert cache.load(KEY) == b"old"
    assert [path.name for path in tmp_path.iterdir()] == [cache.path(KEY).name]


@pytest.mark.parametrize("broken", ["mkdir", "replace"])
def test_where_nothing_can_be_kept_an_engine_is_built_for_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    owner: Any = Path if broken == "mkdir" else os
    monkeypatch.setattr(owner, broken, deny)
    builds: list[bytes] = []
    lines: list[str] = []

    def build() -> bytes:
        builds.append(b"plan")
        return b"plan"

    cache = EngineCache(tmp_path / "cache")
    assert cache.load_or_build(KEY, build, bytes.decode, lines.append) == "plan"
    assert len(builds) == 1
    (line,) = lines
    assert line.startswith("The openvino engine is built for this run only: ")
    assert "(Permission denied): " in line
    assert "TOONIFY_CACHE" in line
