"""A style of one's own: pairs drawn from the style's pictures."""

from __future__ import annotations
