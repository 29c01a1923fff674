"""The root of every error a user may see."""

from __future__ import annotations


class ToonifyError(Exception):
    """One sentence that says what was expected, what was found and what to do next."""
