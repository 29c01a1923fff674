"""Pictures put together of patches of other pictures: which patch is where, and what comes of it.

The patches of image analogies (Hertzmann et al., SIGGRAPH 2001), searched near their place in all
pictures at once instead of by chance: the pictures are aligned, and a GPU does it in a few steps.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

REACH = 5  # how far a patch is searched, in places of the matching
PATCH, VOTES = 4, 2  # half a patch's side in matching and in drawing


def matched(
    goals: list[tuple[Tensor, Tensor, float]], near: Tensor, extra: Tensor
) -> tuple[Tensor, Tensor]:
    """Which of K pictures, int64 [G, G], and how far off, int64 [2, G, G] (x, y), has the patch
    nearest to the one wanted.

    Args:
        goals: what is wanted [1, C, G, G], what is offered [K, C, G, G], and how much it counts.
        near: [1, 1, G, G], what a move of two places costs.
        extra: [K, 1, G, G], what each picture costs.
    """
    grid = near.shape[-1]
    best = torch.full((1, 1, grid, grid), torch.inf, device=near.device)
    which = torch.zeros((3, grid, grid), dtype=torch.int64, device=near.device)
    for y in range(-REACH, REACH + 1):
        for x in range(-REACH, REACH + 1):
            cost = torch.zeros_like(extra)
            for wanted, offered, counts in goals:
                there = offered.roll((-y, -x), (2, 3))
                cost += counts * (wanted - there).square().sum(1, True)
            cost = box(cost, PATCH) + near * (x * x + y * y) / 4 + extra
            least, picture = cost.min(0, True)
            better = (least < best)[0, 0]
            best = torch.minimum(least, best)
            here = torch.stack([picture[0, 0], *(torch.full_like(which[0], k) for k in (x, y))])
            which = torch.where(better, here, which)
    return which[0], which[1:]


def voted(pictures: Tensor, which: Tensor, moves: Tensor) -> Tensor:
    """Mean of what the patches round each place show there: [1, C, S, S] of [K, C, S, S]."""
    side, grid = pictures.shape[-1], which.shape[-1]
    scale = side // grid
    wide = [F.interpolate(v[None, None].float(), side)[0, 0].long() for v in (which, *moves)]
    picture, dx, dy = wide[0], wide[1] * scale, wide[2] * scale
    places = torch.arange(side, device=pictures.device)
    y, x = torch.meshgrid(places, places, indexing="ij")
    total = torch.zeros(side, side, pictures.shape[1], device=pictures.device)
    colours = pictures.permute(0, 2, 3, 1)
    for j in range(-VOTES, VOTES + 1):
        for i in range(-VOTES, VOTES + 1):
            v, u = (y + j).clamp(0, side - 1), (x + i).clamp(0, side - 1)
            row, column = (y + dy[v, u]).clamp(0, side - 1), (x + dx[v, u]).clamp(0, side - 1)
            total += colours[picture[v, u], row, column]
    return (total / (2 * VOTES + 1) ** 2).permute(2, 0, 1)[None]


def box(x: Tensor, reach: int) -> Tensor:
    """Mean of the square round each place of [N, C, H, H]."""
    return _filtered(x, (1 / (2 * reach + 1),) * (2 * reach + 1))


def blur(x: Tensor, sigma: float) -> Tensor:
    """[N, C, H, H] under a Gaussian of that many pixels."""
    reach = np.arange(-max(round(3 * sigma), 1), max(round(3 * sigma), 1) + 1)
    weights = np.exp(-(reach**2) / (2 * sigma**2))
    return _filtered(x, tuple((weights / weights.sum()).tolist()))


def _filtered(x: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Along and across; beyond the border the picture goes on as it ends."""
    band = _band(x.shape[-1], weights).to(x.device)
    return band @ x @ band.T


@lru_cache
def _band(side: int, weights: tuple[float, ...]) -> Tensor:
    """The filter as a matrix, which CPUs and GPUs multiply faster than they slide windows."""
    band = np.zeros((side, side), np.float32)
    reach = len(weights) // 2
    for offset, weight in enumerate(weights, -reach):
        places = np.arange(side)
        np.add.at(band, (places, np.clip(places + offset, 0, side - 1)), weight)
    return torch.from_numpy(band)
