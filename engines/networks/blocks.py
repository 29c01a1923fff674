"""The layers of one resolution of a StyleGAN2 generator, and what reads off or adds to them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.networks.additions import Inject, ToDetail, ToMask
from engines.networks.finish import Enlarge
from engines.networks.fovea import Fovea
from engines.networks.generator_config import GeneratorConfig
from engines.networks.layers import ModulatedConv, Upsample2x, leaky


class SynthesisLayer(ModulatedConv):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU, clamp."""

    noise_const: Tensor

    def __init__(self, config: GeneratorConfig, inputs: int, resolution: int, *, up: bool) -> None:
        outputs = config.channels(resolution)
        super().__init__(inputs, outputs, 3, config.w_dim, demodulate=True, up=up)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.clamp = config.conv_clamp
        self.noise = config.noise
        if config.noise:
            self.noise_strength = nn.Parameter(torch.zeros(()))
            self.register_buffer("noise_const", torch.randn(resolution, resolution))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """`x`: [N, in, H, W]; `w`: [N, w_dim]."""
        x = super().forward(x, w)
        if self.noise:
            # Apart from the bias: compilers would fold both into one constant of C x H x W.
            x = x + (self.noise_const * self.noise_strength).to(x.dtype)
        return leaky(x + self.bias.to(x.dtype)[None, :, None, None], self.clamp)


class ToRGB(ModulatedConv):
    """Modulated 1x1 convolution to three channels, without demodulation."""

    def __init__(self, config: GeneratorConfig, resolution: int) -> None:
        inputs = config.channels(resolution)
        super().__init__(inputs, 3, 1, config.w_dim, demodulate=False, up=False)
        self.bias = nn.Parameter(torch.zeros(3))
        self.clamp = config.conv_clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """`x`: [N, in, H, W] -> float32 [N, 3, H, W]."""
        y = super().forward(x, w) + self.bias.to(x.dtype)[None, :, None, None]
        return (y if self.clamp is None else y.clamp(-self.clamp, self.clamp)).float()


class SynthesisBlock(nn.Module):
    """All layers of one resolution."""

    def __init__(self, config: GeneratorConfig, resolution: int) -> None:
        super().__init__()
        channels = config.channels(resolution)
        if resolution == 4:
            self.const = nn.Parameter(torch.randn(channels, 4, 4))
        else:
            inputs = config.channels(resolution // 2)
            self.conv0 = SynthesisLayer(config, inputs, resolution, up=True)
            self.upsample = Upsample2x(3)
        self.conv1 = SynthesisLayer(config, channels, resolution, up=False)
        self.torgb = ToRGB(config, resolution)
        features = {**dict(config.feature_channels), **config.photo_channels}.get(resolution)
        self.inject = Inject(features, channels) if features else None
        self.tomask = ToMask(channels) if config.mask_resolution == resolution else None
        self.todetail = ToDetail(channels) if config.detail_resolution == resolution else None
        self.tophoto = ToMask(channels) if config.photo_resolution == resolution else None
        last = resolution == config.resolution
        self.finish = Enlarge(channels) if config.finish and last else None
        fovea = config.fovea_channels if last else 0
        self.fovea = Fovea(channels, fovea) if fovea else None

    def forward(
        self, x: Tensor | None, image: Tensor | None, ws: list[Tensor], feature: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """`ws`: conv0's (absent at 4x4), conv1's and torgb's style vectors."""
        if x is None:
            x = self.const[None].expand(ws[0].shape[0], -1, -1, -1)
            x = x.to(memory_format=torch.channels_last)
        else:
            x = self.conv0(x, ws[0])
        if feature is not None and self.inject is not None:
            x = self.inject(x, feature)
        x = self.conv1(x, ws[-2])
        rgb = self.torgb(x, ws[-1])
        return x, rgb if image is None else self.upsample(image) + rgb
