"""Crops of noise."""

from __future__ import annotations

import torch


def crops(count: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=generator)
