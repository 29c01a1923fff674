"""Eyes: what is known of them, and how they are painted into a toon."""

from __future__ import annotations
