"""Encoder features, the moves and gains of fine detail, the head mask, and the photo's detail."""

from __future__ import annotations

from dataclasses import replace

import torch

from engines.networks.additions import ToDetail, resample, surroundings
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from tests.engines.networks.factory import make


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
        conditioned.synthesis.get_parameter(f"b{r}.inject.gate").zero_()
    shut = conditioned.synthesis(ws, features)
    assert torch.allclose(shut, plain.synthesis(ws), atol=1e-5)


def test_a_low_block_moves_the_finer_features_only() -> None:
    config = replace(make(64).config, feature_channels=((4, 8), (32, 12)), detail_resolution=8)
    generator = Generator(config).eval().requires_grad_(False)
    assert GeneratorConfig.from_state(generator.state_dict()) == config
    ws = torch.randn(1, config.num_ws, 32)
    features = {4: torch.randn(1, 8, 4, 4), 32: torch.randn(1, 12, 32, 32)}
    straight = generator.synthesis.draw(ws, features)
    assert straight.mask is None
    assert straight.detail is not None
    assert not straight.detail[:, :2].any()  # learning starts from no move at all
    assert (straight.detail[:, 2] == 1).all()
    # Four cells of 32 to the right, the same for all four neighbours that a place gives.
    move = generator.synthesis.get_parameter("b8.todetail.bias")
    move.copy_(torch.tensor([4 / 32] * 4 + [0.0] * 12) / ToDetail.REACH)
    moved = generator.synthesis.draw(ws, features)
    assert moved.detail is not None
    assert moved.detail.shape == (1, 4, 16, 16)
    by_hand = {4: features[4], 32: features[32][..., [*range(4, 32), *[31] * 4]]}
    move.zero_()
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
    gradient = synthesis.get_parameter("b8.todetail.weight").grad
    assert gradient is not None
    assert gradient.abs().max() > 0


def test_the_finest_detail_is_the_photos_where_the_network_says_so() -> None:
    config = replace(make(64).config, photo_resolution=32, detail_resolution=8)
    generator = Generator(config).eval().requires_grad_(False)
    assert GeneratorConfig.from_state(generator.state_dict()) == config
    ws, photo = torch.randn(1, config.num_ws, 32), torch.rand(1, 3, 64, 64)
    share = generator.synthesis.get_parameter("b32.tophoto.bias")
    drawn = generator.synthesis(ws)  # without a photo
    share.fill_(-30.0)
    assert torch.equal(generator.synthesis(ws, {64: photo}), drawn)
    share.fill_(30.0)
    fine = surroundings(drawn) + photo - surroundings(photo)
    assert torch.allclose(generator.synthesis(ws, {64: photo}), fine, atol=1e-4)
    share.fill_(0.0)
    assert torch.allclose(generator.synthesis(ws, {64: photo}), (drawn + fine) / 2, atol=1e-4)
    # The photo goes where the detail goes: eight pixels of 64 to the right.
    generator.synthesis.get_parameter("b8.todetail.bias")[:4] = 8 / 64 / ToDetail.REACH
    beyond = photo[..., [*range(8, 64), *[63] * 8]]
    fine = surroundings(drawn) + beyond - surroundings(beyond)
    share.fill_(30.0)
    assert torch.allclose(generator.synthesis(ws, {64: photo}), fine, atol=1e-4)
    smaller = generator.synthesis(ws, {64: photo}, resolution=32)  # as training begins
    assert smaller.shape == (1, 3, 32, 32)
    assert not torch.allclose(smaller, generator.synthesis(ws, resolution=32), atol=1e-3)


def test_the_mask_corrects_a_coarse_one() -> None:
    config = replace(make(64).config, mask_resolution=32, detail_resolution=8)
    generator = Generator(config).eval().requires_grad_(False)
    ws = torch.randn(1, config.num_ws, 32)
    generator.synthesis.get_parameter("b8.todetail.bias")[12:] = 3.0
    generator.synthesis.get_parameter("b32.tomask.bias").fill_(-1.0)
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
