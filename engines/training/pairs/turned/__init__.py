"""Heads turned in three dimensions: the views from the side that portraits lack."""

from __future__ import annotations

from engines.training.pairs.turned.head import check_head_model, turn_head

__all__ = ["check_head_model", "turn_head"]
