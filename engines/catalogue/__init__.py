"""Models that ship with the package and models that can be downloaded."""

from __future__ import annotations

DEFAULT_BUNDLE = "film"
"""The model that runs where none is named; the recipe makes it."""
EARLIER_BUNDLE = "film-256"
"""The one before it, with a film style nearer to the photo and a comic one; takes longer."""
SHIPPED = (DEFAULT_BUNDLE, EARLIER_BUNDLE)
"""The models that come with the package."""
