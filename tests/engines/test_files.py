"""Files appear whole or not at all, and one sentence tells what cannot be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engines.errors import ToonifyError
from engines.files import (
    UNFINISHED,
    WriteError,
    atomic_path,
    check_writable,
    taken,
    write_atomically,
)


def test_a_file_is_made_with_its_folders_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep/in/folders/a.json"
    write_atomically(path, b"old")
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new", durable=True)
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.toon"
    path.write_bytes(b"old")
    with atomic_path(path) as part:
        part.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert part.suffix == path.suffix  # libraries choose the format by it
        hidden = [entry for entry in tmp_path.iterdir() if entry != path]
        assert [entry.suffix for entry in hidden] == [UNFINISHED]
        assert [entry.name[0] for entry in hidden] == ["."]
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError("no")])
def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, stop: BaseException | type[BaseException]
) -> None:
    path = tmp_path / "a.toon"
    path.write_bytes(b"old")
    with pytest.raises((KeyboardInterrupt, ValueError)), atomic_path(path) as part:  # noqa: PT012
        part.write_bytes(b"half")
        raise stop
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match=r"a\.json cannot be written: No space left") as caught:
        write_atomically(path, b"new", durable=True)
    assert caught.value.reason == "No space left on device"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_rename_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(ToonifyError, match=r"a\.json cannot be written: disk full; give"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_place_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in ("file/a.json", "file/deep/a.json"):
        with pytest.raises(ToonifyError, match=r"cannot be written: Not a directory; give"):
            write_atomically(tmp_path / place, b"x")


def test_a_whole_folder_can_be_made(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "set") as part:
        part.mkdir()
        (part / "a").write_text("a")
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["a"]
    with pytest.raises(WriteError, match="not empty"), atomic_path(tmp_path / "set") as part:
        part.mkdir()
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "a"]


def test_a_place_is_taken_free_or_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert taken(tmp_path / "file")
    assert taken(tmp_path)
    assert not taken(tmp_path / "free")
    assert not taken(tmp_path / "file/below")
    with pytest.raises(WriteError, match=r"cannot be written: .*too long"):
        taken(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_permission_bits_are_as_asked(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        write_atomically(tmp_path / "shared", b"")
        write_atomically(tmp_path / "private", b"", mode=0o600)
    finally:
        os.umask(umask)
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["file/a.json", "file/deep/a.json", "folder"])
def test_a_place_that_will_not_be_writable_is_told_beforehand(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ToonifyError, match=r"cannot be written: .*irectory.*; give another place"):
        check_writable(tmp_path / place)
    with pytest.raises(ToonifyError):
        write_atomically(tmp_path / place, b"x")


@pytest.mark.parametrize("place", ["a.json", "file", "deep/in/folders/a.json"])
def test_asking_whether_a_place_is_writable_leaves_nothing(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("kept")
    check_writable(tmp_path / place)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "kept"
