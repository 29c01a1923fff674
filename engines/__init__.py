"""Everything between an aligned face crop and its toon."""

from __future__ import annotations
