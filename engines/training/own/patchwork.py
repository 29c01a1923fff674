"""Pictures put together from patches of other pictures: patch matching and voting.

The patches of image analogies (Hertzmann et al., SIGGRAPH 2001). Because the pictures are aligned,
the search tries every offset near a place in all pictures at once, instead of random ones; that
takes a GPU only a few steps.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

REACH = 5  # largest offset tried, in places of the matching grid
PATCH, VOTES = 4, 2  # half the side of a patch, in matching and in voting


def matched(
    goals: list[tuple[Tensor, Tensor, float]], near: Tensor, extra: Tensor
) -> tuple[Tensor, Tensor]:
    """For each place, the picture and offset whose patch is nearest to the one wanted.

    Args:
        goals: what is wanted [1, C, G, G], what is offered [K, C, G, G], and the weight of it.
        near: [1, 1, G, G], the cost of an offset of two places.
        extra: [K, 1, G, G], the cost of using each picture.

    Returns:
        number of the picture, int64 [G, G], and offset (x, y), int64 [2, G, G].
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
    """Draw the matched patches, averaged where they overlap.

    Args:
        pictures: [K, C, S, S].
        which, moves: as `matched` returns them.

    Returns:
        [1, C, S, S].
    """
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
    """Mean over a square of `2 * reach + 1` pixels around each place of [N, C, H, H]."""
    return _filtered(x, (1 / (2 * reach + 1),) * (2 * reach + 1))


def blur(x: Tensor, sigma: float) -> Tensor:
    """[N, C, H, H] blurred by a Gaussian with a standard deviation of `sigma` pixels."""
    reach = np.arange(-max(round(3 * sigma), 1), max(round(3 * sigma), 1) + 1)
    weights = np.exp(-(reach**2) / (2 * sigma**2))
    return _filtered(x, tuple((weights / weights.sum()).tolist()))


def _filtered(x: Tensor, weights: tuple[float, ...]) -> Tensor:
    """A separable filter; the border pixels are repeated beyond the border."""
    band = _band(x.shape[-1], weights).to(x.device)
    return band @ x @ band.T


@lru_cache
def _band(side: int, weights: tuple[float, ...]) -> Tensor:
    """The filter as a matrix [side, side]: multiplying is faster than sliding a window."""
    band = np.zeros((side, side), np.float32)
    reach = len(weights) // 2
    for offset, weight in enumerate(weights, -reach):
        places = np.arange(side)
        np.add.at(band, (places, np.clip(places + offset, 0, side - 1)), weight)
    return torch.from_numpy(band)
