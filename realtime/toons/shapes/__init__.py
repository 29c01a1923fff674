"""The toon's shapes: what swells, shrinks, rises or sinks, and how pictures follow."""

from __future__ import annotations
