"""Architectures, what they cost, and how they are read off weights."""

from __future__ import annotations

import pytest
import torch

from engines.errors import ToonifyError
from engines.networks.cost import macs
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig


@pytest.mark.parametrize(
    ("resolution", "base", "widest", "gmac", "million"),
    [
        (256, 4096, 256, 1.15, None),
        (256, 8192, 512, 4.62, 19.4),
        (256, 16384, 512, 14.9, 24.8),
        (512, 16384, 512, 18.6, None),
        (1024, 32768, 512, 74.3, 30.4),
    ],
)
def test_cost_is_the_published_one(
    resolution: int, base: int, widest: int, gmac: float, million: float | None
) -> None:
    with torch.device("meta"):
        generator = Generator(
            GeneratorConfig(resolution, channel_base=base, channel_max=widest)
        ).eval()
        ws = torch.zeros(1, generator.config.num_ws, 512)
    # The published counts leave out FIR filters and style layers: up to 5 % here.
    assert macs(generator.synthesis, ws) / 1e9 == pytest.approx(gmac, rel=0.05)
    if million is not None:
        parameters = sum(p.numel() for p in generator.parameters())
        assert parameters / 1e6 == pytest.approx(million, rel=0.01)


@pytest.mark.parametrize("resolution", [64, 256, 1024])
@pytest.mark.parametrize("extra", [{}, {"noise": False, "feature_channels": ((8, 4),)}])
def test_architecture_is_read_off_the_shapes(resolution: int, extra: dict) -> None:
    config = GeneratorConfig(resolution, channel_base=16 * resolution, channel_max=64, **extra)
    with torch.device("meta"):
        state = Generator(config).state_dict()
    assert GeneratorConfig.from_state(state) == config


def test_other_architectures_are_refused() -> None:
    with pytest.raises(ToonifyError, match=r"synthesis\.b4\.const"):
        GeneratorConfig.from_state({"synthesis.L0.weight": torch.zeros(1)})
    with pytest.raises(ToonifyError, match="power of two"):
        GeneratorConfig(100)
