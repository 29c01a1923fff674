"""Parts of pictures that the losses look at more closely than the whole."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def cut(images: Tensor, corners: Tensor, width: int, height: int) -> Tensor:
    """One box of each picture: [N, C, H, W] -> [N, C, `height`, `width`].

    Args:
        images: float [N, C, H, W].
        corners: int64 [N, 2], the upper left corners (x, y).
        width: of the boxes, in pixels.
        height: of the boxes, in pixels.
    """
    boxes = [
        image[:, y : y + height, x : x + width]
        for image, (x, y) in zip(images, corners.tolist(), strict=True)
    ]
    return torch.stack(boxes).to(memory_format=torch.channels_last)


def eye_strips(images: Tensor, eyes: Tensor) -> Tensor:
    """Both eyes and brows, at twice their size: [N, C, S, S] -> [N, C, S / 2, S].

    Args:
        images: float [N, C, S, S].
        eyes: float32 [>= N, 2, 2], as in `engines.training.pairs.sampler.Batch`, in pixels of
            `images`.
    """
    side = images.shape[-1]
    width, height = side // 2, side // 4
    corners = eyes[: len(images)].mean(1).cpu() - torch.tensor([width / 2, height / 2])
    limits = torch.tensor([side - width, side - height])
    strips = cut(images, corners.long().clamp(min=0).minimum(limits), width, height)
    return F.interpolate(strips.float(), scale_factor=2, mode="bilinear")


def patch_corners(eyes: Tensor, side: int, patch: int) -> Tensor:
    """Corners (x, y), int64 [N, 2], of one patch in each picture: at an eye, or anywhere, in turn.

    Args:
        eyes: float32 [N, 2, 2] in pixels of the picture, as in `Batch`.
        side, patch: pixels of the picture and of the patch.
    """
    n, free = len(eyes), side - patch
    which, near = torch.randint(0, 2, (n,)), torch.randint(-8, 9, (n, 2))
    at_eye = (eyes.cpu()[torch.arange(n), which] - patch / 2).long() + near
    anywhere = torch.randint(0, free + 1, (n, 2))
    return torch.where(torch.arange(n)[:, None] % 2 == 0, at_eye.clamp(0, free), anywhere)
