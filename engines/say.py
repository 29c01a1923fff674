"""How a part of the program tells the user something."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]
"""Takes one line for the user, without a line break at its end."""
