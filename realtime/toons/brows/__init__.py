"""The toon's brows: two of one kind that stay the same over time, bold and in their own colour."""

from __future__ import annotations
