"""The 3D artist: a photo portrait drawn as a character of an animated film."""

from __future__ import annotations

from engines.training.artist3d.looks import LOOKS, Look
from engines.training.artist3d.pipeline import toonify
from engines.training.drawing import ArtistError, ToonResult

__all__ = ["LOOKS", "ArtistError", "Look", "ToonResult", "toonify"]
