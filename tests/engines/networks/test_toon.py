"""Encoder, discriminator and the compiled graph."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engines.errors import ToonifyError
from engines.networks.cost import macs
from engines.networks.discriminator import Discriminator, DiscriminatorConfig, minibatch_std
from engines.networks.encoder import Encoder, EncoderConfig
from engines.networks.generator import Generator
from engines.networks.toon import ToonNetwork
from engines.training.learn.models import ModelSize
from tests.engines.factory import tiny_bundle, tiny_network


def test_cpu_tier_costs_at_most_two_gmac() -> None:
    size = ModelSize()
    network = ToonNetwork(Encoder(size.encoder_config()), Generator(size.generator_config()))
    cost = macs(network, torch.zeros(1, 256, 256, 3, dtype=torch.uint8))
    assert 1.0e9 < cost <= 2.0e9


def test_encoder_gives_styles_and_maps_in_one_pass() -> None:
    encoder = Encoder(EncoderConfig(num_ws=14, w_dim=32)).eval()
    out = encoder(torch.randn(2, 3, 256, 256))
    assert out.w_plus.shape == (2, 14, 32)
    expected = {r: (2, c, r, r) for r, c in encoder.config.feature_channels}
    assert {r: tuple(f.shape) for r, f in out.features.items()} == expected


def test_the_crop_itself_can_be_the_finest_map() -> None:
    config = EncoderConfig(num_ws=14, w_dim=32, feature_resolutions=(8, 256))
    assert config.feature_channels == ((8, 192), (256, 3))
    image = torch.randn(1, 3, 256, 256)
    features = Encoder(config).eval()(image).features
    assert sorted(features) == [8, 256]
    assert torch.equal(features[256], image)
    without = Encoder(replace(config, feature_resolutions=(8,))).eval()(image).features
    assert list(without) == [8]


def test_encoder_config_refuses_what_does_not_fit() -> None:
    with pytest.raises(ToonifyError, match="one width"):
        EncoderConfig(input_size=128)
    with pytest.raises(ToonifyError, match=r"\[100\]"):
        EncoderConfig(feature_resolutions=(4, 100))


def test_network_takes_and_gives_bytes() -> None:
    network = tiny_network()
    crops = torch.randint(0, 256, (3, 64, 64, 3), dtype=torch.uint8)
    toons, masks = network(crops)
    assert toons.dtype == masks.dtype == torch.uint8
    assert toons.shape == (3, 64, 64, 3)
    assert masks.shape == (3, 64, 64)
    alone, _ = network(crops[1:2])
    assert (alone[0].int() - toons[1].int()).abs().max() <= 1


def test_mismatched_halves_are_refused() -> None:
    size = tiny_bundle().card
    encoder, generator = Encoder(size.encoder), Generator(size.generator)
    with pytest.raises(ToonifyError, match="styles of"):
        ToonNetwork(Encoder(replace(size.encoder, w_dim=8)), generator)
    with pytest.raises(ToonifyError, match="feature maps"):
        ToonNetwork(Encoder(replace(size.encoder, feature_resolutions=(4,))), generator)
    with pytest.raises(ToonifyError, match="64 px pictures from the photo"):
        ToonNetwork(Encoder(replace(size.encoder, feature_resolutions=(4, 8, 16))), generator)
    assert ToonNetwork(encoder, generator).has_mask


def test_minibatch_std_measures_variety() -> None:
    same = torch.ones(4, 2, 4, 4)
    varied = same.clone()
    varied[1:] = torch.tensor([2.0, 3.0, 4.0])[:, None, None, None]
    assert minibatch_std(same, 4)[:, -1].max() < 1e-3
    # Standard deviation of 1, 2, 3, 4 about their mean.
    torch.testing.assert_close(minibatch_std(varied, 4)[:, -1], torch.full((4, 4, 4), 1.25**0.5))


def test_discriminator_tells_sharp_from_blurred_after_a_few_steps() -> None:
    torch.manual_seed(0)
    judge = Discriminator(DiscriminatorConfig(32, channel_base=512, channel_max=16))
    optimizer = torch.optim.Adam(judge.parameters(), lr=3e-3)
    sharp = torch.randn(8, 3, 32, 32).sign()
    blurred = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2)
    for _ in range(25):
        loss = torch.nn.functional.softplus(judge(blurred) - judge(sharp)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (judge(sharp).mean() - judge(blurred).mean()) > 1
