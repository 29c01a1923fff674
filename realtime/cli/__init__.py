"""The `toonify` command line."""

from __future__ import annotations
