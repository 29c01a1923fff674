"""What our generators can have beyond StyleGAN2; public models have none of it.

* `inject`: a 1x1 convolution and a learned gate that add an encoder's feature map to the input of
  a block's second convolution;
* `todetail`: a 1x1 convolution that reads off one block from where, and how strongly, the finer
  feature maps are taken. A cartoon's head has another shape than the person's, and convolutions
  carry fine detail only a few pixels far; a block of low resolution, which knows the shape, moves
  it instead, and leaves it out where the picture should be soft. So shape stays a matter of the low
  layers and detail one of the high layers, as layer swapping wants it;
* `tomask`: a 1x1 convolution that reads a soft head mask off one block, as a correction of the
  coarse one that `todetail` gives: a single pixel does not show whether it is hair or wall;
* `tophoto`: a 1x1 convolution that reads off one block where the picture's finest detail is the
  photo's, moved as `todetail` says. Walls, cloth and strands of hair are the person's own, and
  nothing that was encoded and drawn again is as sharp;
* `finish`: see `engines.networks.finish`;
* `fovea`: see `engines.networks.fovea`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Inject(nn.Module):
    """Learned gate behind which an encoder's feature map joins the synthesis features."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1) / math.sqrt(inputs))
        self.gate = nn.Parameter(torch.ones(outputs))

    def forward(self, x: Tensor, feature: Tensor) -> Tensor:
        """`x`: [N, out, H, W]; `feature`: [N, in, H, W]."""
        kernel = self.weight * self.gate[:, None, None, None]
        return x + F.conv2d(feature.to(x.dtype), kernel.to(x.dtype))


class ToMask(nn.Module):
    """Reads the logits of a soft mask off a block's features."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """`x`: [N, in, H, W] -> float32 logits [N, 1, H, W]."""
        return F.conv2d(x.float(), self.weight, self.bias)


SURROUNDINGS = 4  # side of what counts as the surroundings of a place, in places of a feature map


class ToDetail(nn.Module):
    """Reads off a block's features where each place takes its fine detail from, and how much.

    It also reads whether the place is head.
    """

    REACH, STEEPNESS = 0.1, 4.0  # weights of ordinary size make moves and gains of ordinary size
    smooth: Tensor

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(16, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(16))
        self.rebuild_constants()

    def rebuild_constants(self) -> None:
        """Make the filter again, after the module was built without memory."""
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("smooth", torch.outer(line, line).repeat(4, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`x`: [N, in, H, W] -> float32 [N, 4, 2H, 2W]: move x, move y, gain, head.

        Moves are shares of the picture's side, gains 0..2, head is a logit; without learning they
        are 0, 1 and 0. Four neighbours come from one place (the sub-pixel convolution of arXiv
        1609.05158), smoothed so that they make no checkerboard.
        """
        y = F.pixel_shuffle(F.conv2d(x.float(), self.weight, self.bias), 2)
        y = F.conv2d(F.pad(y, (1, 1, 1, 1), mode="replicate"), self.smooth, groups=4)
        gain = 2 * torch.sigmoid(y[:, 2:3] * self.STEEPNESS)
        return torch.cat([y[:, :2] * self.REACH, gain, y[:, 3:]], 1)


def resample(feature: Tensor, detail: Tensor) -> Tensor:
    """`feature` [N, C, H, H] taken as `detail` [N, 4, H, H] (see `ToDetail`) says.

    Bilinear; places outside the map repeat its border. The gain is that of the detail, what a place
    has beyond its surroundings: 0 leaves a soft picture in the right colours.
    """
    taken = moved(feature, detail[:, :2])
    return torch.lerp(surroundings(taken), taken, detail[:, 2:3].float()).to(feature.dtype)


def surroundings(x: Tensor) -> Tensor:
    """`x` [N, C, H, H] without its detail: every place the mean of those about it."""
    return F.interpolate(
        F.avg_pool2d(x, SURROUNDINGS),
        scale_factor=SURROUNDINGS,
        mode="bilinear",
        align_corners=False,
    )


def moved(image: Tensor, moves: Tensor) -> Tensor:
    """`image` [N, C, H, H] taken from `moves` [N, 2, G, G] away: float32 [N, C, H, H].

    Moves are shares of the picture's side, interpolated when G is not H.
    """
    side, moves = image.shape[-1], moves.float()
    if moves.shape[-1] != side:
        moves = F.interpolate(moves, [side, side], mode="bilinear", align_corners=False)
    centres = (torch.arange(side, device=moves.device) + 0.5) * (2 / side) - 1
    here = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), -1)
    there = here + 2 * moves.permute(0, 2, 3, 1)
    return F.grid_sample(image.float(), there, padding_mode="border", align_corners=False)
