"""Contact sheets to look at: of pairs, of a training, of a finished model."""

from __future__ import annotations
