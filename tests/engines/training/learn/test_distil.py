"""A bundle's encoder trained anew: distilled for a blend, or fitted to generators from nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.networks.encoder import EncoderConfig
from engines.training.learn.distil import distiller, encoder_config, refitter, with_encoder
from engines.training.learn.encoder import DistilSettings
from tests.engines.factory import random_bundle
from tests.engines.training.factory import CPU, tiny_pairs, tiny_size

BLENDS = {"film": BlendSpec(swap_resolution=8), "comic": BlendSpec(swap_resolution=None)}
SHORT = DistilSettings(pictures=24, batch_size=4, twins=1)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return random_bundle(size=tiny_size(), styles=2)


def test_generators_without_an_encoder_get_one(bundle: Bundle) -> None:
    size = replace(
        tiny_size(), encoder=replace(tiny_size().encoder_config(), feature_resolutions=())
    )
    public = random_bundle(size=size)
    public = replace(public, encoder=None, card=replace(public.card, encoder=None))
    with pytest.raises(ToonifyError, match="toonify train refit"):
        distiller(public, tiny_pairs(), {"film": BLENDS["comic"]}, SHORT, CPU)

    config = EncoderConfig(32, widths=(8, 12, 16), depths=(0, 1, 1), feature_resolutions=())
    settings = replace(SHORT, pictures=400, lr=2e-3, warm_up=0.01, features=0.0)
    trainer = refitter(public, tiny_pairs(), settings, CPU, config)
    mean = trainer.encoder.module.styles.bias.view(trainer.encoder.module.config.num_ws, -1)
    assert torch.equal(mean[0], public.face["mapping.w_avg"].float())
    losses = [trainer.train_step()["l1"] for _ in range(15)]
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])
    fitted = with_encoder(public, trainer, "Fitted on ten pictures.")
    assert fitted.card.training["Encoder"] == "Fitted on ten pictures."
    assert fitted.network()(torch.zeros(1, 32, 32, 3, dtype=torch.uint8))[0].shape == (1, 16, 16, 3)


def test_models_that_live_on_feature_maps_are_not_refitted(bundle: Bundle) -> None:
    with pytest.raises(ToonifyError, match="random-32 works with feature maps"):
        refitter(bundle, tiny_pairs(), SHORT, CPU)
    plain = replace(bundle.card.generator, feature_channels=())
    bare = replace(bundle, card=replace(bundle.card, generator=plain))
    with pytest.raises(ToonifyError, match="works with feature maps"):
        refitter(bare, tiny_pairs(), SHORT, CPU)


@pytest.mark.parametrize("size", [64, 128, 256, 512])
def test_encoders_for_public_generators(size: int) -> None:
    config = encoder_config(size)
    assert config.input_size == size
    assert config.feature_channels == ()
    with pytest.raises(ToonifyError, match="not 100"):
        encoder_config(100)
