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


class Band(NamedTuple):
    """A box of the picture, in 32nds of its side: rows and columns, from and to."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, image: Tensor) -> Tensor:
        """The part of `image` [N, C, S, S] in this box, S a multiple of 32."""
        unit = image.shape[-1] // UNITS
        rows = slice(self.top * unit, self.bottom * unit)
        return image[:, :, rows, self.left * unit : self.right * unit]


    def size(self, side: int) -> tuple[int, int]:
        """Height and width of this box in a picture of `side` pixels."""
        unit = side // UNITS
        return (self.bottom - self.top) * unit, (self.right - self.left) * unit


UNITS = 32
EYES, MOUTH = Band(11, 19, 6, 26), Band(21, 29, 10, 22)
BANDS, BAND_NAMES = (EYES, MOUTH), ("eyes", "mouth")
FADE = 1 / 64
"""Width over which a band fades into the rest of the picture, share of the side."""


class Fovea(nn.Module):
    """Two sub-pixel steps from the last block's features to bands of four times their side.

    Args:
        inputs: channels of those features.
        channels: channels in between.
    """

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.draw = nn.Conv2d(inputs, 4 * channels, 3, padding=1)
        self.mix = nn.Conv2d(channels + 6, channels + 8, 3, padding=1)
        self.finish = nn.Conv2d(channels + 8, 12, 3, padding=1)
        nn.init.zeros_(self.finish.weight)
        nn.init.zeros_(self.finish.bias)

    def forward(self, x: Tensor, photo: Tensor, image: Tensor) -> tuple[Tensor, ...]:
        """Draw what each band has beyond the enlarged picture.

        Args:
            x: [N, inputs, S, S].
            photo, image: float32 [N, 3, 2S, 2S], the photo in the toon's shape and the picture.

        Returns:
            float32 [N, 3, h, w] for each of `BANDS`, of a picture of side 4S; 0 at their borders.
        """
        bands = []
        for band in BANDS:
            y = F.pixel_shuffle(F.leaky_relu(self.draw(band.of(x)), 0.1), 2)
            y = torch.cat([y, band.of(photo).to(y.dtype), band.of(image).to(y.dtype)], 1)
            y = self.finish(F.leaky_relu(self.mix(y), 0.1))
            y = F.pixel_shuffle(y.float(), 2)
            bands.append(y * _window(y, FADE * 4 * x.shape[-1]))
        return tuple(bands)

    @staticmethod
    def assemble(image: Tensor, bands: Sequence[Tensor]) -> Tensor:
        """`image` [N, 3, S, S] with `bands` of that size added in their places."""
        unit = image.shape[-1] // UNITS
        for band, y in zip(BANDS, bands, strict=True):
            around = [band.left, UNITS - band.right, band.top, UNITS - band.bottom]
            image = image + F.pad(y, [unit * side for side in around])
        return image


def _window(y: Tensor, fade: float) -> Tensor:
    """1 inside a band [N, C, h, w], 0 at its border, `fade` pixels between: float32 [1, 1, h, w]."""
    height, width = y.shape[-2:]

    def ramp(length: int) -> Tensor:
        at = torch.arange(length, device=y.device) + 0.5
        return (torch.minimum(at, length - at) / fade).clamp(max=1)

    return (ramp(height)[:, None] * ramp(width))[None, None]
