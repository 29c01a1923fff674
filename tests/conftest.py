"""Fixtures shared by every test."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of evaluation material beside the checkout; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"no evaluation material beside the checkout ({SHARED.name}/)")
    return SHARED
