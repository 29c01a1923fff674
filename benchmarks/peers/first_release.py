"""The first network of this project: 256 px throughout, 1.9 GMAC.

Its layer table is kept so that a speed-up can be measured in one run ever after.
"""

from __future__ import annotations

from engines.networks.encoder import EncoderConfig
from engines.networks.toon import ToonNetwork
from engines.training.learn.models import ModelSize, ToonModels

SIZE = ModelSize(
    resolution=256,
    w_dim=256,
    channel_base=4096,
    channel_max=256,
    encoder=EncoderConfig(),
    mask_resolution=128,
    detail_resolution=32,
    photo_resolution=128,
    finish=False,
    fovea_channels=0,
)


def first_release() -> ToonNetwork:
    """The network with random weights."""
    models = ToonModels(SIZE)
    return ToonNetwork(models.encoder, models.toon)
