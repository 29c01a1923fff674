"""The toon artist: an aligned portrait and its landmarks become a film-cartoon portrait."""

from __future__ import annotations

from engines.training.artist.looks import LOOKS, Look
from engines.training.artist.pipeline import toonify
from engines.training.drawing import ToonResult

__all__ = ["LOOKS", "Look", "ToonResult", "toonify"]
