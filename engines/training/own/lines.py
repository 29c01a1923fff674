"""The lines of a drawing, taken from the photo: strands of hair, spectacle frames, folds.

Patches of other people's pictures show how light falls and how eyes look. They do not show where
this person's strands of hair or spectacle frames run: each drawing would place them differently,
and a generator that learns from such drawings learns their mean, which is blurred. So the fine
steps of light come from the photo, drawn the way the style draws them:

1. The photo is made as flat as the style's pictures (L0 gradient minimisation, Xu et al., SIGGRAPH
   Asia 2011).
2. The remaining steps are made as strong as the style's, scale by scale (histogram matching of
   bands, Heeger and Bergen, SIGGRAPH 1995).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
from torch import Tensor

from engines.errors import ToonifyError
from engines.faces.head import FACE_OVAL
from engines.pictures import Image
from engines.training.own.palette import filled, lab
from engines.training.own.patchwork import blur
from engines.training.own.shape import Floats
from engines.training.pairs.pair_set import spread_over
from engines.training.pairs.sampler import to_tensor

SCALES = (1 / 256, 1 / 128, 1 / 64, 1 / 32)  # Gaussians that bound the bands, shares of the side
RANKS = np.linspace(0, 1, 257)
STRONG = 0.95  # rank from which a step counts as an edge
TRIED = 40  # how many pictures are measured
FLATTENING = (0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02)  # Xu's lambda
KAPPA = 2.0  # factor by which Xu's iteration tightens
PADDING = 16  # Xu's filter treats a picture as a tile that repeats


@dataclass(frozen=True)
class Lines:
    """How strongly a style draws the steps of light in a photo.

    Attributes:
        flattening: Xu's lambda that makes faces, and their surroundings, as flat as the style's; 0
            changes nothing.
        people, style: float32 [2, bands, ranks], strength of the steps of the flattened people, and
            of the style, in faces and around them.
    """

    flattening: tuple[float, float]
    people: Floats
    style: Floats

    def flattened(self, photo: Image) -> list[Image]:
        """A photo, uint8 [S, S, 3], as flat as the style's faces, and as their surroundings."""
        return [_flat(photo, strength) for strength in self.flattening]

    def steps(self, light: Tensor, face: Tensor) -> list[Tensor]:
        """The bands of a flattened person's light, made as strong as the style's.

        Args:
            light: [1, 1, S, S], L*.
            face: [1, 1, S, S], 1 inside the face, 0 outside.

        Returns:
            four bands [1, 1, S, S], the finest first.
        """
        found, _ = bands(light)
        return [
            face * self._strong(band, 0, scale) + (1 - face) * self._strong(band, 1, scale)
            for scale, band in enumerate(found)
        ]

    def _strong(self, band: Tensor, place: int, scale: int) -> Tensor:
        amount = band.abs().cpu().numpy()
        wanted = np.interp(amount, self.people[place, scale], self.style[place, scale])
        return torch.from_numpy(wanted.astype(np.float32)).to(band.device) * band.sign()


def lines_of(people: tuple[Image, Floats], style: tuple[Image, Floats]) -> Lines:
    """Measure the lines of people and of a style.

    Args:
        people, style: pictures uint8 [N, S, S, 3] and their landmarks float32 [N, 478, 2], 1 =
            their side.

    Raises:
        ToonifyError: when OpenCV lacks the extra modules.
    """
    if not hasattr(cv2, "ximgproc"):
        raise ToonifyError(
            "Own styles need the extra modules of opencv-contrib-python, but another OpenCV is "
            "installed; uninstall all opencv packages and install that one alone."
        )
    wanted = _strengths(*style, 0.0)
    by_strength = [_strengths(*people, strength) for strength in FLATTENING]
    chosen = []
    for place in range(2):
        apart = [abs(_flatness(found[place]) - _flatness(wanted[place])) for found in by_strength]
        chosen.append(int(np.argmin(apart)))
    mine = np.stack([by_strength[which][place] for place, which in enumerate(chosen)])
    face, rest = (FLATTENING[which] for which in chosen)
    return Lines((face, rest), mine, wanted)


def bands(light: Tensor) -> tuple[list[Tensor], Tensor]:
    """Split a picture [N, C, S, S] into steps at four scales, the finest first, and the rest.

    Their sum is the picture.
    """
    blurred = [light, *(blur(light, scale * light.shape[-1]) for scale in SCALES)]
    return [fine - coarse for fine, coarse in pairwise(blurred)], blurred[-1]


def _flatness(strengths: Floats) -> float:
    """Log ratio of the median to the strong steps at the finest scale: independent of contrast."""
    middle, strong = np.interp((0.5, STRONG), RANKS, strengths[0])
    return float(np.log((middle + 1e-3) / (strong + 1e-3)))


def _strengths(pictures: Image, points: Floats, flattening: float) -> Floats:
    """Strength of the steps at each of `RANKS`: float32 [2, bands, ranks]."""
    places: tuple[list[Floats], list[Floats]] = ([], [])
    for picture, face in _tried(pictures, points):
        found, _ = bands(lab(to_tensor([_flat(picture, flattening)]))[:, :1])
        amounts = torch.cat(found, 1)[0].abs()
        for amount, where in zip(places, (face > 0, face == 0), strict=True):
            amount.append(amounts[:, where].numpy())
    return np.stack(
        [np.quantile(np.concatenate(amounts, 1), RANKS, axis=1).T for amounts in places]
    ).astype(np.float32)


def _tried(pictures: Image, points: Floats) -> Iterator[tuple[Image, Tensor]]:
    """Pictures spread over the set, each with the mask [S, S] of its face."""
    for i in spread_over(len(points), TRIED):
        yield pictures[i], filled([FACE_OVAL], points[i], pictures.shape[1])


def _flat(picture: Image, strength: float) -> Image:
    if not strength:
        return picture
    wide = cv2.copyMakeBorder(picture, *(PADDING,) * 4, cv2.BORDER_REFLECT_101)
    flat = cv2.ximgproc.l0Smooth(wide, None, strength, KAPPA)
    return np.asarray(flat[PADDING:-PADDING, PADDING:-PADDING], np.uint8)
