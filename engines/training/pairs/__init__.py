"""Photo/toon pairs: portraits aligned, drawn by the artist, varied, packed and sampled."""

from __future__ import annotations
