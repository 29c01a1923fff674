"""Data sets, the toon artist, losses, trainers and distillation."""

from __future__ import annotations
