"""Results put together into toons."""

from __future__ import annotations

import numpy as np
import torch

from engines.backends.outputs import HostOutputs
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import difference, noisy_crops


def test_a_toon_is_what_the_network_would_assemble_itself(tiny: ToonNetwork) -> None:
    crops = torch.from_numpy(noisy_crops(2, 64))
    memory = HostOutputs(tiny, 2)
    for tensor, result in zip(memory.tensors, tiny(crops), strict=True):
        tensor.copy_(result)
    images = memory.engine_output(2).images
    assert images.shape == (2, 128, 128, 3)
    x = crops.permute(0, 3, 1, 2).float() * (2 / 255) - 1
    whole = tiny.synthesis(*tiny.encoder(x)).permute(0, 2, 3, 1) * 127.5 + 127.5
    # The engine's picture was rounded and clipped to bytes before it was enlarged.
    assert difference(images, whole.clamp(0, 255).numpy().round().astype(np.uint8)) < 0.7
    for rows, columns in tiny.band_boxes.values():  # the bands were not enlarged
        band = whole[:, rows, columns].clamp(0, 255).numpy()
        assert np.abs(images[:, rows, columns] - band).max() <= 0.51


def test_a_network_without_bands_gives_its_picture_as_it_is(plain: ToonNetwork) -> None:
    memory = HostOutputs(plain, 1)
    (result,) = plain(torch.from_numpy(noisy_crops(1, 32)))
    memory.tensors[0].copy_(result)
    output = memory.engine_output(1)
    assert np.array_equal(output.images, result.numpy())
    assert output.masks is None
    assert output.details is None
