"""The private copy that back ends compute with."""

from __future__ import annotations

import torch

from engines.backends.prepare import CastFirst, example_crops, load_weights, prepared
from engines.networks.toon import ToonNetwork


def test_the_copy_is_frozen_and_the_original_left_alone(tiny: ToonNetwork) -> None:
    before = {name: tensor.clone() for name, tensor in tiny.state_dict().items()}
    twin = prepared(tiny, "fp16")
    assert next(twin.encoder.parameters()).dtype == torch.float16
    assert next(tiny.encoder.parameters()).dtype == torch.float32
    assert not twin.training
    assert not any(p.requires_grad for p in twin.parameters())
    assert all(torch.equal(before[name], p) for name, p in tiny.state_dict().items())


def test_half_precision_begins_above_4_px(tiny: ToonNetwork) -> None:
    half, single = prepared(tiny, "fp16").synthesis, prepared(tiny, "fp32").synthesis
    resolutions = half.config.resolutions
    assert half.block_dtype(resolutions[0]) == torch.float32
    assert {half.block_dtype(r) for r in resolutions[1:]} == {torch.float16}
    assert {single.block_dtype(r) for r in resolutions} == {torch.float32}


def test_new_weights_go_into_the_same_memory(tiny: ToonNetwork, other_tiny: ToonNetwork) -> None:
    twin = prepared(tiny, "fp32")
    memory = {name: tensor.data_ptr() for name, tensor in twin.state_dict().items()}
    load_weights(twin, other_tiny.state_dict())
    assert {name: tensor.data_ptr() for name, tensor in twin.state_dict().items()} == memory
    crops = example_crops(tiny, 2)
    with torch.no_grad():
        for ours, theirs in zip(twin(crops), prepared(other_tiny, "fp32")(crops), strict=True):
            assert torch.equal(ours, theirs)


def test_a_cast_comes_first_and_changes_nothing(plain: ToonNetwork) -> None:
    crops = example_crops(plain, 1)
    assert (crops.dtype, tuple(crops.shape)) == (torch.uint8, (1, 32, 32, 3))
    twin = prepared(plain, "fp32")
    with torch.no_grad():
        assert torch.equal(CastFirst(twin, "fp32")(crops)[0], twin(crops)[0])
