"""The textbook form of StyleGAN2's synthesis: per-sample modulated weights, grouped convolution.

Written from the paper (arXiv 1912.04958) and the notes on zero insertion and FIR filtering, as the
reference for the static-weight form. It shares no arithmetic with `engines.networks`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]


def fir_up(x: Tensor) -> Tensor:
    """Zero insertion, padding (2, 1), binomial filter with gain 4."""
    n, c, h, w = x.shape
    y = x.new_zeros(n, c, 2 * h, 2 * w)
    y[:, :, ::2, ::2] = x
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype)
    kernel = (torch.outer(taps, taps) / 64 * 4)[None, None].repeat(c, 1, 1, 1)
    return F.conv2d(F.pad(y, (2, 1, 2, 1)), kernel, groups=c)


def modulated(x: Tensor, weight: Tensor, styles: Tensor, *, demodulate: bool, up: bool) -> Tensor:
    """Per-sample weights [N, O, I, k, k] applied by one grouped convolution."""
    n, k = x.shape[0], weight.shape[-1]
    w = weight[None] * styles[:, None, :, None, None]
    if demodulate:
        w = w * (w.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    x = x.reshape(1, -1, *x.shape[2:])
    if not up:
        y = F.conv2d(x, w.flatten(0, 1), padding=k // 2, groups=n)
        return y.reshape(n, -1, *y.shape[2:])
    y = F.conv_transpose2d(x, w.transpose(1, 2).flatten(0, 1), stride=2, groups=n)
    y = y.reshape(n, -1, *y.shape[2:])
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype)
    kernel = (torch.outer(taps, taps) / 16)[None, None].repeat(y.shape[1], 1, 1, 1)
    return F.conv2d(F.pad(y, (1, 1, 1, 1)), kernel, groups=y.shape[1])


def synthesis(state: State, ws: Tensor, clamp: float | None = 256.0) -> Tensor:
    """Picture [N, 3, R, R] for ws [N, num_ws, w_dim] from a neutral state dict."""

    def style(name: str, w: Tensor) -> Tensor:
        weight, bias = state[f"{name}.affine.weight"], state[f"{name}.affine.bias"]
        return w @ (weight / math.sqrt(weight.shape[1])).t() + bias

    def layer(name: str, x: Tensor, w: Tensor, up: bool) -> Tensor:
        weight = state[f"{name}.weight"]
        x = modulated(x, weight, style(name, w), demodulate=True, up=up)
        if f"{name}.noise_const" in state:
            x = x + state[f"{name}.noise_const"] * state[f"{name}.noise_strength"]
        x = F.leaky_relu(x + state[f"{name}.bias"][:, None, None], 0.2) * math.sqrt(2)
        return x if clamp is None else x.clamp(-clamp, clamp)

    image, r = None, 4
    x = state["synthesis.b4.const"][None].repeat(len(ws), 1, 1, 1)
    while f"synthesis.b{r}.conv1.weight" in state:
        k, block = int(math.log2(r)), f"synthesis.b{r}"
        if r > 4:
            x = layer(f"{block}.conv0", x, ws[:, 2 * k - 5], up=True)
        x = layer(f"{block}.conv1", x, ws[:, 2 * k - 4], up=False)
        weight = state[f"{block}.torgb.weight"]
        styles = style(f"{block}.torgb", ws[:, 2 * k - 3]) / math.sqrt(weight.shape[1])
        rgb = modulated(x, weight, styles, demodulate=False, up=False)
        rgb = rgb + state[f"{block}.torgb.bias"][:, None, None]
        rgb = rgb if clamp is None else rgb.clamp(-clamp, clamp)
        image = rgb if image is None else fir_up(image) + rgb
        r *= 2
    assert image is not None
    return image
