"""Models that ship with the package and models that can be downloaded."""

from __future__ import annotations

DEFAULT_BUNDLE = "film-256"
"""The model that ships with the package and runs where none is named."""
