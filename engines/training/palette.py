"""The colours of people, and what a style makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.training.artist.head import FACE_OVAL
from engines.training.data import to_tensor
from engines.training.shape import Floats

Image = NDArray[np.uint8]

TRIED = 100  # so many pictures tell the colours of people, and of the style
MOST_CONTRAST = 1.5  # a style's over people's


@dataclass(frozen=True)
class Palette:
    """The colours of people as a style has them.

    Light and hue of face and surroundings are spread about their means as much as the style's, so
    that a pencil drawing stays grey and a blue-skinned people blue, and the dark remain darker.

    Attributes:
        people, style: float32 [2, 2, 3, 1, 1], mean and spread of L*a*b* in faces and round them.
    """

    people: Tensor
    style: Tensor

    def apply(self, colours: Tensor, face: Tensor) -> Tensor:
        """L*a*b* [N, 3, H, W] of people in the style's colours; ``face``: [1, 1, H, W], 0..1."""
        out = torch.zeros_like(colours)
        for here, mean, goal, contrast in zip(
            (face, 1 - face), self.people[:, 0], self.style[:, 0], self.contrast, strict=True
        ):
            out += here * (goal + contrast * (colours - mean))
        return out

    @property
    def contrast(self) -> Tensor:
        """float32 [2, 3, 1, 1]: how much wider the style's colours spread."""
        return (self.style[:, 1] / (self.people[:, 1] + 1e-3)).clamp(max=MOST_CONTRAST)


def palette_of(people: tuple[Image, Floats], style: tuple[Image, Floats]) -> Palette:
    """From pictures uint8 [N, S, S, 3] and their landmarks float32 [N, 478, 2], 1 = their side."""
    found = []
    for pictures, points in (people, style):
        sums = torch.zeros(2, 3, 3, dtype=torch.float64)  # by place: count, sum, sum of squares
        for i in np.unique(np.linspace(0, len(points) - 1, TRIED).astype(int)):
            colours = lab(to_tensor([pictures[i]]))[0].double()
            face = filled([FACE_OVAL], points[i], colours.shape[-1])
            for place, where in enumerate((face, 1 - face)):
                for power in range(3):
                    sums[place, power] += (colours**power * where).sum((1, 2))
        mean = sums[:, 1] / sums[:, 0]
        spread = (sums[:, 2] / sums[:, 0] - mean.square()).clamp_min(0).sqrt()
        found.append(torch.stack([mean, spread], 1)[..., None, None].float())
    return Palette(*found)


def filled(rings: list[list[int]], points: Floats, side: int, grown: int = 0) -> Tensor:
    """1 within the hulls of landmarks, float32 [S, S], ``grown`` pixels wider."""
    mask = np.zeros((side, side), np.uint8)
    for ring in rings:
        hull = cv2.convexHull((points[ring] * side).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 1)
    if grown:
        mask = np.asarray(cv2.dilate(mask, np.ones((2 * grown + 1,) * 2, np.uint8)), np.uint8)
    return torch.from_numpy(mask.astype(np.float32))


def lab(pictures: Tensor) -> Tensor:
    """RGB [N, 3, H, W] in -1..1 -> CIE L*a*b*."""
    raw = ((pictures.clamp(-1, 1) + 1) / 2).permute(0, 2, 3, 1).cpu().numpy()
    found = np.stack([cv2.cvtColor(x, cv2.COLOR_RGB2LAB) for x in raw.astype(np.float32)])
    return torch.from_numpy(found).permute(0, 3, 1, 2).to(pictures.device)


def to_picture(colours: Tensor) -> Image:
    """L*a*b* [1, 3, H, W] -> uint8 [H, W, 3] RGB."""
    one = np.ascontiguousarray(colours[0].permute(1, 2, 0).cpu().numpy(), np.float32)
    rgb = cv2.cvtColor(one, cv2.COLOR_LAB2RGB).clip(0, 1)
    return np.asarray((255 * rgb).round(), np.uint8)
