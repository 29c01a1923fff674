"""Readers of public checkpoint formats; nothing in a file is ever executed or imported."""

from __future__ import annotations

from engines.checkpoints.neutral import CheckpointError, NeutralCheckpoint
from engines.checkpoints.reader import read_checkpoint

__all__ = ["CheckpointError", "NeutralCheckpoint", "read_checkpoint"]
