"""A small model on disk, the flags that name it, and a session with it; made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime.session import Session
from realtime.settings import flags_of, load_settings
from tests.engines.factory import tiny_bundle
from tests.realtime.fakes import Messages


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a few thousand random parameters, with two styles."""
    path = tmp_path_factory.mktemp("models") / "tiny.toon"
    tiny_bundle(styles=2).save(path)
    return path


@pytest.fixture(scope="session")
def engine(model: Path) -> list[str]:
    """Flags of a command for the small model."""
    return ["--model", str(model), "--engine", "torch:cpu", "--mode", "crop"]


@pytest.fixture(scope="session")
def session(model: Path) -> Iterator[Session]:
    """Real tracker, real engine (torch), real stylizer."""
    flags = flags_of({"model": str(model), "engine": "torch:cpu", "guard": "pass", "faces": 2})
    with Session(load_settings(flags=flags), Messages()) as made:
        yield made
