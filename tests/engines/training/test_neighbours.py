"""Patches of a style."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engines.training.data import to_tensor
from engines.training.losses import FeatureDistance
from engines.training.neighbours import ALIKE, DEEP, Neighbours, _nearest, look
from tests.engines.training.factory import smooth_pictures


@pytest.fixture(scope="module")
def features() -> FeatureDistance:
    return FeatureDistance()


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator), dim=1)


@pytest.mark.parametrize("side", [4, 8, 32])
def test_a_map_is_its_own_nearest(side: int) -> None:
    maps = unit(3, 24, side, side)
    assert float(_nearest(maps[:1], maps)) == pytest.approx(0, abs=1e-5)
    assert float(_nearest(maps[:1], maps[1:])) > 0.2


def test_the_nearest_is_searched_near_the_same_place_only() -> None:
    """A patch that stands half a block away is found, one at the other end of the picture not."""
    one = unit(1, 24, 32, 32)
    assert float(_nearest(one, one.roll(2, 3))) < 0.1
    assert float(_nearest(one, one.roll(16, 3))) > 0.3


def test_a_mirrored_style_is_as_near(features: FeatureDistance) -> None:
    """People look to both sides, the style's pictures perhaps to one."""
    pictures = to_tensor(list(smooth_pictures(6, 64)))
    taps = features.features(pictures)
    plain, turned = Neighbours(), Neighbours()
    plain.add(taps, pictures)
    turned.add([tap.flip(3) for tap in taps], pictures.flip(3))
    looks = look(taps, pictures)
    distances = [float(style.distance(taps, looks)) for style in (plain, turned)]
    assert distances[0] == pytest.approx(distances[1], abs=1e-3)
    assert distances[0] < 0.01  # each finds itself among those it is compared with


def test_people_are_compared_with_those_like_them(features: FeatureDistance) -> None:
    pictures = to_tensor(list(smooth_pictures(2 * ALIKE, 64)))
    taps = features.features(pictures)
    looks = look(taps, pictures)
    products = looks @ looks.T
    assert torch.equal(products.argmax(1), torch.arange(len(looks)))
    darker = look(taps, pictures - 0.5)
    assert (darker * looks).sum(1).max() < products.diagonal().min()  # light counts as well
    assert looks.shape[1] == taps[DEEP].shape[1] * 16 + 3 * 64


def test_drawing_moves_towards_the_style(features: FeatureDistance) -> None:
    """The gradient lowers the distance, both of what is drawn and of what is missing."""
    style = to_tensor(list(smooth_pictures(3, 64, seed=1)))
    bank = Neighbours()
    with torch.no_grad():
        bank.add(features.features(style), style)
    person = to_tensor(list(smooth_pictures(1, 64, seed=2)))
    looks = look(features.features(person), person)
    drawn = person.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([drawn], 0.005)
    values = []
    for _ in range(25):
        loss = bank.distance(features.features(drawn), looks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < 0.8 * values[0]
