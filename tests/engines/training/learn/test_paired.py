"""What a generator is taught by pairs."""

from __future__ import annotations

import pytest
import torch

from engines.networks.fovea import BANDS
from engines.networks.generator import Drawing
from engines.training.learn.losses import FeatureDistance
from engines.training.learn.paired import PairWeights, band_losses, paired_losses, share
from engines.training.pairs.sampler import Sampler
from tests.engines.training.factory import tiny_pairs


@pytest.mark.parametrize(
    ("n", "part", "count"), [(8, 1.0, 8), (8, 0.25, 2), (8, 0.01, 1), (8, 0, 0)]
)
def test_share(n: int, part: float, count: int) -> None:
    assert share(n, part) == count


def test_a_perfect_drawing_has_nothing_to_lose() -> None:
    batch = Sampler(tiny_pairs(), 4).draw()
    weights = PairWeights(detail=1.0, colour=1.0, close_up=1.0)
    detail = torch.zeros(4, 4, 64, 64)
    detail[:, :2] = batch.warp
    drawing = Drawing(batch.toon, None, detail)
    losses = paired_losses(drawing, batch, weights, FeatureDistance(), toon=True)
    assert losses.pop("head") > 0.1  # nothing is known of it
    assert set(losses) == {
        *("l1", "edges", "detail", "colour", "features"),
        "eyes",
        "pupils",
        "irises",
        "warp",
    }
    assert all(loss < 1e-5 for loss in losses.values()), losses

    drawing = Drawing(batch.photo, None, torch.zeros(4, 4, 64, 64))
    face = paired_losses(drawing, batch, weights, FeatureDistance(), toon=False)
    assert set(face) == set(losses) - {"eyes", "pupils", "irises"} | {"head"}
    assert all(loss < 1e-5 for name, loss in face.items() if name != "head"), face


def test_a_term_without_weight_is_not_computed() -> None:
    batch = Sampler(tiny_pairs(), 2).draw()
    none = PairWeights(features=0.0, gradients=0.0, warp=0.0)
    drawing = Drawing(batch.photo, batch.head, None)
    losses = paired_losses(drawing, batch, none, FeatureDistance(), toon=True)
    assert set(losses) == {"l1", "mask"}


def test_what_is_beside_the_head_counts_less() -> None:
    batch = Sampler(tiny_pairs(), 2).draw()
    image = batch.toon.clone()
    image[:, :, :4] = 1.0  # wrong, far from the head
    drawing, distance = Drawing(image, None, None), FeatureDistance()
    here, everywhere = (
        paired_losses(drawing, batch, PairWeights(elsewhere=weight), distance, toon=True)
        for weight in (0.0, 1.0)
    )
    assert here["features"] < everywhere["features"]


def test_perfect_bands_have_nothing_to_lose() -> None:
    batch = Sampler(tiny_pairs(side=128), 4, crop=64).draw()
    image = torch.zeros(4, 3, 64, 64)
    weights = PairWeights(detail=1.0, colour=1.0)
    for toon, goal, other in ((True, batch.toon, batch.photo), (False, batch.photo, batch.toon)):
        drawing = Drawing(image, None, None, None, tuple(band.of(goal) for band in BANDS))
        losses = band_losses(drawing, batch, weights, FeatureDistance(), toon=toon)
        assert {name.split("_")[0] for name in losses} == {"eyes", "mouth"}
        assert all(loss < 1e-5 for loss in losses.values()), losses
        wrong = Drawing(image, None, None, None, tuple(band.of(other) for band in BANDS))
        for name, loss in band_losses(wrong, batch, weights, FeatureDistance(), toon=toon).items():
            assert loss > losses[name], name


def test_bands_of_a_goal_at_half_their_size_are_held_against_it_enlarged() -> None:
    batch = Sampler(tiny_pairs(side=64), 2).draw()
    enlarged = torch.nn.functional.interpolate(batch.toon, [128, 128], mode="bicubic")
    bands = tuple(band.of(enlarged) for band in BANDS)
    drawing = Drawing(torch.zeros(2, 3, 64, 64), None, None, None, bands)
    losses = band_losses(drawing, batch, PairWeights(), FeatureDistance(), toon=True)
    assert all(loss < 1e-5 for loss in losses.values()), losses
