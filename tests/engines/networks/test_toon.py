"""Encoder and generator as one graph from bytes to bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engines.errors import ToonifyError
from engines.finish import Finish
from engines.networks.cost import macs
from engines.networks.encoder import Encoder
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from engines.networks.toon import ToonNetwork
from engines.training.learn.models import ModelSize
from tests.engines.factory import tiny_bundle, tiny_network


def test_cpu_tier_costs_at_most_two_thirds_of_a_gmac() -> None:
    size = ModelSize()
    network = ToonNetwork(Encoder(size.encoder_config()), Generator(size.generator_config()))
    cost = macs(network, torch.zeros(1, 256, 256, 3, dtype=torch.uint8))
    assert 0.5e9 < cost <= 0.67e9


def test_network_takes_and_gives_bytes() -> None:
    network = tiny_network()
    crops = torch.randint(0, 256, (3, 64, 64, 3), dtype=torch.uint8)
    results = network(crops)
    for output, result in zip(network.outputs, results, strict=True):
        assert (result.dtype, result.shape) == (output.dtype, (3, *output.shape))
    shapes = {output.name: output.shape for output in network.outputs}
    assert shapes == {
        "toons": (64, 64, 3),
        "masks": (64, 64),
        "details": (3, 64, 64),
        "eyes": (32, 80, 3),
        "mouth": (32, 48, 3),
    }
    for result, alone in zip(results, network(crops[1:2]), strict=True):
        assert (alone[0].double() - result[1].double()).abs().max() <= 1


def test_mismatched_halves_are_refused() -> None:
    size = tiny_bundle().card
    assert size.encoder is not None
    encoder, generator = Encoder(size.encoder), Generator(size.generator)
    with pytest.raises(ToonifyError, match="styles of"):
        ToonNetwork(Encoder(replace(size.encoder, w_dim=8)), generator)
    with pytest.raises(ToonifyError, match="feature maps"):
        ToonNetwork(Encoder(replace(size.encoder, feature_resolutions=(4,))), generator)
    with pytest.raises(ToonifyError, match="64 px pictures from the photo"):
        ToonNetwork(Encoder(replace(size.encoder, feature_resolutions=(4, 8, 16))), generator)
    assert ToonNetwork(encoder, generator).has_mask


def test_what_needs_a_plan_of_detail_is_not_wanted_of_a_network_without_one() -> None:
    everything = Finish(painted_eyes=True, inked=True, relief=True, haired_brows=True)
    card = tiny_bundle().card
    assert card.encoder is not None
    encoder, generator = Encoder(card.encoder), Generator(card.generator)
    assert ToonNetwork(encoder, generator, finish=everything).finish == everything
    plain = GeneratorConfig(16, w_dim=card.encoder.w_dim, channel_base=128, channel_max=16)
    without = ToonNetwork(
        Encoder(replace(card.encoder, num_ws=plain.num_ws, feature_resolutions=())),
        Generator(plain),
        finish=everything,
    )
    assert without.finish == Finish(inked=True)
