"""Generators of any size with weights that show what is forgotten."""

from __future__ import annotations

from typing import Any

import torch

from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig


def make(resolution: int, **changes: Any) -> Generator:
    torch.manual_seed(resolution)
    options: dict[str, Any] = {
        "channel_base": 16 * resolution,
        "channel_max": 64,
        "w_dim": 32,
        "z_dim": 32,
    }
    generator = Generator(GeneratorConfig(resolution, **{**options, **changes})).eval()
    with torch.no_grad():
        for name, p in generator.named_parameters():
            if name.endswith(("noise_strength", "bias")) and "affine" not in name:
                p.normal_(std=0.2)
    return generator.requires_grad_(False)
