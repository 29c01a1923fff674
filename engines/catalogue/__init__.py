"""Models that ship with the package and models that can be downloaded."""

from __future__ import annotations
