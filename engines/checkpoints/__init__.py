"""Readers of public checkpoint formats; nothing in a file is ever executed or imported."""

from __future__ import annotations
