"""A generator of MobileStyleGAN's size (arXiv 2104.04767).

Layer table: https://github.com/bes-dev/MobileStyleGAN.pytorch,
core/models/mobile_synthesis_network.py and the modules it names: modulated depth-wise separable
convolutions, Haar wavelet up-sampling, wavelet coefficients as output. The paper gives 8.01 M
parameters and 15.09 GMAC at 1024 px. The table adds up to about half of those GMAC when a
multiply-accumulate counts once; the heads that only training needs are left out, as the authors do
when they export.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers import PeerNetwork
from engines.networks.toon import picture_bytes

CHANNELS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64}
STYLE = 512
PUBLISHED_PARAMETERS = 8.01e6
PUBLISHED_MACS = 15.09e9


class Modulation(nn.Linear):
    """Style vector to one factor per input channel."""

    def __init__(self, channels: int) -> None:
        super().__init__(STYLE, channels)

    def forward(self, w: Tensor) -> Tensor:
        """[N, STYLE] -> [N, C, 1, 1]."""
        return (super().forward(w) + 1)[:, :, None, None]


class StyledConv(nn.Module):
    """Modulated convolution, dense or separable; demodulation uses one learned style for all."""

    def __init__(self, inputs: int, outputs: int, *, separable: bool) -> None:
        super().__init__()
        self.modulation = Modulation(inputs)
        self.scale = 1 / math.sqrt(9 * inputs)
        self.noise = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(1, outputs, 1, 1))
        self.demodulation = nn.Parameter(torch.ones(1, outputs, 1, 1))
        spatial = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.conv = (
            nn.Sequential(spatial, nn.Conv2d(inputs, outputs, 1, bias=False))
            if separable
            else nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        )

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """[N, C, H, W] with noise [H, W]."""
        x = self.conv(x * self.modulation(w) * self.scale) * self.demodulation
        return F.leaky_relu(x + noise * self.noise + self.bias, 0.2)


class WaveletBlock(nn.Module):
    """Haar synthesis to twice the size at a quarter of the channels, then two convolutions."""

    noise: Tensor

    def __init__(self, inputs: int, outputs: int, resolution: int) -> None:
        super().__init__()
        self.conv0 = StyledConv(inputs // 4, outputs, separable=True)
        self.conv1 = StyledConv(outputs, outputs, separable=True)
        self.register_buffer("noise", torch.randn(2, resolution, resolution))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', 2H, 2W]."""
        x = self.conv0(haar_synthesis(x), w, self.noise[0])
        return self.conv1(x, w, self.noise[1])


class MobileStyleNetwork(PeerNetwork):
    """Generator behind the interface of a toon network.

    The published network is a generator without an encoder. Here the mean colour of the crop,
    projected to a style, replaces the encoder. So no part folds to a constant, not even the mapping
    network.
    """

    def __init__(self, resolution: int = 1024, input_size: int = 256) -> None:
        super().__init__(MobileGenerator(resolution), input_size, resolution)

    def forward(self, crops: Tensor) -> tuple[Tensor]:
        """uint8 [N, S, S, 3] RGB -> uint8 [N, R, R, 3] RGB."""
        colour = crops.float().mean(dim=(1, 2)) / 255
        image = self.encoder(colour.to(next(self.parameters()).dtype))
        return (picture_bytes(image.float()),)


class MobileGenerator(nn.Module):
    """Mapping and synthesis for `resolution` px, a power of two up to 1024."""

    noise: Tensor

    def __init__(self, resolution: int) -> None:
        super().__init__()
        sides = [side for side in CHANNELS if side < resolution]
        self.project = nn.Linear(3, STYLE)
        self.mapping = nn.Sequential(
            *(m for _ in range(8) for m in (nn.Linear(STYLE, STYLE), nn.LeakyReLU(0.2)))
        )
        self.const = nn.Parameter(torch.randn(1, CHANNELS[4], 4, 4))
        self.register_buffer("noise", torch.randn(4, 4))
        self.first = StyledConv(CHANNELS[4], CHANNELS[4], separable=False)
        self.blocks = nn.ModuleList(
            WaveletBlock(CHANNELS[side // 2], CHANNELS[side], side) for side in sides[1:]
        )
        self.out_modulation = Modulation(CHANNELS[sides[-1]])
        self.out = nn.Conv2d(CHANNELS[sides[-1]], 12, 1)

    def forward(self, colour: Tensor) -> Tensor:
        """float [N, 3] -> float [N, 3, R, R]."""
        w = self.mapping(self.project(colour))
        x = self.first(self.const.expand(len(w), -1, -1, -1), w, self.noise)
        for block in self.blocks:
            x = block(x, w)
        return haar_synthesis(self.out(x * self.out_modulation(w)))


def haar_synthesis(x: Tensor) -> Tensor:
    """Inverse Haar transform: [N, 4C, H, W] as (LL, LH, HL, HH) -> [N, C, 2H, 2W]."""
    ll, lh, hl, hh = x.chunk(4, dim=1)
    quarters = [ll + lh + hl + hh, ll - lh + hl - hh, ll + lh - hl - hh, ll - lh - hl + hh]
    stacked = torch.stack([quarter / 2 for quarter in quarters], dim=2)
    return F.pixel_shuffle(stacked.flatten(1, 2), 2)
