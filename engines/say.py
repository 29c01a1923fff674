"""The callback through which code tells the user one line."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]
"""Takes one line for the user."""
