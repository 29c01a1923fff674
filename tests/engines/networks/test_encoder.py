"""Styles and feature maps in one pass, and sizes that do not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engines.errors import ToonifyError
from engines.networks.encoder import Encoder, EncoderConfig


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
