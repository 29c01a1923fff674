"""Built engines are kept, checked, shared between processes and evicted."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engines.backends import cache as cache_module
from engines.backends.cache import (
    MAGIC,
    EngineCache,
    EngineLoadError,
    cache_directory,
    clear_engines,
    list_engines,
)
from engines.backends.keys import EngineKey
from engines.backends.protocol import BackendError

KEY = EngineKey("0" * 64, "openvino", "1.0", "sm89", "1..4x64x64x3", "fp16")


def never() -> bytes:
    raise AssertionError("a stored engine was built again")


def silent(line: str) -> None:
    raise AssertionError(f"nothing was to be said, but: {line}")


def test_directory_argument_then_environment_then_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOONIFY_CACHE", str(tmp_path / "env"))
    assert cache_directory(tmp_path) == tmp_path
    assert cache_directory() == tmp_path / "env" / "engines"
    monkeypatch.delenv("TOONIFY_CACHE")
    assert cache_directory().parts[-2:] == ("toonify", "engines")


def test_built_once_then_loaded(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    assert cache.get_or_build(KEY, lambda: b"plan", silent) == (b"plan", True)
    assert cache.get_or_build(KEY, never, silent) == (b"plan", False)


@pytest.mark.parametrize("field", ["model", "backend", "version", "target", "shape", "precision"])
def test_every_field_of_the_key_counts(tmp_path: Path, field: str) -> None:
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"plan")
    assert cache.load(replace(KEY, **{field: "other"})) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:-4] + b"evil",
        lambda data: data.replace(b"sm89", b"sm86"),
        lambda data: b"",
        lambda data: MAGIC,
        lambda data: MAGIC + b"[]\nplan",
        lambda data: MAGIC + b"{not json\nplan",
        lambda data: b"\x80\x04" + data,
    ],
)
def test_damaged_or_foreign_entry_is_rebuilt(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    cache = EngineCache(tmp_path)
    path = cache.store(KEY, b"a plan")
    path.write_bytes(damage(path.read_bytes()))
    assert cache.load(KEY) is None
    assert not path.exists()
    assert cache.get_or_build(KEY, lambda: b"new", silent) == (b"new", True)


def test_entry_of_another_key_under_this_name_is_foreign(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    other = cache.store(replace(KEY, target="sm86"), b"plan")
    other.rename(cache.path(KEY))
    assert cache.load(KEY) is None


def test_header_names_the_key_and_the_hash(tmp_path: Path) -> None:
    path = EngineCache(tmp_path).store(KEY, b"plan")
    magic, header, payload = path.read_bytes().split(b"\n", 2)
    assert magic + b"\n" == MAGIC
    assert json.loads(header)["target"] == "sm89"
    assert json.loads(header)["sha256"] == hashlib.sha256(payload).hexdigest()


def test_failed_build_stores_nothing_and_frees_the_lock(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)

    def fail() -> bytes:
        raise BackendError("no")

    with pytest.raises(BackendError, match="no"):
        cache.get_or_build(KEY, fail, silent)
    assert cache.get_or_build(KEY, lambda: b"plan", silent) == (b"plan", True)


def test_concurrent_callers_share_one_build(tmp_path: Path) -> None:
    builds: list[int] = []
    lines: list[str] = []
    building = threading.Event()

    def slow() -> bytes:
        builds.append(1)
        building.set()
        time.sleep(0.2)
        return b"plan"

    results: list[tuple[bytes, bool]] = []

    def call() -> None:
        results.append(EngineCache(tmp_path).get_or_build(KEY, slow, lines.append))

    first = threading.Thread(target=call)
    first.start()
    assert building.wait(5)
    second = threading.Thread(target=call)
    second.start()
    first.join()
    second.join()
    assert builds == [1]
    assert sorted(results) == [(b"plan", False), (b"plan", True)]
    assert lines == ["Waiting for another program that is building the same openvino engine."]


def test_list_and_clear(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    older, newer = replace(KEY, target="sm86"), replace(KEY, target="sm120")
    os.utime(cache.store(older, b"1" * 10), (1, 1))
    cache.store(newer, b"2" * 20)
    (tmp_path / "stray.engine").write_bytes(b"not an engine")
    entries = list_engines(tmp_path)
    assert [entry.key for entry in entries] == [newer, older]
    assert entries[1].size == cache.path(older).stat().st_size
    total = sum(path.stat().st_size for path in tmp_path.glob("*.engine"))
    assert clear_engines(tmp_path) == total
    assert list_engines(tmp_path) == []
    assert list(tmp_path.glob("*.engine")) == []


def test_least_recently_used_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EngineCache(tmp_path)
    keys = [replace(KEY, target=name) for name in ("a", "b", "c")]
    for age, key in enumerate(keys):
        os.utime(cache.store(key, bytes(1000)), (age + 1, age + 1))
    cache.load(keys[0])
    size = cache.path(keys[0]).stat().st_size
    monkeypatch.setattr(cache_module, "SIZE_LIMIT", 3.5 * size)
    cache.store(KEY, bytes(1000))
    assert [cache.load(key) is not None for key in (*keys, KEY)] == [True, False, True, True]


def refuse(payload: bytes) -> str:
    if payload == b"old":
        raise EngineLoadError("old driver.")
    return payload.decode()


def test_a_kept_engine_that_does_not_load_is_built_once_more(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"old")
    lines: list[str] = []
    assert cache.load_or_build(KEY, lambda: b"new", refuse, lines.append) == "new"
    assert lines == ["The saved openvino engine does not load, so it is built again: old driver."]
    assert cache.load_or_build(KEY, never, refuse, silent) == "new"


def test_a_new_engine_that_does_not_load_is_not_built_again(tmp_path: Path) -> None:
    builds: list[bytes] = []

    def build() -> bytes:
        builds.append(b"old")
        return b"old"

    with pytest.raises(EngineLoadError, match="old driver"):
        EngineCache(tmp_path).load_or_build(KEY, build, refuse, silent)
    assert builds == [b"old"]


def test_what_another_build_would_not_mend_keeps_the_engine(tmp_path: Path) -> None:
    def fail(payload: bytes) -> None:
        raise BackendError("The GPU's memory is full.")

    cache = EngineCache(tmp_path)
    cache.store(KEY, b"plan")
    with pytest.raises(BackendError, match="memory is full"):
        cache.load_or_build(KEY, never, fail, silent)
    assert cache.load(KEY) == b"plan"
