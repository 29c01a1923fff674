"""The last steps to a picture: plain convolutions with a sub-pixel shuffle (arXiv 1609.05158).

Each enlarges the picture so far bilinearly and adds what it draws. Both are one convolution, of
which the enlarging is a fixed part.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.networks.layers import bilinear_phases


class Enlarge(nn.Module):
    """A picture at twice its side, and what a convolution draws into it.

    Args:
        inputs: channels of the features that it is drawn from.
        bias: whether something can be drawn where the features are 0.
    """

    fixed: Tensor

    def __init__(self, inputs: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(12, inputs, 3, 3) / math.sqrt(9 * inputs) / 8)
        self.bias = nn.Parameter(torch.zeros(12)) if bias else None
        self.rebuild_constants()

    def rebuild_constants(self) -> None:
        """Make the filter again, after the module was built without memory."""
        fixed = torch.zeros(12, 3, 3, 3)
        for colour in range(3):
            fixed[4 * colour : 4 * colour + 4, colour] = bilinear_phases(2, fixed)
        self.register_buffer("fixed", fixed, persistent=False)

    def forward(self, x: Tensor, image: Tensor, extra: Tensor | None = None) -> Tensor:
        """Draw at twice the side.

        Args:
            x: [N, inputs, H + 2, W + 2].
            image: [N, 3, H + 2, W + 2].
            extra: [N, 12, H, W], added before the shuffle.

        Returns:
            float32 [N, 3, 2H, 2W].
        """
        kernel = torch.cat([self.weight, self.fixed], 1)
        both = torch.cat([x, image.to(x.dtype)], 1)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        y = F.conv2d(both, kernel.to(x.dtype), bias).float()
        return F.pixel_shuffle(y if extra is None else y + extra, 2)
