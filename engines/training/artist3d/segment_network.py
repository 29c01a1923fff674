"""The small network behind `segment`: a U-Net of separable blocks, 0.35 million parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.training.artist3d.segment import PARTS

INPUTS = 9  # RGB, person and the maps of `segment.landmark_maps`
WIDTHS = (24, 40, 72, 112, 144)  # channels at 1/2, 1/4, ... of the picture
DEPTHS = (1, 2, 3, 3, 2)  # blocks there
HEAD_WIDTH = 16  # channels at full size


def _separable(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )


class _Block(nn.Module):
    """Two separable convolutions with a shortcut."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.first = _separable(width, width, kernel)
        self.second = _separable(width, width, kernel)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class _Up(nn.Module):
    """Double a map's size and merge it with the encoder's map of that size."""

    def __init__(self, below: int, width: int) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(below, width, 1, bias=False)
        self.merge = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), _separable(width, width))

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(self.shrink(below), scale_factor=2.0, mode="bilinear")
        return F.relu(self.merge(x + skip) + skip)


class PartsNetwork(nn.Module):
    """[N, INPUTS, H, W] -> logits [N, len(PARTS), H, W]; H and W multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(INPUTS, WIDTHS[0], 3, 2, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU()
        )
        self.stages = nn.ModuleList()
        self.downs = nn.ModuleList()
        for level, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True)):
            kernel = 5 if level >= 2 else 3
            self.stages.append(nn.Sequential(*(_Block(width, kernel) for _ in range(depth))))
            if level + 1 < len(WIDTHS):
                self.downs.append(
                    nn.Sequential(_separable(width, WIDTHS[level + 1], stride=2), nn.ReLU())
                )
        self.context = nn.Linear(WIDTHS[-1], WIDTHS[-1])
        self.ups = nn.ModuleList(
            _Up(below, width) for below, width in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True)
        )
        self.shrink = nn.Conv2d(WIDTHS[0], HEAD_WIDTH, 1, bias=False)
        self.fine = nn.Sequential(
            nn.Conv2d(INPUTS, HEAD_WIDTH, 3, 1, 1, bias=False), nn.BatchNorm2d(HEAD_WIDTH)
        )
        self.head = nn.Sequential(
            _separable(HEAD_WIDTH, HEAD_WIDTH), nn.ReLU(), nn.Conv2d(HEAD_WIDTH, len(PARTS), 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.stem(x)
        skips: list[Tensor] = []
        for level, stage in enumerate(self.stages):
            y = stage(y)
            if level < len(self.downs):
                skips.append(y)
                y = self.downs[level](y)
        y = y + self.context(y.mean((2, 3)))[:, :, None, None]
        for up, skip in zip(self.ups, reversed(skips), strict=True):
            y = up(y, skip)
        y = F.interpolate(self.shrink(y), scale_factor=2.0, mode="bilinear")
        logits: Tensor = self.head(F.relu(y + self.fine(x)))
        return logits


def parameters_fp16(network: nn.Module) -> dict[str, Tensor]:
    """The network's state for a file: floats as FP16."""
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
        if value.dtype != torch.int64
    }
