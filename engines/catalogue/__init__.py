"""Models that ship with the package and models that can be downloaded."""

from __future__ import annotations

DEFAULT_BUNDLE = "film-256"
"""The model that runs where none is named."""
FAST_BUNDLE = "film-fast"
"""The other one: larger eyes and a softer face in less than half the time; the recipe makes it."""
SHIPPED = (DEFAULT_BUNDLE, FAST_BUNDLE)
"""The models that come with the package."""
