"""The generator against the textbook form, in FP16, and with encoder features."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engines.errors import ToonifyError
from engines.networks.generator import Generator, GeneratorConfig, ToDetail, resample
from engines.networks.layers import Upsample2x, demodulation
from engines.networks.report import macs, parameters
from tests.engines.networks import textbook


def make(resolution: int, **changes: object) -> Generator:
    torch.manual_seed(resolution)
    options = {"channel_base": 16 * resolution, "channel_max": 64, "w_dim": 32, "z_dim": 32}
    generator = Generator(GeneratorConfig(resolution, **{**options, **changes})).eval()
    with torch.no_grad():
        for name, p in generator.named_parameters():
            if name.endswith(("noise_strength", "bias")) and "affine" not in name:
                p.normal_(std=0.2)
    return generator.requires_grad_(False)


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
    memory = generator.synthesis.block(8).conv1._frozen[0].data_ptr()
    assert torch.equal(generator.synthesis(ws), eager)
    generator.load_state_dict(other.state_dict())
    generator.synthesis.freeze()
    assert generator.synthesis.block(8).conv1._frozen[0].data_ptr() == memory
    assert torch.equal(generator.synthesis(ws), changed)


def test_half_precision_at_1024_px_stays_within_two_levels() -> None:
    torch.manual_seed(7)
    generator = Generator(GeneratorConfig(1024, channel_base=8192, channel_max=512)).eval()
    # Weights far outside FP16's comfortable range: only the pre-normalisation keeps them finite.
    with torch.no_grad():
        generator.synthesis.b1024.conv1.weight.mul_(300)
        generator.synthesis.b512.conv0.affine.bias.mul_(400)
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


def test_features_enter_only_where_they_are_given() -> None:
    plain = make(64)
    config = replace(plain.config, feature_channels=((4, 8), (16, 12)), mask_resolution=32)
    conditioned = Generator(config).eval().requires_grad_(False)
    missing, unexpected = conditioned.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected
    assert all(".inject." in name or ".tomask." in name for name in missing)
    ws = torch.randn(2, config.num_ws, 32)
    assert torch.equal(conditioned.synthesis(ws), plain.synthesis(ws))
    features = {4: torch.randn(2, 8, 4, 4), 16: torch.randn(2, 12, 16, 16)}
    assert not torch.allclose(conditioned.synthesis(ws, features), plain.synthesis(ws), atol=1e-3)
    for r in features:
        conditioned.synthesis.block(r).inject.gate.data.zero_()
    shut = conditioned.synthesis(ws, features)
    assert torch.allclose(shut, plain.synthesis(ws), atol=1e-5)


def test_replicating_upsampling_is_bilinear() -> None:
    x = torch.randn(2, 3, 5, 5)
    expected = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(Upsample2x(3, replicate=True)(x), expected)


def test_a_low_block_moves_the_finer_features_only() -> None:
    config = replace(make(64).config, feature_channels=((4, 8), (32, 12)), detail_resolution=8)
    generator = Generator(config).eval().requires_grad_(False)
    assert GeneratorConfig.from_state(generator.state_dict()) == config
    ws = torch.randn(1, config.num_ws, 32)
    features = {4: torch.randn(1, 8, 4, 4), 32: torch.randn(1, 12, 32, 32)}
    straight = generator.synthesis.draw(ws, features)
    assert straight.mask is None
    assert not straight.detail[:, :2].any()  # learning starts from no move at all
    assert (straight.detail[:, 2] == 1).all()
    # Four cells of 32 to the right, the same for all four neighbours that a place gives.
    generator.synthesis.b8.todetail.bias.copy_(
        torch.tensor([4 / 32] * 4 + [0.0] * 12) / ToDetail.REACH
    )
    moved = generator.synthesis.draw(ws, features)
    assert moved.detail.shape == (1, 4, 16, 16)
    by_hand = {4: features[4], 32: features[32][..., [*range(4, 32), *[31] * 4]]}
    generator.synthesis.b8.todetail.bias.zero_()
    assert torch.allclose(moved.image, generator.synthesis(ws, by_hand), atol=1e-4)
    assert not torch.allclose(moved.image, straight.image, atol=1e-3)


def test_detail_survives_mixed_precision() -> None:
    config = replace(make(64).config, feature_channels=((32, 12),), detail_resolution=8)
    synthesis = Generator(config).synthesis
    ws, features = torch.randn(1, config.num_ws, 32), {32: torch.randn(1, 12, 32, 32)}
    with torch.autocast("cpu", torch.bfloat16):
        drawn = synthesis.draw(ws, features)
    assert drawn.image.dtype == torch.float32
    drawn.image.square().mean().backward()
    assert synthesis.b8.todetail.weight.grad.abs().max() > 0


def test_demodulation_is_exact_in_mixed_precision() -> None:
    torch.manual_seed(0)
    styles, squares = torch.randn(4, 32).bfloat16(), torch.rand(32, 8)
    expected = demodulation(styles.float(), squares)
    with torch.autocast("cpu", torch.bfloat16):
        found = demodulation(styles, squares)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_the_mask_corrects_a_coarse_one() -> None:
    config = replace(make(64).config, mask_resolution=32, detail_resolution=8)
    generator = Generator(config).eval().requires_grad_(False)
    ws = torch.randn(1, config.num_ws, 32)
    generator.synthesis.b8.todetail.bias[12:] = 3.0
    generator.synthesis.b32.tomask.bias.fill_(-1.0)
    mask = generator.synthesis.draw(ws).mask
    torch.testing.assert_close(mask, torch.full((1, 1, 32, 32), 2.0))


def test_neighbours_of_one_place_stand_where_they_belong() -> None:
    todetail = ToDetail(1)
    todetail.weight.data[[1, 6]] = 1  # x's upper right neighbour, y's lower left
    one = torch.zeros(1, 1, 3, 3)
    one[..., 1, 1] = 1
    x, y, gain, head = todetail(one)[0]
    assert x.argmax() == 2 * 6 + 3
    assert y.argmax() == 3 * 6 + 2
    assert (gain == 1).all()
    assert not head.any()


def test_detail_has_no_checkerboard() -> None:
    todetail = ToDetail(1)
    todetail.bias.data[8:12] = torch.tensor([1.0, -1, -1, 1])
    gain = todetail(torch.zeros(1, 1, 4, 4))[0, 2]
    torch.testing.assert_close(gain[1:-1, 1:-1], torch.ones(6, 6))


def test_resampling_takes_detail_from_where_it_is_told() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    detail = torch.zeros(1, 4, 8, 8)
    detail[:, 2] = 1
    assert torch.allclose(resample(ramp, detail), ramp, atol=1e-5)
    detail[:, 0] = 1.5 / 8
    assert torch.allclose(resample(ramp, detail)[0, 0, 3], (ramp[0, 0, 3] + 1.5).clamp(max=7))
    detail[:, 0], detail[:, 1] = 0, -2 / 8
    assert torch.allclose(resample(ramp.mT, detail)[0, 0, :, 5], (ramp[0, 0, 5] - 2).clamp(min=0))
    checks = torch.tensor([[0.0, 2.0], [2.0, 0.0]]).repeat(4, 4)[None, None]
    still = torch.zeros(1, 4, 8, 8)
    assert torch.allclose(resample(checks, still), torch.ones_like(checks), atol=1e-5)
    still[:, 2] = 0.5
    assert torch.allclose(resample(checks, still), 0.5 + checks / 2, atol=1e-5)
    half = resample(ramp.half(), detail)
    assert half.dtype == torch.float16


def test_truncation_pulls_towards_the_mean_below_the_cutoff() -> None:
    generator = make(64)
    generator.mapping.w_avg.normal_()
    z = torch.randn(3, 32)
    w = generator.mapping(z)
    ws = generator.w_plus(z, truncation_psi=0.25, truncation_cutoff=4)
    expected = generator.mapping.w_avg + 0.25 * (w - generator.mapping.w_avg)
    torch.testing.assert_close(ws[:, 3], expected)
    torch.testing.assert_close(ws[:, 4], w)


@pytest.mark.parametrize(
    ("resolution", "base", "widest", "gmac", "million"),
    [
        (256, 4096, 256, 1.15, None),
        (256, 8192, 512, 4.62, 19.4),
        (256, 16384, 512, 14.9, 24.8),
        (512, 16384, 512, 18.6, None),
        (1024, 32768, 512, 74.3, 30.4),
    ],
)
def test_cost_is_the_published_one(
    resolution: int, base: int, widest: int, gmac: float, million: float | None
) -> None:
    with torch.device("meta"):
        generator = Generator(
            GeneratorConfig(resolution, channel_base=base, channel_max=widest)
        ).eval()
        ws = torch.zeros(1, generator.config.num_ws, 512)
    # The published counts leave out FIR filters and style layers: up to 5 % here.
    assert macs(generator.synthesis, ws) / 1e9 == pytest.approx(gmac, rel=0.05)
    if million is not None:
        assert parameters(generator) / 1e6 == pytest.approx(million, rel=0.01)


@pytest.mark.parametrize("resolution", [64, 256, 1024])
@pytest.mark.parametrize("extra", [{}, {"noise": False, "feature_channels": ((8, 4),)}])
def test_architecture_is_read_off_the_shapes(resolution: int, extra: dict) -> None:
    config = GeneratorConfig(resolution, channel_base=16 * resolution, channel_max=64, **extra)
    with torch.device("meta"):
        state = Generator(config).state_dict()
    assert GeneratorConfig.from_state(state) == config


def test_other_architectures_are_refused() -> None:
    with pytest.raises(ToonifyError, match=r"synthesis\.b4\.const"):
        GeneratorConfig.from_state({"synthesis.L0.weight": torch.zeros(1)})
    with pytest.raises(ToonifyError, match="power of two"):
        GeneratorConfig(100)
