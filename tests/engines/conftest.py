"""A small model, in memory and on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.bundle import Bundle
from tests.engines.factory import tiny_bundle


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return tiny_bundle(styles=2)


@pytest.fixture
def saved(bundle: Bundle, tmp_path: Path) -> Path:
    bundle.save(tmp_path / "model")
    return tmp_path / "model"
