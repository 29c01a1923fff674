"""Layers against what they stand for."""

from __future__ import annotations

import torch

from engines.networks.layers import Upsample2x, demodulation


def test_replicating_upsampling_is_bilinear() -> None:
    x = torch.randn(2, 3, 5, 5)
    expected = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(Upsample2x(3, replicate=True)(x), expected)


def test_demodulation_is_exact_in_mixed_precision() -> None:
    torch.manual_seed(0)
    styles, squares = torch.randn(4, 32).bfloat16(), torch.rand(32, 8)
    expected = demodulation(styles.float(), squares)
    with torch.autocast("cpu", torch.bfloat16):
        found = demodulation(styles, squares)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)
