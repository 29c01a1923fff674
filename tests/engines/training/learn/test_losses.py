"""What the networks are trained to lower."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engines.training.learn.losses import (
    FeatureDistance,
    colour_loss,
    detail_loss,
    shift_loss,
    swap_loss,
)


def test_a_swap_is_to_show_the_person_moved() -> None:
    photo = torch.rand(2, 3, 64, 64) * 2 - 1
    detail = torch.zeros(2, 4, 16, 16)
    detail[:, 2] = 1  # all of the detail
    assert swap_loss(photo, photo, detail) < 1e-5
    detail[:, 0] = 8 / 64  # taken from 8 px further right
    moved = photo.roll(-8, -1)
    moved[..., 56:] = photo[..., 63:]
    assert swap_loss(moved, photo, detail) < 1e-5
    assert swap_loss(photo, photo, detail) > 0.1
    detail[:, :3] = 0  # none of the detail
    soft = F.interpolate(F.avg_pool2d(photo, 4), 64, mode="bilinear")
    assert swap_loss(soft, photo, detail) < 1e-5


def test_colour_is_hue_and_saturation_without_light() -> None:
    torch.manual_seed(0)
    grey = torch.rand(2, 1, 32, 32).expand(-1, 3, -1, -1)
    assert colour_loss(grey, grey * 0.3) < 1e-6
    blue = grey + torch.tensor([-0.1, 0.0, 0.1])[:, None, None]
    assert colour_loss(blue, grey) == pytest.approx(0.2 / 3, rel=1e-4)  # 10 (0.1^2 + 0 + 0.1^2) / 3
    noise = blue + torch.randn(2, 3, 32, 32) * 0.05
    assert colour_loss(noise, blue) < 0.2 * colour_loss(blue, grey)


def test_detail_is_an_amount_and_no_place() -> None:
    torch.manual_seed(0)
    sharp = torch.rand(2, 3, 64, 64) * 2 - 1
    soft = F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    assert detail_loss(sharp, sharp) == 0
    assert detail_loss(sharp.roll(2, -1), sharp) < 0.2 * detail_loss(soft, sharp)
    elsewhere = torch.cat([soft[..., :32], sharp[..., 32:]], -1)
    assert detail_loss(elsewhere, elsewhere.flip(-1)) > 0.5 * detail_loss(soft, sharp)


def test_shift_loss_knows_shifted_pictures() -> None:
    torch.manual_seed(0)
    shift = torch.tensor([[3, -2], [-4, 1]])
    first = torch.rand(2, 3, 40, 40)
    second = torch.stack(
        [
            picture.roll((int(dy), int(dx)), (1, 2))
            for picture, (dx, dy) in zip(first, shift, strict=True)
        ]
    )
    images = torch.cat([first, second])
    assert shift_loss(images, shift, 1.0) == 0
    assert shift_loss(images, -shift, 1.0) > 0.1
    assert shift_loss(torch.cat([first, first]), shift, 1.0) > 0.1
    # At half the size only even moves come out whole: here none does.
    assert shift_loss(images, torch.tensor([[3, 1], [1, 1]]), 0.5) == 0


def test_the_feature_distance_counts_places_as_told() -> None:
    distance = FeatureDistance()
    a, b = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    b[..., 32:] = a[..., 32:]  # alike on the right
    left, right = torch.zeros(2, 1, 1, 64, 64)
    left[..., :32], right[..., 32:] = 1, 1
    plain = distance.per_picture(a, b)
    torch.testing.assert_close(distance.per_picture(a, b, left + right), plain)
    assert distance.per_picture(a, b, right) < plain < distance.per_picture(a, b, left)
    assert distance(a, b, left) == distance.per_picture(a, b, left).mean()
