"""Two loopback devices that the tests may use as they like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from realtime import pipeline
from tests.engines.factory import tiny_bundle

NAMES = "TOONIFY_TEST_CAMERAS"
DRIVER = "TOONIFY_TEST_DRIVER"


@pytest.fixture(scope="session")
def devices() -> tuple[str, str]:
    """(what toons go to, what is filmed); skips on machines that were not prepared for it."""
    output, _, camera = os.environ.get(NAMES, "").partition(",")
    if not (Path(output).is_char_device() and Path(camera).is_char_device()):
        pytest.skip("needs v4l2loopback devices to itself: `make test-camera` runs a VM with some")
    return output, camera


@pytest.fixture(scope="session")
def driver() -> str:
    """What loads v4l2loopback again: a path and its parameters, separated by blanks."""
    return os.environ[DRIVER]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Flags of a command for a model of a few thousand random parameters."""
    path = tmp_path_factory.mktemp("models") / "tiny.toon"
    tiny_bundle().save(path)
    return ["--model", str(path), "--engine", "torch:cpu", "--mode", "crop"]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulated processor is late with all it does, and what is late would stay hidden."""
    monkeypatch.setattr(pipeline, "PATIENCE", (60.0, 60.0))
