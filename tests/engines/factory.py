"""Small and full-size models with random weights."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import torch

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.card import Card, Style
from engines.networks.encoder import EncoderConfig
from engines.networks.generator import Generator
from engines.networks.toon import ToonNetwork
from engines.training.learn.models import ModelSize, ToonModels


def random_bundle(size: ModelSize | None = None, seed: int = 0, styles: int = 1) -> Bundle:
    """The CPU tier's architecture with random weights; the styles differ from the face model."""
    torch.manual_seed(seed)
    size = size or ModelSize()
    models = ToonModels(size).eval()
    models.encoder(torch.rand(2, 3, *[size.encoder_config().input_size] * 2))
    for block in models.face.synthesis.children():
        if (todetail := getattr(block, "todetail", None)) is not None:  # moves from the start
            torch.nn.init.normal_(todetail.weight, std=0.3 / todetail.weight.shape[1] ** 0.5)
        if (tophoto := getattr(block, "tophoto", None)) is not None:  # here much, there little
            torch.nn.init.normal_(tophoto.weight, std=1 / tophoto.weight.shape[1] ** 0.5)
    face = models.face.state_dict()
    toons = {
        ("film", "comic", "clay")[i]: {
            name: tensor + 0.3 * torch.randn_like(tensor) * tensor.abs().mean()
            for name, tensor in face.items()
        }
        for i in range(styles)
    }
    card = Card(
        name=f"random-{size.encoder_config().input_size}",
        generator=size.generator_config(),
        encoder=size.encoder_config(),
        styles={name: Style(name, BlendSpec(swap_resolution=None)) for name in toons},
        licence="MIT",
    )
    return Bundle(card, face, toons, models.encoder.state_dict())


def tiny_bundle(resolution: int = 64, seed: int = 0, styles: int = 1) -> Bundle:
    """A few thousand parameters with every feature of the shipped model.

    Args:
        resolution: side of the crops and of the picture without its fovea, 64 pixels or more.
        seed: of the weights.
        styles: how many.
    """
    stages = int(math.log2(resolution)) - 3
    encoder = EncoderConfig(
        input_size=resolution,
        widths=(12, 16, 16, 16, 16)[:stages],
        depths=(0, 1, 1, 1, 1)[:stages],
        feature_resolutions=(4, 8, resolution),
        style_width=16,
        unshuffle=4,
    )
    size = ModelSize(
        resolution=resolution // 2,
        w_dim=16,
        channel_base=512,
        channel_max=16,
        mapping_layers=2,
        encoder=encoder,
        mask_resolution=resolution // 4,
        detail_resolution=resolution // 8,
        photo_resolution=resolution // 2,
        fovea_channels=4,
    )
    return random_bundle(size, seed, styles)


def sampled_bundle() -> Bundle:
    """A tiny plain StyleGAN2 with two styles and no encoder, as an import makes it."""
    bundle = tiny_bundle(styles=2)
    config = replace(
        bundle.card.generator, resolution=64, feature_channels=(), mask_resolution=0,
        detail_resolution=0, photo_resolution=0, finish=False, fovea_channels=0,
    )  # fmt: skip
    torch.manual_seed(1)
    states = []
    for _ in range(3):
        state = Generator(config).state_dict()
        states.append(
            {
                name: 0.1 * torch.randn_like(value) if re.search(r"mapping.*bias", name) else value
                for name, value in state.items()
            }
        )
    card = replace(bundle.card, name="sampled", generator=config, encoder=None)
    return Bundle(card, states[0], dict(zip(bundle.styles, states[1:], strict=True)))


def tiny_network(resolution: int = 64, seed: int = 0) -> ToonNetwork:
    """The network of `tiny_bundle`."""
    return tiny_bundle(resolution, seed).network()
