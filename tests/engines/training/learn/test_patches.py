"""Parts of pictures that are looked at more closely."""

from __future__ import annotations

import pytest
import torch

from engines.training.learn.patches import cut, eye_strips, patch_corners


def test_each_picture_gives_its_own_box() -> None:
    images = torch.arange(2 * 64).view(2, 1, 8, 8).float()
    boxes = cut(images, torch.tensor([[1, 2], [3, 0]]), 2, 3)
    assert torch.equal(boxes[0], images[0, :, 2:5, 1:3])
    assert torch.equal(boxes[1], images[1, :, 0:3, 3:5])


def test_eye_strips_show_the_eyes_enlarged() -> None:
    images = torch.zeros(3, 1, 64, 64)
    eyes = torch.tensor([[[24.0, 30], [40, 30]], [[50, 4], [66, 4]], [[20, 40], [36, 44]]])
    for image, centres in zip(images, eyes, strict=True):
        for x, y in centres.long().clamp(max=63).tolist():
            image[0, y, x] = 1
    strips = eye_strips(images, eyes)
    assert strips.shape == (3, 1, 32, 64)
    for strip, centres in zip(strips, eyes, strict=True):
        seen = (strip[0] > 0.5).nonzero().float()
        gap = float(seen[:, 1].max() - seen[:, 1].min())
        assert gap == pytest.approx(2 * float(min(centres[1, 0], 63) - centres[0, 0]), abs=2)


def test_half_of_the_patches_are_at_eyes() -> None:
    eyes = torch.tensor([[[10.0, 12], [22, 12]]]).expand(40, 2, 2)
    corners = patch_corners(eyes, 32, 16)
    assert corners.min() >= 0
    assert corners.max() <= 32 - 16
    centres = corners[::2] + 8
    nearest = (centres[:, None] - eyes[::2]).abs().amax(2).amin(1)
    assert nearest.max() <= 9  # the corners of a small picture allow no more
    assert len(corners[1::2].unique(dim=0)) > 10
