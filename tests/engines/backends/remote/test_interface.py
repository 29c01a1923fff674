from __future__ import annotations

import numpy as np
import torch

from engines.backends.remote.interface import TensorSpec, interface_of
from engines.networks.toon import ToonNetwork


def test_is_read_off_the_network(tiny: ToonNetwork) -> None:
    found = interface_of(tiny)
    assert found.input == TensorSpec("crops", "UINT8", (64, 64, 3))
    assert found.outputs == (
        TensorSpec("toons", "UINT8", (64, 64, 3)),
        TensorSpec("masks", "UINT8", (64, 64)),
        TensorSpec("details", "FP16", (3, 64, 64)),
        TensorSpec("eyes", "UINT8", (32, 80, 3)),
        TensorSpec("mouth", "UINT8", (32, 48, 3)),
    )
    assert found.outputs[2].size == 2 * 3 * 64 * 64
    with torch.no_grad():
        drawn = tiny(torch.from_numpy(found.probe))
    for answer, tensor in zip(found.answers, drawn, strict=True):
        assert np.array_equal(answer, tensor.numpy())


def test_the_probe_is_a_portrait(tiny: ToonNetwork) -> None:
    probe = interface_of(tiny).probe
    assert (probe.shape, probe.dtype) == ((1, 64, 64, 3), np.uint8)
    assert 60 < probe.mean() < 190
    assert probe.std() > 30


def test_a_network_without_a_mask_has_one_output(plain: ToonNetwork) -> None:
    found = interface_of(plain)
    assert found.input.shape == (32, 32, 3)
    assert found.outputs == (TensorSpec("toons", "UINT8", (16, 16, 3)),)
