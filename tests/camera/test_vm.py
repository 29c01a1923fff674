"""Where there can be no virtual machine, `make test-camera` says what is missing and goes on."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.camera import vm


def test_missing_programs_are_named_by_their_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = {tool: f"/bin/{tool}" for tool in vm.TOOLS if tool not in ("busybox", "modprobe")}
    monkeypatch.setattr(shutil, "which", here.get)
    monkeypatch.setattr(sys, "argv", ["vm"])
    assert vm.main() == 0
    said = capsys.readouterr().err
    assert said.startswith("SKIPPED: the tests with real cameras did not run: ")
    assert "apt-get install busybox-static kmod`" in said


def test_missing_headers_and_a_failed_download_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: f"/bin/{tool}")
    monkeypatch.setattr(vm, "HEADERS", tmp_path)
    monkeypatch.setattr(vm, "BUILD", tmp_path / "build")
    with pytest.raises(vm.MissingError, match="apt-get install linux-headers-amd64"):
        vm.prepare()
    (tmp_path / "linux-headers-1.2.3-amd64").mkdir()
    monkeypatch.setattr(vm, "_run", lambda command, folder: _fail(command))
    with pytest.raises(vm.MissingError, match=r"linux-image-1\.2\.3-amd64"):
        vm.prepare()
    assert list((tmp_path / "build").iterdir()) == []
    done = tmp_path / "build/1.2.3-amd64/v4l2loopback.ko"
    done.parent.mkdir()
    done.touch()
    assert vm.prepare() == "1.2.3-amd64"


def _fail(command: list[str]) -> None:
    raise vm.MissingError(f"`{' '.join(command)}` failed: no network")
