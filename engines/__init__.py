"""Everything between an aligned face crop and its toon: networks, models on disk, back ends, training."""

from __future__ import annotations
