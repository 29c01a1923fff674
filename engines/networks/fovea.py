"""The fovea: eyes and mouth drawn once more, at twice the side of everything else.

People look at eyes and mouths, and a crop is aligned so that both are always at the same place. So
two fixed bands, a sixth of the picture, get the resolution that the whole picture could not afford.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engines.networks.finish import Enlarge


class Band(NamedTuple):
    """A box of the picture, in 32nds of its side: rows and columns, from and to."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, image: Tensor, margin: int = 0) -> Tensor:
        """The part of `image` [N, C, S, S] in this box, S a multiple of 32.

        Args:
            image: the whole picture.
            margin: how many pixels more are taken on every side.
        """
        rows, columns = self.box(image.shape[-1], margin)
        return image[:, :, rows, columns]

    def box(self, side: int, margin: int = 0) -> tuple[slice, slice]:
        """Rows and columns of this box, and of `margin` around it, in a picture of `side` px."""
        unit = side // UNITS
        return (
            slice(self.top * unit - margin, self.bottom * unit + margin),
            slice(self.left * unit - margin, self.right * unit + margin),
        )

    def size(self, side: int) -> tuple[int, int]:
        """Height and width of this box in a picture of `side` pixels."""
        rows, columns = self.box(side)
        return rows.stop - rows.start, columns.stop - columns.start


UNITS = 32
EYES, MOUTH = Band(11, 19, 6, 26), Band(21, 29, 10, 22)
BANDS, BAND_NAMES = (EYES, MOUTH), ("eyes", "mouth")
FADE = 1 / 32
"""Width over which a band fades into the rest of the picture, share of the side."""


class Fovea(nn.Module):
    """Two sub-pixel steps from the last block's features to bands of four times their side.

    Args:
        inputs: channels of those features.
        channels: channels in between.
    """

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.draw = nn.Conv2d(inputs + 12, 4 * channels, 3)
        self.mix = nn.Conv2d(channels + 3, channels + 8, 3)
        self.enlarge = Enlarge(channels + 8, bias=False)

    def forward(self, x: Tensor, photo: Tensor, image: Tensor) -> tuple[Tensor, ...]:
        """Draw the bands of a picture of side 4S.

        Args:
            x: [N, inputs, S, S].
            photo: [N, 12, S, S], `engines.networks.photo.Photo.halves`.
            image: float32 [N, 3, 2S, 2S], the picture so far.

        Returns:
            float32 [N, 3, h, w] for each of `BANDS`; their borders are those of the enlarged
            picture.
        """
        both, bands = torch.cat([x, photo.to(x.dtype)], 1), []
        for band in BANDS:
            y = F.leaky_relu(_convolved(self.draw, band.of(both, margin=2)), 0.1)
            y = F.pixel_shuffle(y, 2)  # two pixels more than the band on every side
            y = torch.cat([y, band.of(image, margin=2).to(y.dtype)], 1)
            y = F.leaky_relu(_convolved(self.mix, y), 0.1)
            y = y * _window(y, FADE * image.shape[-1])
            bands.append(self.enlarge(y, band.of(image, margin=1)))
        return tuple(bands)

    @staticmethod
    def assemble(image: Tensor, bands: Sequence[Tensor]) -> Tensor:
        """`image` [N, 3, S, S] with `bands` of that size in their places."""
        image = image.clone()
        for band, y in zip(BANDS, bands, strict=True):
            rows, columns = band.box(image.shape[-1])
            image[:, :, rows, columns] = y
        return image


def _convolved(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """`conv(x)` in the type of `x`, which is half in the finest blocks of an FP16 network."""
    assert conv.bias is not None
    return F.conv2d(x, conv.weight.to(x.dtype), conv.bias.to(x.dtype))


def _window(y: Tensor, fade: float) -> Tensor:
    """1 inside a band [N, C, h, w], 0 at its border, `fade` pixels between: [1, 1, h, w]."""
    height, width = y.shape[-2:]

    def ramp(length: int) -> Tensor:
        at = torch.arange(length, device=y.device)
        return (torch.minimum(at, length - 1 - at) / fade).clamp(max=1)

    return (ramp(height)[:, None] * ramp(width))[None, None].to(y.dtype)
