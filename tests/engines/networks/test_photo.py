"""The photo in the toon's shape, by squares of pixels."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engines.networks.additions import moved, surroundings
from engines.networks.photo import Photo, enlarged


@pytest.mark.parametrize("factor", [2, 4])
def test_enlarging_is_bilinear(factor: int) -> None:
    x = torch.rand(2, 3, 8, 12)
    wanted = F.interpolate(x, scale_factor=factor, mode="bilinear")
    assert torch.allclose(enlarged(x, factor), wanted, atol=1e-6)


def test_squares_hold_what_single_pixels_would() -> None:
    photo, plan = torch.rand(2, 3, 64, 64), 0.05 * torch.randn(2, 4, 16, 16)
    gain = plan[:, 2:3] = torch.rand(2, 1, 16, 16) * 2
    taken = Photo.take(photo, plan)
    wanted = moved(photo, F.interpolate(plan[:, :2], 64, mode="bilinear"))
    detail = wanted - surroundings(wanted)
    assert torch.allclose(F.pixel_shuffle(taken.halves, 2), wanted, atol=1e-5)
    assert torch.allclose(F.pixel_shuffle(taken.detail, 2), detail, atol=1e-5)
    soft = wanted + (F.interpolate(gain, 64, mode="nearest") - 1) * detail
    assert torch.allclose(F.pixel_shuffle(taken.at(32), 2), soft, atol=1e-5)
    assert torch.equal(F.pixel_shuffle(taken.at(16), 2), taken.at(32))
