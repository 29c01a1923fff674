"""A small model, in memory and on disk, and public checkpoints of its two generators."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.bundle import Bundle
from tests.engines.checkpoints import writers
from tests.engines.factory import tiny_bundle

FACE = writers.random_state(0)
TOON = {name: p + 0.01 for name, p in FACE.items()}


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return tiny_bundle(styles=2)


@pytest.fixture
def saved(bundle: Bundle, tmp_path: Path) -> Path:
    bundle.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "FFHQ 64.pkl"
    path.write_bytes(writers.nvidia_pickle(FACE))
    return path


@pytest.fixture
def toon(tmp_path: Path) -> Path:
    path = tmp_path / "cartoon.pt"
    path.write_bytes(writers.rosinality_file(TOON))
    return path
