"""StyleGAN2's residual discriminator with minibatch standard deviation (arXiv 1912.04958)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engines.networks.layers import SQRT2, EqualizedConv, Fir, FullyConnected, leaky


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Sizes: block r has `min(channel_base // r, channel_max)` channels."""

    resolution: int
    channel_base: int = 32768
    channel_max: int = 512
    group_size: int = 4

    def channels(self, resolution: int) -> int:
        """Channel count entering the block at `resolution`."""
        return min(self.channel_base // resolution, self.channel_max)


class DiscriminatorBlock(nn.Module):
    """Two convolutions and a filtered down-sampling by two, with a 1x1 skip."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv0 = EqualizedConv(inputs, inputs, 3)
        self.conv1 = EqualizedConv(inputs, outputs, 3)
        self.skip = EqualizedConv(inputs, outputs, 1, bias=False)
        self.blur = Fir(inputs, padding=2)
        self.blur_skip = Fir(inputs, padding=1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """`x`: [N, in, H, W] -> [N, out, H/2, W/2]."""
        skip = self.skip(self.blur_skip(x))
        x = leaky(self.conv0(x))
        x = leaky(self.conv1(self.blur(x), stride=2, padding=0))
        return (x + skip) / SQRT2


def minibatch_std(x: Tensor, group_size: int) -> Tensor:
    """Append one channel: the mean over all features of their standard deviation in a group.

    `x`: [N, C, H, W] -> [N, C + 1, H, W]. The group shrinks to a divisor of N.
    """
    n, _, height, width = x.shape
    group = math.gcd(n, group_size)
    y = x.reshape(group, n // group, -1).float()
    std = (y.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=1)
    extra = std.repeat(group).to(x.dtype)[:, None, None, None].expand(n, 1, height, width)
    return torch.cat([x, extra], dim=1)


class Discriminator(nn.Module):
    """Judges pictures: larger means more like the training pictures."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        sides = [2**k for k in range(int(math.log2(config.resolution)), 2, -1)]
        self.from_rgb = EqualizedConv(3, config.channels(config.resolution), 1)
        self.blocks = nn.Sequential(
            *(DiscriminatorBlock(config.channels(r), config.channels(r // 2)) for r in sides)
        )
        last = config.channels(4)
        self.conv = EqualizedConv(last + 1, last, 3)
        self.fc = FullyConnected(last * 16, last, activate=True)
        self.out = FullyConnected(last, 1)

    def forward(self, image: Tensor) -> Tensor:
        """`image`: float [N, 3, R, R] in -1..1 -> logits [N, 1]."""
        x = self.blocks(leaky(self.from_rgb(image)))
        x = leaky(self.conv(minibatch_std(x, self.config.group_size)))
        return self.out(self.fc(x.flatten(1)))
