"""StyleGAN2 as its paper writes it: weights modulated per sample, run as a grouped convolution.

This is the forward pass of the public PyTorch implementations (arXiv 1912.04958, section 2.2 and
appendix B), with the weights of one of our networks: same picture, other arithmetic.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.networks.additions import moved, resample, surroundings
from engines.networks.generator import SynthesisBlock, SynthesisLayer
from engines.networks.layers import ModulatedConv, fir_kernel
from engines.networks.toon import ToonNetwork, to_bytes


def grown(x: Tensor, side: int) -> Tensor:
    """`x` [N, C, H, H] to a larger `side`, bilinearly, by two at a time."""
    while x.shape[-1] < side:
        x = F.interpolate(x, scale_factor=2, mode="bilinear")
    return x


class TextbookNetwork(nn.Module):
    """A copy of `network` that modulates weights instead of activations.

    It keeps the parts that back ends set precision on: `encoder` and `synthesis`.
    """

    fir: Tensor

    def __init__(self, network: ToonNetwork) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(network.encoder)
        self.synthesis = copy.deepcopy(network.synthesis)
        self.input_size, self.output_size = network.input_size, network.output_size
        self.has_mask = False
        self.register_buffer("fir", fir_kernel(), persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        """uint8 [N, S, S, 3] RGB -> uint8 [N, R, R, 3] RGB."""
        dtype = next(self.encoder.parameters()).dtype
        w_plus, features = self.encoder(crops.permute(0, 3, 1, 2).to(dtype) * (2 / 255) - 1)
        image = self.synthesize(w_plus.float(), features)
        return to_bytes(image.permute(0, 2, 3, 1) * 127.5 + 127.5)

    def synthesize(self, w_plus: Tensor, features: dict[int, Tensor]) -> Tensor:
        """float32 [N, num_ws, w_dim] -> float32 [N, 3, R, R]."""
        ws = w_plus.unbind(dim=1)
        x = self.synthesis.block(4).const[None].expand(len(w_plus), -1, -1, -1)
        image: Tensor | None = None
        detail: Tensor | None = None
        share: Tensor | None = None
        for k, resolution in enumerate(self.synthesis.config.resolutions):
            block = self.synthesis.block(resolution)
            x = x.to(self.synthesis.block_dtype(resolution))
            if k > 0:
                x = self._layer(block.conv0, x, ws[2 * k - 1])
            if block.inject is not None and resolution in features:
                feature = features[resolution]
                if detail is not None:
                    feature = resample(feature, grown(detail, resolution))
                x = block.inject(x, feature)
            x = self._layer(block.conv1, x, ws[2 * k])
            if block.todetail is not None:
                detail = block.todetail(x)
            if block.tophoto is not None:
                share = block.tophoto(x)
            image = self._skip(block, x, ws[2 * k + 1], image)
        assert image is not None
        photo = features.get(self.output_size)
        if share is not None and photo is not None:
            if detail is not None:
                photo = moved(photo, grown(detail[:, :2], self.output_size))
            other = photo.float() - image
            share = torch.sigmoid(grown(share, self.output_size))
            image = image + share * (other - surroundings(other))
        return image

    def _layer(self, layer: SynthesisLayer, x: Tensor, w: Tensor) -> Tensor:
        x = self._modulated(layer, x, w)
        if layer.noise:
            x = x + (layer.noise_const * layer.noise_strength).to(x.dtype)
        x = F.leaky_relu(x + layer.bias.to(x.dtype)[None, :, None, None], 0.2) * math.sqrt(2)
        return x if layer.clamp is None else x.clamp(-layer.clamp, layer.clamp)

    def _skip(self, block: SynthesisBlock, x: Tensor, w: Tensor, image: Tensor | None) -> Tensor:
        rgb = self._modulated(block.torgb, x, w) + block.torgb.bias.to(x.dtype)[None, :, None, None]
        if block.torgb.clamp is not None:
            rgb = rgb.clamp(-block.torgb.clamp, block.torgb.clamp)
        return rgb.float() if image is None else self._upsample(image) + rgb.float()

    def _modulated(self, conv: ModulatedConv, x: Tensor, w: Tensor) -> Tensor:
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
            weights = weights * torch.rsqrt(
                weights.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8
            )
        return self._grouped(x, weights.to(x.dtype), up=conv.fir is not None)

    def _grouped(self, x: Tensor, weights: Tensor, *, up: bool) -> Tensor:
        """Each sample of x [N, I, H, W] with its own kernels [N, O, I, k, k]."""
        n, outputs, inputs, kernel, _ = weights.shape
        x = x.reshape(1, n * inputs, *x.shape[2:])
        if up:
            stacked = weights.transpose(1, 2).reshape(n * inputs, outputs, kernel, kernel)
            x = F.conv_transpose2d(x, stacked, stride=2, groups=n)
            x = self._filter(x, padding=(1, 1, 1, 1))
        else:
            stacked = weights.reshape(n * outputs, inputs, kernel, kernel)
            x = F.conv2d(x, stacked, padding=kernel // 2, groups=n)
        return x.reshape(n, outputs, *x.shape[2:])

    def _upsample(self, image: Tensor) -> Tensor:
        """Zeros between pixels, then the binomial filter."""
        n, channels, height, width = image.shape
        spread = image.reshape(n, channels, height, 1, width, 1)
        spread = F.pad(spread, (0, 1, 0, 0, 0, 1)).reshape(n, channels, 2 * height, 2 * width)
        return self._filter(spread, padding=(2, 1, 2, 1))

    def _filter(self, x: Tensor, padding: tuple[int, int, int, int]) -> Tensor:
        channels = x.shape[1]
        kernel = (self.fir * 4).to(x.dtype).expand(channels, 1, 4, 4)
        return F.conv2d(F.pad(x, padding), kernel, groups=channels)
