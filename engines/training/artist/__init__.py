"""The toon artist: an aligned portrait and its landmarks become a film-cartoon portrait."""

from __future__ import annotations
