"""Adaptive discriminator augmentation (Karras et al., arXiv 2006.06676).

With few pictures a discriminator learns them by heart. So it is shown pictures, real and drawn
alike, that were changed at random, each kind of change with probability `p`; `p` follows a sign of
overfitting. Below about 0.8 the changes do not leak into what the generator draws.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Strengths:
    """How far each change goes when it happens; the paper's values (appendix B).

    Attributes:
        shift: largest whole-pixel shift and spread of the fractional one, shares of the side.
        scale: spread of log2 of the size.
        rotation: largest turn, degrees.
        brightness: spread, in units of the value range -1..1.
        contrast, saturation: spread of log2 of the factor.
        hue: largest turn of the colour circle, degrees.
        cutout: side of the square that is blanked, share of the picture's.
    """

    shift: float = 0.125
    scale: float = 0.2
    rotation: float = 180.0
    brightness: float = 0.2
    contrast: float = 0.5
    saturation: float = 1.0
    hue: float = 180.0
    cutout: float = 0.5


PAPER = Strengths()


def augment(images: Tensor, p: float, rng: torch.Generator, strengths: Strengths = PAPER) -> Tensor:
    """Change pictures at random, differentiably.

    Args:
        images: float32 [N, 3, S, S] RGB in -1..1.
        p: probability of each kind of change, for each picture on its own; 0 changes nothing.
        rng: random numbers, on the CPU.
        strengths: how far each change goes.

    Returns:
        float32 [N, 3, S, S]; gradients flow back to `images`.
    """
    if p <= 0:
        return images
    draw = _Draw(len(images), p, rng)
    images = _move(images, draw, strengths)
    images = _recolour(images, draw, strengths)
    return _cut_out(images, draw, strengths)


class _Draw:
    """Random numbers for one batch: each is a neutral value except with probability `p`."""

    def __init__(self, count: int, p: float, rng: torch.Generator) -> None:
        self.count, self.p, self.rng = count, p, rng

    def happens(self, p: float | None = None) -> Tensor:
        return torch.rand(self.count, generator=self.rng) < (self.p if p is None else p)

    def uniform(self, reach: float, p: float | None = None) -> Tensor:
        x = (torch.rand(self.count, generator=self.rng) * 2 - 1) * reach
        return torch.where(self.happens(p), x, 0.0)

    def normal(self, spread: float) -> Tensor:
        x = torch.randn(self.count, generator=self.rng) * spread
        return torch.where(self.happens(), x, 0.0)


def _move(images: Tensor, draw: _Draw, s: Strengths) -> Tensor:
    """Mirror, whole-pixel shift, scale, turn and fractional shift in one resampling."""
    n, side = len(images), images.shape[-1]
    mirror = torch.where(draw.happens() & draw.happens(0.5), -1.0, 1.0)
    whole = [(draw.uniform(s.shift) * side).round() * 2 / side for _ in range(2)]
    size = torch.exp2(draw.normal(s.scale))
    angle = draw.uniform(math.radians(s.rotation))
    part = [draw.normal(s.shift) * 2 for _ in range(2)]
    c, d = torch.cos(angle) / size, torch.sin(angle) / size
    # From target to source, in coordinates -1..1, as grid_sample wants it.
    linear = torch.stack([c * mirror, d * mirror, -d, c], 1).view(n, 2, 2)
    offset = torch.stack([part[0] + whole[0], part[1] + whole[1]], 1)
    theta = torch.cat([linear, -(linear @ offset[:, :, None])], 2)
    grid = F.affine_grid(theta, [n, 1, side, side], align_corners=False).to(images.device)
    moved = F.grid_sample(
        images.float(), grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )
    still = (theta == torch.eye(2, 3)).all(dim=(1, 2)).to(images.device)
    return torch.where(still[:, None, None, None], images, moved)


def _recolour(images: Tensor, draw: _Draw, s: Strengths) -> Tensor:
    """Brightness, contrast, hue and saturation as one affine map of colours."""
    n = len(images)
    brightness = draw.normal(s.brightness)
    contrast = torch.exp2(draw.normal(s.contrast))
    hue = draw.uniform(math.radians(s.hue))
    saturation = torch.exp2(draw.normal(s.saturation))
    grey = torch.full((3, 3), 1 / 3)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    across = torch.eye(3) - grey
    cos, sin = (f(hue)[:, None, None] for f in (torch.cos, torch.sin))
    turned = grey + saturation[:, None, None] * (cos * across + sin * cross)
    colours = contrast[:, None, None] * turned
    offset = (contrast * brightness)[:, None, None, None].to(images.device)
    mixed = torch.einsum("nij,njhw->nihw", colours.to(images.device), images.float()) + offset
    neutral = (brightness == 0) & (contrast == 1) & (hue == 0) & (saturation == 1)
    return torch.where(neutral.to(images.device).view(n, 1, 1, 1), images, mixed)


def _cut_out(images: Tensor, draw: _Draw, s: Strengths) -> Tensor:
    """Blank a square of the picture."""
    side = images.shape[-1]
    cut = draw.happens()
    place = (torch.arange(side) + 0.5) / side
    centres = [torch.rand(draw.count, generator=draw.rng)[:, None] for _ in range(2)]
    x, y = ((place - centre).abs() < s.cutout / 2 for centre in centres)
    blank = cut[:, None, None] & y[:, :, None] & x[:, None, :]
    return images.masked_fill(blank[:, None].to(images.device), 0.0)


@dataclass
class Controller:
    """Raises `p` while the discriminator knows its training pictures too well, else lowers it.

    The sign of overfitting is the paper's `r_t = E[sign(D(real))]`: near 0 the
    discriminator guesses, near 1 it recognises every training picture.

    Attributes:
        target: the wanted `r_t`.
        horizon: pictures in which `p` would go from 0 to 1.
        limit: `p` never exceeds this, or changes would leak into what is drawn.
        every: batches between two steps of `p`.
    """

    target: float = 0.6
    horizon: int = 20_000
    limit: float = 0.8
    every: int = 4
    p: float = 0.0
    signs: float = 0.0
    pictures: int = 0
    batches: int = 0

    def update(self, sign: float, pictures: int) -> None:
        """Take in one batch.

        Args:
            sign: mean sign of the discriminator's logits on real pictures.
            pictures: how many of them there were.
        """
        self.signs += sign * pictures
        self.pictures += pictures
        self.batches += 1
        if self.batches < self.every:
            return
        step = self.pictures / self.horizon
        direction = 1 if self.signs / self.pictures > self.target else -1
        self.p = min(max(self.p + direction * step, 0.0), self.limit)
        self.signs, self.pictures, self.batches = 0.0, 0, 0

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint; `Controller(**state)` restores it."""
        return asdict(self)
