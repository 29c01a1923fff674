"""Sheets that show what was drawn and learned."""

from __future__ import annotations
