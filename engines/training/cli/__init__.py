"""The commands of `toonify train`: they parse options, build settings and call the rest."""

from __future__ import annotations
