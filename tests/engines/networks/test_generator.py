"""The generator against the textbook form, in FP16, and with encoder features."""

from __future__ import annotations

import pytest
import torch

from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from tests.engines.networks import textbook
from tests.engines.networks.factory import make


def relative_error(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("resolution", [64, 128, 256, 512, 1024])
def test_static_weight_form_equals_the_textbook(resolution: int) -> None:
    generator = make(resolution, channel_base=8 * resolution)
    ws = torch.randn(2, generator.config.num_ws, 32)
    image = generator.synthesis(ws)
    expected = textbook.synthesis(generator.state_dict(), ws)
    assert image.shape == (2, 3, resolution, resolution)
    assert relative_error(image, expected) < 1e-4


@pytest.mark.parametrize("clamp", [None, 1.0])
def test_clamp_is_where_the_textbook_has_it(clamp: float | None) -> None:
    generator = make(64, conv_clamp=clamp)
    ws = torch.randn(1, generator.config.num_ws, 32)
    expected = textbook.synthesis(generator.state_dict(), ws, clamp)
    assert relative_error(generator.synthesis(ws), expected) < 1e-4
    unclamped = textbook.synthesis(generator.state_dict(), ws, None)
    assert (relative_error(expected, unclamped) > 1e-3) == (clamp is not None)


def test_frozen_kernels_draw_the_same_picture_and_follow_new_weights_in_place() -> None:
    generator, other = make(64), make(64)
    other.load_state_dict({k: v * 1.1 + 0.01 for k, v in generator.state_dict().items()})
    ws = torch.randn(1, generator.config.num_ws, 32)
    eager, changed = generator.synthesis(ws), other.synthesis(ws)
    generator.synthesis.freeze()
    frozen = generator.synthesis.block(8).conv1._frozen
    assert frozen is not None
    memory = frozen[0].data_ptr()
    assert torch.equal(generator.synthesis(ws), eager)
    generator.load_state_dict(other.state_dict())
    generator.synthesis.freeze()
    frozen = generator.synthesis.block(8).conv1._frozen
    assert frozen is not None
    assert frozen[0].data_ptr() == memory
    assert torch.equal(generator.synthesis(ws), changed)


def test_half_precision_at_1024_px_stays_within_two_levels() -> None:
    torch.manual_seed(7)
    generator = Generator(GeneratorConfig(1024, channel_base=8192, channel_max=512)).eval()
    # Weights far outside FP16's comfortable range: only the pre-normalisation keeps them finite.
    with torch.no_grad():
        generator.synthesis.get_parameter("b1024.conv1.weight").mul_(300)
        generator.synthesis.get_parameter("b512.conv0.affine.bias").mul_(400)
        ws = generator.w_plus(torch.randn(1, 512), truncation_psi=0.7)
        full = generator.synthesis(ws)
        scale = 1 / full.abs().quantile(0.99)
        generator.synthesis.use_half(4)
        assert generator.synthesis.block_dtype(64) == torch.float32
        assert generator.synthesis.block_dtype(128) == torch.float16
        half = generator.synthesis(ws)
    assert torch.isfinite(half).all()
    error = ((half - full) * scale).clamp(-2, 2).abs().mean() * 127.5
    assert error < 2


def test_truncation_pulls_towards_the_mean_below_the_cutoff() -> None:
    generator = make(64)
    generator.mapping.w_avg.normal_()
    z = torch.randn(3, 32)
    w = generator.mapping(z)
    ws = generator.w_plus(z, truncation_psi=0.25, truncation_cutoff=4)
    expected = generator.mapping.w_avg + 0.25 * (w - generator.mapping.w_avg)
    torch.testing.assert_close(ws[:, 3], expected)
    torch.testing.assert_close(ws[:, 4], w)
