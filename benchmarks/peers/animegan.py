"""An image-to-image network of AnimeGANv2's size.

Layer table: the generator of https://github.com/TachibanaYoshino/AnimeGANv2 as its PyTorch port
(https://github.com/bryandlee/animegan2-pytorch, model.py) lists it; the authors give the size as
8.17 MB, which is 2.14 M weights in FP32.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers import PeerNetwork
from engines.networks.toon import picture_bytes

PUBLISHED_MEGABYTES = 8.17


class NormConv(nn.Sequential):
    """Reflect padding, convolution, layer normalisation, leaky ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(
            nn.ReflectionPad2d(kernel // 2),
            nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=groups > 1),
            nn.GroupNorm(1, outputs),
            nn.LeakyReLU(0.2),
        )


class InvertedResidual(nn.Module):
    """Expand by two, filter per channel, project; the identity is added where widths agree."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        wide = 2 * inputs
        self.body = nn.Sequential(
            NormConv(inputs, wide, 1),
            NormConv(wide, wide, 3, groups=wide),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.GroupNorm(1, outputs),
        )
        self.skips = inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """float [N, C, H, W]."""
        y = self.body(x)
        return x + y if self.skips else y


class AnimeNetwork(PeerNetwork):
    """Picture to picture at the same size; `size` is a multiple of 4."""

    def __init__(self, size: int = 256) -> None:
        super().__init__(AnimeGenerator(), size, size)

    def forward(self, crops: Tensor) -> tuple[Tensor]:
        """uint8 [N, S, S, 3] RGB -> uint8 [N, S, S, 3] RGB."""
        dtype = next(self.parameters()).dtype
        image = self.encoder(crops.permute(0, 3, 1, 2).to(dtype) * (2 / 255) - 1)
        return (picture_bytes(image.float()),)


class AnimeGenerator(nn.Module):
    """The layer table: down by four, inverted residuals, up by two twice."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(
            NormConv(3, 32, 7),
            NormConv(32, 64, stride=2),
            NormConv(64, 64),
            NormConv(64, 128, stride=2),
            NormConv(128, 128),
        )
        self.middle = nn.Sequential(
            NormConv(128, 128),
            InvertedResidual(128, 256),
            *(InvertedResidual(256, 256) for _ in range(3)),
            NormConv(256, 128),
        )
        self.half_size = nn.Sequential(NormConv(128, 128), NormConv(128, 128))
        self.full_size = nn.Sequential(NormConv(128, 64), NormConv(64, 64), NormConv(64, 32, 7))
        self.out = nn.Conv2d(32, 3, 1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """float [N, 3, S, S] in -1..1 -> the same."""
        x = self.half_size(_double(self.middle(self.down(image))))
        return torch.tanh(self.out(self.full_size(_double(x))))


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
