"""The model sizes that are timed. Where no trained weights ship, weights are random: same speed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from engines.networks.encoder import Encoder, EncoderConfig
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from engines.networks.toon import ToonNetwork


@dataclass(frozen=True)
class Tier:
    """A named network; `build` makes it, in evaluation mode on the CPU."""

    name: str
    about: str
    build: Callable[[], ToonNetwork]


def random_network(resolution: int, channel_base: int, *, seed: int = 0) -> ToonNetwork:
    """Encoder and plain StyleGAN2 of public sizes (w of 512, 512 channels at most)."""
    encoder = EncoderConfig(num_ws=GeneratorConfig(resolution).num_ws, w_dim=512)
    generator = GeneratorConfig(
        resolution, channel_base=channel_base, feature_channels=encoder.feature_channels
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ToonNetwork(Encoder(encoder), Generator(generator))


def shipped_network() -> ToonNetwork:
    """The model that is installed with the package, in its default style."""
    from engines.bundle import default_bundle

    return default_bundle().network()


def next_network() -> ToonNetwork:
    """The network that the recipe of `toonify train film` makes, with random weights."""
    from engines.training.learn.models import ModelSize, ToonModels

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models = ToonModels(ModelSize())
    return ToonNetwork(models.encoder, models.toon)


TIERS = {
    tier.name: tier
    for tier in (
        Tier("shipped", "film, made for two CPU cores", shipped_network),
        Tier("cpu-512", "film's network, random weights", next_network),
        Tier("256", "paper256's width, random weights", lambda: random_network(256, 16384)),
        Tier("512", "config-f, random weights", lambda: random_network(512, 32768)),
        Tier("1024", "config-f, random weights", lambda: random_network(1024, 32768)),
    )
}
