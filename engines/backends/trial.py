"""A small network with random weights, to try whether a back end runs here."""

from __future__ import annotations

from engines.networks.encoder import Encoder, EncoderConfig
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from engines.networks.toon import ToonNetwork


def trial_network() -> ToonNetwork:
    """A runnable network of 64 px that every back end builds in moments."""
    config = GeneratorConfig(64, w_dim=16, z_dim=16, channel_base=512, channel_max=16)
    encoder = EncoderConfig(
        input_size=64,
        num_ws=config.num_ws,
        w_dim=16,
        widths=(8, 12, 16, 16),
        depths=(0, 1, 1, 1),
        feature_resolutions=(),
        style_width=16,
    )
    return ToonNetwork(Encoder(encoder), Generator(config)).eval().requires_grad_(False)
