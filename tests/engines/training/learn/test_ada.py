"""Adaptive augmentation: nothing at p = 0, the right statistics above, the controller's sense."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engines.training.learn.ada import Controller, Strengths, augment

NONE = Strengths(0, 0, 0, 0, 0, 0, 0, 0)
SINGLE = {
    "shift": replace(NONE, shift=0.125),
    "scale": replace(NONE, scale=0.2),
    "rotation": replace(NONE, rotation=180),
    "brightness": replace(NONE, brightness=0.2),
    "contrast": replace(NONE, contrast=0.5),
    "saturation": replace(NONE, saturation=1.0),
    "hue": replace(NONE, hue=180),
    "cutout": replace(NONE, cutout=0.5),
    "mirror": NONE,
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def changed(p: float, strengths: Strengths, count: int = 400) -> float:
    """Share of pictures that differ."""
    torch.manual_seed(1)
    images = torch.rand(1, 3, 16, 16).expand(count, -1, -1, -1) * 1.6 - 0.8
    out = augment(images, p, rng(), strengths)
    return float(((out - images).abs().amax((1, 2, 3)) > 1e-3).float().mean())


def test_p_zero_is_the_identity() -> None:
    images = torch.rand(4, 3, 32, 32)
    assert torch.equal(augment(images, 0.0, rng()), images)


@pytest.mark.parametrize("name", SINGLE)
def test_each_change_happens_with_probability_p(name: str) -> None:
    """The mirror, half of whose draws change nothing, takes part in every case."""
    share = 0.3
    mirror = share / 2
    # Shift has two draws (whole and part) in two directions each.
    quiet = {"mirror": 1.0, "shift": (1 - share) ** 4}.get(name, 1 - share)
    expected = 1 - (1 - mirror) * quiet
    assert changed(share, SINGLE[name]) == pytest.approx(expected, abs=0.08)


def test_the_seed_decides() -> None:
    images = torch.rand(6, 3, 32, 32)
    first, same, other = (augment(images, 0.7, rng(s)) for s in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert first.shape == images.shape
    assert first.dtype == torch.float32


def test_gradients_flow_back() -> None:
    images = torch.rand(6, 3, 32, 32, requires_grad=True)
    augment(images, 0.8, rng()).square().sum().backward()
    assert images.grad is not None
    assert (images.grad.abs().amax((1, 2, 3)) > 0).all()


def colours(images: Tensor) -> Tensor:
    return images.mean((2, 3))


def test_colour_changes_have_their_meaning() -> None:
    torch.manual_seed(0)
    images = torch.rand(200, 3, 8, 8) - 0.5
    grey = images.mean(1, keepdim=True).expand_as(images)

    brighter = augment(images, 1.0, rng(), SINGLE["brightness"])
    offset = (colours(brighter) - colours(images)).mean(1)
    assert offset.std() == pytest.approx(0.2, rel=0.2)
    assert offset.mean() == pytest.approx(0, abs=0.05)

    for name in ("hue", "saturation"):
        out = augment(images, 1.0, rng(), SINGLE[name])
        # Brightness is kept, and grey pictures stay grey.
        assert torch.allclose(
            out.mean(1).flatten(1).sort()[0], images.mean(1).flatten(1).sort()[0], atol=1e-4
        )
        plain = augment(grey, 1.0, rng(), SINGLE[name])
        assert torch.allclose(plain.std(1), torch.zeros(200, 8, 8), atol=1e-5)


def test_cutout_blanks_a_square() -> None:
    images = torch.full((64, 3, 32, 32), 0.7)
    out = augment(images, 1.0, rng(), SINGLE["cutout"])
    blank = (out == 0).float().mean((1, 2, 3))
    assert blank.max() <= 0.25 + 1e-6
    assert blank.min() >= 0.25 / 4 - 0.02  # a corner
    assert ((out == 0) | (out == 0.7)).all()


def test_pictures_stay_in_place_under_a_mirror() -> None:
    images = torch.rand(40, 3, 16, 16)
    out = augment(images, 1.0, rng(), NONE)
    mirrored = images.flip(3)
    same = (out - images).abs().amax((1, 2, 3)) < 1e-4
    other = (out - mirrored).abs().amax((1, 2, 3)) < 1e-4
    assert (same | other).all()
    assert 8 < int(same.sum()) < 32


def feed(controller: Controller, sign: float, batches: int) -> float:
    for _ in range(batches):
        controller.update(sign, 8)
    return controller.p


def test_the_controller_follows_overfitting() -> None:
    controller = Controller(horizon=320)
    assert feed(controller, 1.0, 3) == 0.0  # not before four batches
    assert feed(controller, 1.0, 1) == pytest.approx(0.1)
    assert feed(controller, 1.0, 100) == controller.limit == 0.8
    assert feed(controller, 0.2, 8) == pytest.approx(0.6)
    assert feed(controller, 0.0, 400) == 0.0


def test_the_controller_averages_and_is_restored() -> None:
    controller = Controller(horizon=320)
    for sign in (1.0, 1.0, 1.0, -1.0):  # mean 0.5, below the target
        controller.update(sign, 8)
    assert controller.p == 0.0
    feed(controller, 1.0, 6)
    twin = Controller(**controller.state())
    assert feed(twin, 1.0, 7) == feed(controller, 1.0, 7)
