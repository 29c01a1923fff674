"""Waiting for what a command in another process does."""

from __future__ import annotations

import time
from pathlib import Path


def wait_for(path: Path) -> None:
    """Until a file is there, or for two minutes."""
    deadline = time.monotonic() + 120
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
