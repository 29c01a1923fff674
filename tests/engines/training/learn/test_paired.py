"""What a generator is taught by pairs."""

from __future__ import annotations

import pytest
import torch

from engines.networks.generator import Drawing
from engines.training.learn.losses import FeatureDistance
from engines.training.learn.paired import PairWeights, paired_losses, share
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
        "irises",
        "warp",
    }
    assert all(loss < 1e-5 for loss in losses.values()), losses

    drawing = Drawing(batch.photo, None, torch.zeros(4, 4, 64, 64))
    face = paired_losses(drawing, batch, weights, FeatureDistance(), toon=False)
    assert set(face) == set(losses) - {"eyes", "irises"} | {"head"}
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
