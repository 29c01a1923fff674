"""Building blocks shared by generator, encoder and discriminator.

Formulas: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (arXiv 1912.04958)
and the run-time weight gains of "Progressive Growing of GANs" (arXiv 1710.10196).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SQRT2 = math.sqrt(2.0)
LEAK = 0.2
DEMODULATION_EPS = 1e-8


def leaky(x: Tensor, clamp: float | None = None) -> Tensor:
    """Leaky ReLU of slope 0.2 with gain sqrt(2), then clamped to +-`clamp` if that is given."""
    x = F.leaky_relu(x, LEAK) * SQRT2
    return x if clamp is None else x.clamp(-clamp, clamp)


class FullyConnected(nn.Module):
    """Linear layer with a run-time gain: `y = x @ (W * lr / sqrt(in)).T + b * lr`.

    Args:
        inputs, outputs: feature counts.
        bias_init: value the bias has at the start, after its gain.
        lr_multiplier: learning-rate multiplier folded into the gains (0.01 in the mapping network).
        activate: apply `leaky` to the output.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias_init: float = 0.0,
        lr_multiplier: float = 1.0,
        activate: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias_init / lr_multiplier))
        self.weight_gain = lr_multiplier / math.sqrt(inputs)
        self.bias_gain = lr_multiplier
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """`x`: [N, inputs] -> [N, outputs]."""
        y = F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)
        return leaky(y) if self.activate else y


class EqualizedConv(nn.Module):
    """Plain convolution with the run-time gain `1 / sqrt(in * k * k)`, same padding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain = 1 / math.sqrt(inputs * kernel * kernel)

    def forward(self, x: Tensor, stride: int = 1, padding: int | None = None) -> Tensor:
        """`x`: [N, inputs, H, W]; no activation is applied."""
        pad = self.weight.shape[-1] // 2 if padding is None else padding
        weight = (self.weight * self.gain).to(x.dtype)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.conv2d(x, weight, bias, stride=stride, padding=pad)


def fir_kernel() -> Tensor:
    """The binomial filter `[1,3,3,1] x [1,3,3,1] / 64` of StyleGAN2: float32 [4, 4], sum 1."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps) / 64


class Fir(nn.Module):
    """Depth-wise binomial filter.

    Args:
        channels: channel count of the input.
        gain: factor on the filter (4 after a zero-inserting up-sampling by two, else 1).
        padding: zeros added on every side.
        stride: 2 filters and keeps every second sample, which is StyleGAN2's down-sampling.
    """

    kernel: Tensor

    def __init__(
        self, channels: int, *, gain: float = 1.0, padding: int = 1, stride: int = 1
    ) -> None:
        super().__init__()
        self.channels, self.gain = channels, gain
        self.padding, self.stride = padding, stride
        self.rebuild_constants()

    def rebuild_constants(self) -> None:
        """Make the filter again, after the module was built without memory."""
        kernel = (fir_kernel() * self.gain).expand(self.channels, 1, 4, 4).contiguous()
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`x`: [N, channels, H, W]."""
        return F.conv2d(
            x,
            self.kernel.to(x.dtype),
            stride=self.stride,
            padding=self.padding,
            groups=x.shape[1],
        )


def bordered(x: Tensor) -> Tensor:
    """`x` [N, C, H, W] with its border repeated once outside."""
    return F.pad(x, (1, 1, 1, 1), mode="replicate")


def bilinear_phases(factor: int, like: Tensor) -> Tensor:
    """Weights of the 3x3 places about one that each of its `factor`^2 pixels is made of.

    Args:
        factor: even.
        like: gives type and device.

    Returns:
        [factor^2, 3, 3], in the order of `pixel_shuffle`.
    """
    at = (torch.arange(factor, device=like.device) + 0.5) / factor - 0.5
    taps = torch.stack([(-at).clamp(min=0), 1 - at.abs(), at.clamp(min=0)], 1)
    return torch.einsum("ia,jb->ijab", taps, taps).reshape(-1, 3, 3).to(like.dtype)


class Upsample2x(nn.Module):
    """StyleGAN2's FIR up-sampling by two with zeros outside the picture (padding 2, 1; gain 4).

    With the border repeated outside instead (`replicate`) it is ordinary bilinear up-sampling.

    Written as a depth-wise 3x3 convolution to four phases and a pixel shuffle: the same numbers as
    zero insertion plus filter at a quarter of the work, in operations every compiler knows.
    """

    phases: Tensor

    def __init__(self, channels: int, *, replicate: bool = False) -> None:
        super().__init__()
        self.channels = channels
        self.replicate = replicate
        self.rebuild_constants()

    def rebuild_constants(self) -> None:
        """Make the filter again, after the module was built without memory."""
        phases = (
            bilinear_phases(2, torch.ones(()))[:, None].repeat(self.channels, 1, 1, 1).contiguous()
        )
        self.register_buffer("phases", phases, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`x`: [N, channels, H, W] -> [N, channels, 2H, 2W]."""
        x = F.pad(x, (1, 1, 1, 1), mode="replicate" if self.replicate else "constant")
        y = F.conv2d(x, self.phases.to(x.dtype), groups=self.channels)
        return F.pixel_shuffle(y, 2)

    def up_to(self, x: Tensor, side: int) -> Tensor:
        """`x` [N, channels, H, H] doubled until it has `side`; itself if it has that."""
        while x.shape[-1] < side:
            x = self(x)
        return x


def demodulation(styles: Tensor, squares: Tensor) -> Tensor:
    """`rsqrt(styles^2 @ squares + eps)` in FP32, under autocast too.

    Args:
        styles: [N, in].
        squares: float32 [in, out].

    Returns:
        float32 [N, out].
    """
    if styles.dtype != squares.dtype:  # autocast made the styles; exporters see nothing of this
        with torch.autocast(styles.device.type, enabled=False):
            return demodulation(styles.float(), squares)
    return torch.rsqrt(styles.square() @ squares + DEMODULATION_EPS)


class ModulatedConv(nn.Module):
    """Style-modulated convolution in its static-weight form.

    Per-sample weights `w' = w * s`, normalised to unit length, equal scaling the input by `s`,
    convolving with the constant `w` and scaling the output by `rsqrt(sum((w * s)^2) + eps)`.
    Constant weights are what TensorRT and OpenVINO compile well, and they allow batches.

    Demodulated weights and styles are pre-normalised (weights by `sqrt(fan_in) * max|w|` per
    output channel, styles by `max|s|` per sample) so that FP16 never overflows; demodulation
    cancels both, and is itself always computed in FP32.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, w_dim: int, *, demodulate: bool, up: bool
    ) -> None:
        super().__init__()
        self.affine = FullyConnected(w_dim, inputs, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.fan_in = inputs * kernel * kernel
        self.demodulate = demodulate
        self.fir = Fir(outputs, gain=4.0) if up else None
        self._frozen: tuple[Tensor, Tensor] | None = None

    def _prepare(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Kernel in `dtype` and, for demodulation, its squared norms float32 [in, out]."""
        weight: Tensor = self.weight
        if not self.demodulate:
            return (weight / math.sqrt(self.fan_in)).to(dtype), weight.new_empty(0)
        if dtype == torch.float16:
            norm = weight.abs().amax(dim=(1, 2, 3), keepdim=True) * math.sqrt(self.fan_in)
            weight = weight / norm.clamp_min(1e-12)
        squares = weight.float().square().sum(dim=(2, 3)).t().contiguous()
        kernel = weight.transpose(0, 1).contiguous() if self.fir is not None else weight
        return kernel.to(dtype), squares

    @torch.no_grad()
    def freeze(self, dtype: torch.dtype) -> None:
        """Prepare the kernel once; later calls with the same `dtype` refill the same memory."""
        fresh = self._prepare(dtype)
        if self._frozen is not None and self._frozen[0].dtype == dtype:
            for old, new in zip(self._frozen, fresh, strict=True):
                old.copy_(new)
        else:
            self._frozen = (fresh[0].detach(), fresh[1].detach())

    def thaw(self) -> None:
        """Go back to reading the trainable weight on every call."""
        self._frozen = None

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """`x`: [N, in, H, W]; `w`: float32 [N, w_dim] -> [N, out, H, W] (2H, 2W if up)."""
        kernel, squares = self._frozen if self._frozen is not None else self._prepare(x.dtype)
        styles = self.affine(w.float())
        if self.demodulate and x.dtype == torch.float16:
            styles = styles / styles.abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
        x = x * styles.to(x.dtype)[:, :, None, None]
        if self.fir is not None:
            x = self.fir(F.conv_transpose2d(x, kernel, stride=2))
        else:
            x = F.conv2d(x, kernel, padding=kernel.shape[-1] // 2)
        if self.demodulate:
            x = x * demodulation(styles, squares).to(x.dtype)[:, :, None, None]
        return x

    def _apply(self, fn, recurse: bool = True):  # type: ignore[no-untyped-def]
        self._frozen = None  # a moved module does not take its prepared kernel along
        return super()._apply(fn, recurse)
