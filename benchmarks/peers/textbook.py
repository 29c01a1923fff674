"""StyleGAN2 as its paper writes it: weights modulated per sample, run as a grouped convolution.

This is the forward pass of the public PyTorch implementations (arXiv 1912.04958, section 2.2 and
appendix B), with the weights of one of our networks: same picture, other arithmetic.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from engines.networks.blocks import SynthesisLayer, ToRGB
from engines.networks.layers import ModulatedConv, Upsample2x, fir_kernel
from engines.networks.toon import ToonNetwork


def textbook(network: ToonNetwork) -> ToonNetwork:
    """A copy of `network` whose synthesis modulates weights instead of activations."""
    twin = copy.deepcopy(network)
    for block in (twin.synthesis.block(r) for r in twin.synthesis.config.resolutions):
        for module in block.children():
            # The layers keep their weights and change how they compute with them.
            for ours, theirs in _FORMS.items():
                if type(module) is ours:
                    module.__class__ = theirs
    return twin


class _Layer(SynthesisLayer):
    """A synthesis layer with weights per sample."""

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """`x`: [N, in, H, W]; `w`: [N, w_dim]."""
        x = _modulated(self, x, w)
        if self.noise:
            x = x + (self.noise_const * self.noise_strength).to(x.dtype)
        x = F.leaky_relu(x + self.bias.to(x.dtype)[None, :, None, None], 0.2) * math.sqrt(2)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class _ToRGB(ToRGB):
    """The layer that reads a picture off a block, with weights per sample."""

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """`x`: [N, in, H, W] -> float32 [N, 3, H, W]."""
        rgb = _modulated(self, x, w) + self.bias.to(x.dtype)[None, :, None, None]
        return (rgb if self.clamp is None else rgb.clamp(-self.clamp, self.clamp)).float()


class _Upsample(Upsample2x):
    """Zeros between pixels, then the binomial filter."""

    def forward(self, x: Tensor) -> Tensor:
        """`x`: [N, C, H, W] -> [N, C, 2H, 2W]."""
        n, channels, height, width = x.shape
        spread = x.reshape(n, channels, height, 1, width, 1)
        spread = F.pad(spread, (0, 1, 0, 0, 0, 1)).reshape(n, channels, 2 * height, 2 * width)
        return _filtered(spread, padding=(2, 1, 2, 1))


_FORMS = {SynthesisLayer: _Layer, ToRGB: _ToRGB, Upsample2x: _Upsample}


def _modulated(conv: ModulatedConv, x: Tensor, w: Tensor) -> Tensor:
    """Equations 1 and 3 of the paper, one weight tensor per sample."""
    styles: Tensor = conv.affine(w)
    weight: Tensor = conv.weight
    if not conv.demodulate:
        weight = weight / math.sqrt(conv.fan_in)
    elif x.dtype == torch.float16:
        peak = weight.abs().amax(dim=(1, 2, 3), keepdim=True) * math.sqrt(conv.fan_in)
        weight = weight / peak.clamp_min(1e-12)
        styles = styles / styles.abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
    weights = weight[None] * styles[:, None, :, None, None]
    if conv.demodulate:
        weights = weights * torch.rsqrt(weights.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
    return _grouped(x, weights.to(x.dtype), up=conv.fir is not None)


def _grouped(x: Tensor, weights: Tensor, *, up: bool) -> Tensor:
    """Each sample of x [N, I, H, W] with its own kernels [N, O, I, k, k]."""
    n, outputs, inputs, kernel, _ = weights.shape
    x = x.reshape(1, n * inputs, *x.shape[2:])
    if up:
        stacked = weights.transpose(1, 2).reshape(n * inputs, outputs, kernel, kernel)
        x = F.conv_transpose2d(x, stacked, stride=2, groups=n)
        x = _filtered(x, padding=(1, 1, 1, 1))
    else:
        stacked = weights.reshape(n * outputs, inputs, kernel, kernel)
        x = F.conv2d(x, stacked, padding=kernel // 2, groups=n)
    return x.reshape(n, outputs, *x.shape[2:])


def _filtered(x: Tensor, padding: tuple[int, int, int, int]) -> Tensor:
    channels = x.shape[1]
    kernel = (fir_kernel().to(x.device) * 4).to(x.dtype).expand(channels, 1, 4, 4)
    return F.conv2d(F.pad(x, padding), kernel, groups=channels)
