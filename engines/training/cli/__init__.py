"""The commands of `toonify train`."""

from __future__ import annotations
