"""A new encoder for a bundle, while its generators stay as they are.

Two uses. *Distil*: for a blended generator, the bundle's encoder says what a clean crop should look
like. A copy of it learns to draw the same from the crop as a webcam delivers it, moved as the crop
moves. *Refit*: an encoder is trained from nothing for a public generator, so that its face model
reconstructs portraits. Every toon model fine-tuned from that face model then works with it, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from engines.blending import BlendSpec
from engines.bundle import Bundle
from engines.errors import ToonifyError
from engines.networks.encoder import Encoder, EncoderConfig
from engines.networks.generator import Generator
from engines.training.hardware import Hardware
from engines.training.learn.encoder import REFIT, DistilSettings, EncoderTrainer
from engines.training.pairs.pair_set import PairSet


def distiller(
    bundle: Bundle,
    pairs: PairSet,
    blends: Mapping[str, BlendSpec],
    settings: DistilSettings | None = None,
    hardware: Hardware | None = None,
) -> EncoderTrainer:
    """The trainer that makes a bundle's encoder robust for blended generators.

    Args:
        bundle: has an encoder, which is the teacher and the start.
        pairs: people of the encoder's input size.
        blends: style -> how it is blended.
        settings: the run.
        hardware: what to train on.

    Raises:
        ToonifyError: when the bundle has no encoder, or no such style.
    """
    if bundle.encoder is None or bundle.card.encoder is None:
        raise ToonifyError(
            f"{bundle.card.name} has no encoder to start from; make one with 'toonify train refit'."
        )
    encoder = Encoder(bundle.card.encoder)
    encoder.load_state_dict(bundle.encoder)
    generators = [bundle.generator(style, spec) for style, spec in blends.items()]
    settings = settings or DistilSettings()
    return EncoderTrainer(encoder, generators, pairs, settings, teacher=encoder, hardware=hardware)


def refitter(
    bundle: Bundle,
    pairs: PairSet,
    settings: DistilSettings = REFIT,
    hardware: Hardware | None = None,
    config: EncoderConfig | None = None,
) -> EncoderTrainer:
    """The trainer that gives an encoder to a bundle that has only generators.

    The encoder starts at the generators' mean face and gives styles only, because public generators
    take no feature maps.

    Args:
        bundle: has a face generator.
        pairs: people of the new encoder's input size.
        settings: the run.
        hardware: what to train on.
        config: sizes of the encoder; if None, for 256 px crops.

    Raises:
        ToonifyError: when the generators take feature maps.
    """
    check_refittable(bundle)
    g = bundle.card.generator
    config = config or encoder_config(256)
    torch.manual_seed(settings.seed)
    encoder = Encoder(replace(config, num_ws=g.num_ws, w_dim=g.w_dim))
    mean = bundle.face.get("mapping.w_avg", torch.zeros(g.w_dim))
    with torch.no_grad():
        encoder.styles.bias.copy_(mean.float().repeat(g.num_ws))
    face = Generator(g)
    face.load_state_dict(bundle.face)
    return EncoderTrainer(encoder, [face], pairs, settings, hardware=hardware)


def check_refittable(bundle: Bundle) -> None:
    """Refuse a model that needs feature maps, which a refitted encoder does not make.

    Raises:
        ToonifyError: naming the model.
    """
    encoder = bundle.card.encoder
    if bundle.card.generator.feature_channels or (encoder and encoder.feature_channels):
        raise ToonifyError(
            f"{bundle.card.name} works with feature maps of its encoder, which a refitted one "
            f"would not make; refit models of public generators, and 'distil' this one."
        )


def encoder_config(size: int) -> EncoderConfig:
    """An encoder of `size` px crops for generators that take styles only.

    Raises:
        ToonifyError: when `size` is not a power of two from 64 to 512.
    """
    if size not in (64, 128, 256, 512):
        raise ToonifyError(f"An encoder takes crops of 64, 128, 256 or 512 px, not {size}.")
    standard = EncoderConfig()
    extra = size.bit_length() - standard.input_size.bit_length()
    return EncoderConfig(
        input_size=size,
        widths=(8,) * extra + standard.widths[max(-extra, 0) :],
        depths=(0,) * extra + standard.depths[max(-extra, 0) :],
        feature_resolutions=(),
        style_width=512,
    )


def with_encoder(
    bundle: Bundle,
    trainer: EncoderTrainer,
    note: str,
    blends: Mapping[str, BlendSpec] | None = None,
) -> Bundle:
    """A copy of a bundle with the trained encoder.

    Args:
        bundle: the bundle that the encoder was trained for.
        trainer: the finished training.
        note: what the card says about it.
        blends: style -> its new default blend; the other styles keep theirs.
    """
    styles = {
        name: replace(style, blend=(blends or {}).get(name, style.blend))
        for name, style in bundle.card.styles.items()
    }
    card = replace(
        bundle.card,
        encoder=trainer.ema.module.config,
        styles=styles,
        training={**bundle.card.training, "Encoder": note},
    )
    return replace(bundle, card=card, encoder=trainer.weights())
