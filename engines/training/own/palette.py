"""The colours of people, mapped to those of a style."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from engines.faces.eyes.iris import doubt_of_light_eyes, iris_sample, iris_tones
from engines.faces.features import EYE, IRIS
from engines.faces.head import FACE_OVAL
from engines.faces.pixels import to_lab, to_rgb
from engines.pictures import Image
from engines.training.artist.masks import colourfulness
from engines.training.own.shape import Floats
from engines.training.pairs.pair_set import spread_over
from engines.training.pairs.sampler import to_tensor

TRIED = 100  # how many pictures are measured, of people and of the style
MOST_CONTRAST = (1.5, 1.5, 3.0)  # style's over people's, at most: faces, surroundings, irises


@dataclass(frozen=True)
class Palette:
    """Maps the colours of people to a style's.

    Lightness and hue of face and surroundings get the mean and the spread that the style has. A
    pencil drawing stays grey, blue-skinned characters stay blue, and dark people stay darker than
    light ones. Irises are mapped by themselves: drawn ones are far more vivid than photographed
    ones, and brown ones stay brown in blue light.

    Attributes:
        people, style: float32 [3, 2, 3, 1, 1], mean and spread of L*a*b* in faces, around them, and
            of irises; people's irises as `iris_colour` finds them, the style's as they look.
    """

    people: Tensor
    style: Tensor

    def apply(self, colours: Tensor, face: Tensor) -> Tensor:
        """People in the style's colours.

        Args:
            colours: [N, 3, H, W], L*a*b* of people.
            face: [1, 1, H, W], 1 inside the face, 0 outside.
        """
        return face * self._mapped(colours, 0) + (1 - face) * self._mapped(colours, 1)

    def irises(self, colours: Tensor) -> Tensor:
        """Iris colours from `iris_colour`, L*a*b* [N, 3, 1, 1], in the style's colours."""
        return self._mapped(colours, 2)

    def to(self, device: torch.device) -> Palette:
        """The same palette on `device`."""
        return Palette(self.people.to(device), self.style.to(device))

    @property
    def contrast(self) -> Tensor:
        """float32 [3, 3, 1, 1]: spread of the style's colours divided by that of people's."""
        most = self.people.new_tensor(MOST_CONTRAST)[:, None, None, None]
        return (self.style[:, 1] / (self.people[:, 1] + 1e-3)).minimum(most)

    def _mapped(self, colours: Tensor, place: int) -> Tensor:
        away = colours - self.people[place, 0]
        return self.style[place, 0] + self.contrast[place] * away


def palette_of(people: tuple[Image, Floats], style: tuple[Image, Floats]) -> Palette:
    """Measure the colours of people and of a style.

    Args:
        people, style: pictures uint8 [N, S, S, 3] and their landmarks float32 [N, 478, 2], 1 =
            their side.
    """
    found = []
    for pictures, points, cleaned in ((*people, True), (*style, False)):
        sums = torch.zeros(3, 3, 3, dtype=torch.float64)  # by place: count, sum, sum of squares
        for i in spread_over(len(points), TRIED):
            colours = lab(to_tensor([pictures[i]]))[0].double()
            side = colours.shape[-1]
            face = filled([FACE_OVAL], points[i], side)
            for place, where in enumerate((face, 1 - face)):
                for power in range(3):
                    sums[place, power] += (colours**power * where).sum((1, 2))
            if cleaned:
                irises = [iris_colour(colours[None], points[i])]
            else:
                irises = [mean_colour(colours[None], iris) for iris in irises_in(points[i], side)]
            for iris in irises:
                sums[2] += torch.stack([iris[0, :, 0, 0] ** power for power in range(3)])
        mean = sums[:, 1] / sums[:, 0]
        spread = (sums[:, 2] / sums[:, 0] - mean.square()).clamp_min(0).sqrt()
        found.append(torch.stack([mean, spread], 1)[..., None, None].float())
    return Palette(*found)


def iris_colour(colours: Tensor, points: Floats) -> Tensor:
    """A person's iris colour, without lashes, highlights and the colour of the light.

    Args:
        colours: [1, 3, S, S], L*a*b* of the picture.
        points: float32 [478, 2] landmarks, 1 = its side.

    Returns:
        L*a*b* [1, 3, 1, 1].
    """
    side = colours.shape[-1]
    picture = np.ascontiguousarray(colours[0].permute(1, 2, 0).cpu().numpy(), np.float32)
    skin = np.median(picture[filled([FACE_OVAL], points, side).numpy() > 0], axis=0)
    eyes = [iris_sample(picture, points * side, eye, skin) for eye in range(2)]
    sample = np.average([eye for eye, _ in eyes], axis=0, weights=[area for _, area in eyes])
    tones = iris_tones(sample, 1.0, colourfulness(skin), doubt_of_light_eyes(float(skin[0])))
    tone = to_lab(tones.middle[None, None].astype(np.float32))
    return torch.from_numpy(tone).view(1, 3, 1, 1).to(colours)


def irises_in(points: Floats, side: int) -> list[Tensor]:
    """Masks of the visible part of each iris, float32 [S, S] of 0 and 1."""
    grown = round(side / 100)
    return [
        filled([eye], points, side) * filled([rim], points, side, grown)
        for eye, (_, rim) in zip(EYE, IRIS, strict=True)
    ]


def mean_colour(colours: Tensor, where: Tensor) -> Tensor:
    """Mean colour [N, 3, 1, 1] of [N, 3, S, S], weighted by `where` [S, S]."""
    return (colours * where).sum((2, 3), True) / where.sum().clamp_min(1)


def filled(rings: list[list[int]], points: Floats, side: int, grown: int = 0) -> Tensor:
    """A mask float32 [S, S], 1 inside the convex hulls of landmarks, grown by `grown` pixels."""
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
    found = np.stack([to_lab(picture) for picture in raw])
    return torch.from_numpy(found).permute(0, 3, 1, 2).to(pictures.device)


def to_picture(colours: Tensor) -> Image:
    """L*a*b* [1, 3, H, W] -> uint8 [H, W, 3] RGB."""
    one = np.ascontiguousarray(colours[0].permute(1, 2, 0).cpu().numpy(), np.float32)
    return np.asarray((255 * to_rgb(one)).round(), np.uint8)
