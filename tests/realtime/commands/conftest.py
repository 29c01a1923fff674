"""The small model, as flags of a command."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def engine(model: Path) -> list[str]:
    """Flags for the small model."""
    return ["--model", str(model), "--engine", "torch:cpu", "--mode", "crop"]
