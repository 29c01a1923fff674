from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.backends import BackendError
from engines.backends.remote.interface import TensorSpec, interface_of
from engines.networks.toon import ToonNetwork


class Wrapped(torch.nn.Module):
    """A network whose outputs `change` makes of those of another."""

    def __init__(self, network: ToonNetwork, change: object) -> None:
        super().__init__()
        self.network, self.change = network, change
        self.input_size = network.input_size

    def forward(self, crops: torch.Tensor) -> object:
        return self.change(self.network(crops))  # type: ignore[operator]


def test_is_read_off_the_network(tiny: ToonNetwork) -> None:
    found = interface_of(tiny)
    assert found.input == TensorSpec("crops", "UINT8", (64, 64, 3))
    assert found.outputs == (
        TensorSpec("toons", "UINT8", (64, 64, 3)),
        TensorSpec("masks", "UINT8", (64, 64)),
    )
    assert [spec.size for spec in found.outputs] == [64 * 64 * 3, 64 * 64]
    with torch.no_grad():
        toons, masks = tiny(torch.from_numpy(found.probe))
    assert np.array_equal(found.answers[0], toons.numpy())
    assert np.array_equal(found.answers[1], masks.numpy())


def test_the_probe_is_a_portrait(tiny: ToonNetwork) -> None:
    probe = interface_of(tiny).probe
    assert (probe.shape, probe.dtype) == ((1, 64, 64, 3), np.uint8)
    assert 60 < probe.mean() < 190
    assert probe.std() > 30


def test_a_network_without_a_mask_has_one_output(plain: ToonNetwork) -> None:
    found = interface_of(plain)
    assert found.input.shape == (32, 32, 3)
    assert found.outputs == (TensorSpec("toons", "UINT8", (16, 16, 3)),)


def test_shapes_and_types_are_the_networks_own(tiny: ToonNetwork) -> None:
    half = Wrapped(tiny, lambda drawn: (drawn[0][:, ::2], drawn[1].half()))
    assert interface_of(half).outputs == (  # type: ignore[arg-type]
        TensorSpec("toons", "UINT8", (32, 64, 3)),
        TensorSpec("masks", "FP16", (64, 64)),
    )


def test_an_output_without_a_name_is_refused(tiny: ToonNetwork) -> None:
    many = Wrapped(tiny, lambda drawn: (*drawn, *drawn, *drawn))
    with pytest.raises(BackendError, match="has 6 outputs, but only toons, masks"):
        interface_of(many)  # type: ignore[arg-type]
