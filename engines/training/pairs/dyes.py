"""Hair, hoods and rooms of any colour, alike on photo and toon.

Few portraits show dyed hair or a bright headscarf, and a generator that has seen hardly any paints
what is near the forehead in the colours of skin and hair, which on a blue headscarf is a stain.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engines.pictures import Image
from engines.training.artist.head import FACE_OVAL
from engines.training.artist.imaging import blur, polygon, to_lab, to_rgb
from engines.training.pairs.augment import bent

Floats = NDArray[np.float32]

STRONGEST = 55.0  # of a dye, in units of a* and b*
DARKEST, LIGHTEST = 15.0, 95.0  # L* at which nothing takes a dye
SCALES = (0.85, 1.15)  # of what is spared, to the face: a hood hides some of it


class Dye(NamedTuple):
    """What turns the colours round a face: float32 turn [2, 2] and tint [2] of a* and b*, and
    where, [S, S, 1] in 0..1."""

    turn: Floats
    tint: Floats
    where: Floats

    def over(self, image: Image) -> Image:
        """The colours of ``image`` changed, its light kept."""
        colours = to_lab(image.astype(np.float32) / 255)
        light, hue = colours[..., :1], colours[..., 1:]
        takes = np.clip((light - DARKEST) * (LIGHTEST - light), 0, None) * 4
        takes = takes / (LIGHTEST - DARKEST) ** 2
        dyed = hue @ self.turn.T + takes * self.tint
        colours[..., 1:] = hue + (dyed - hue) * self.where
        return (np.clip(to_rgb(colours), 0, 1) * 255 + 0.5).astype(np.uint8)

    def moved(self, warp: NDArray[np.floating]) -> Dye:
        """The same in the toon's shape; ``warp`` [G, G, 2] is that of a `PairSet`."""
        return self._replace(where=bent(self.where, warp))


def random_dye(rng: Generator, landmarks: Floats, size: int) -> Dye:
    """A dye for all but the face.

    Args:
        rng: draws colour and extent.
        landmarks: float32 [478, 2] in pixels.
        size: side of the picture in pixels.
    """
    angle, hue = rng.uniform(0, 2 * math.pi, 2)
    c, s = math.cos(angle), math.sin(angle)
    tint = STRONGEST * math.sqrt(rng.random()) * np.array([math.cos(hue), math.sin(hue)])
    oval = landmarks[FACE_OVAL]
    centre = oval.mean(0)
    spared = polygon(size, centre + (oval - centre) * rng.uniform(*SCALES, 2))
    where = 1 - blur(spared, size / 128)
    turn = np.array([[c, -s], [s, c]], np.float32)
    return Dye(turn, tint.astype(np.float32), where[..., None])
