from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import engines
from engines.backends import cache as cache_module
from engines.backends.cache import (
    MAGIC,
    EngineCache,
    EngineKey,
    EngineLoadError,
    cache_directory,
    clear_engines,
    list_engines,
    model_hash,
)
from engines.backends.protocol import BackendError
from engines.networks.encoder import Encoder
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from engines.networks.toon import ToonNetwork

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
def test_damaged_or_foreign_entry_is_rebuilt(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
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
    assert lines == ["Waiting for another program that builds the same openvino engine."]


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


def test_model_hash_sees_every_weight(tiny: ToonNetwork, other_tiny: ToonNetwork) -> None:
    before = model_hash(tiny)
    assert before == model_hash(tiny)
    assert before != model_hash(other_tiny)
    bias = tiny.synthesis.b4.torgb.bias
    bias[0] += 1e-6
    changed = model_hash(tiny)
    bias[0] -= 1e-6
    assert changed != before


def test_model_hash_sees_the_clamp(plain: ToonNetwork) -> None:
    def network(clamp: float | None) -> ToonNetwork:
        torch.manual_seed(0)
        config: GeneratorConfig = replace(plain.synthesis.config, conv_clamp=clamp)
        return ToonNetwork(Encoder(plain.encoder.config), Generator(config))

    assert model_hash(network(256.0)) == model_hash(network(256.0))
    assert model_hash(network(256.0)) != model_hash(network(None))


@pytest.mark.parametrize("source", ["networks/toon.py", "backends/prepare.py", "backends/rtx.py"])
def test_model_hash_sees_the_code(
    plain: ToonNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    before = model_hash(plain)
    for package in ("networks", "backends"):
        shutil.copytree(Path(engines.__file__).parent / package, tmp_path / package)
    monkeypatch.setattr(
        cache_module.resources, "files", lambda package: tmp_path / package.split(".")[1]
    )
    with (tmp_path / source).open("a") as file:
        file.write("# mended\n")
    assert model_hash(plain) == before  # this process runs the old code
    cache_module._code.cache_clear()
    assert model_hash(plain) != before
    cache_module._code.cache_clear()


def refuse(payload: bytes) -> str:
    if payload == b"old":
        raise EngineLoadError("old driver.")
    return payload.decode()


def test_a_kept_engine_that_does_not_load_is_built_once_more(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"old")
    lines: list[str] = []
    assert cache.load_or_build(KEY, lambda: b"new", refuse, lines.append) == "new"
    assert lines == ["The kept openvino engine does not load and is built anew: old driver."]
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
