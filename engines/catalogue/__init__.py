"""Models that ship with the package and models that can be downloaded."""

from __future__ import annotations

DEFAULT_BUNDLE = "film"
"""The model that runs where none is named; the recipe makes it."""
SHIPPED = (DEFAULT_BUNDLE,)
"""The models that come with the package."""
