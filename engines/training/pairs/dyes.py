"""Hair, hoods and rooms in any colour, alike on photo and toon.

Few portraits show dyed hair or a bright headscarf. A generator that has seen hardly any of them
paints everything near the forehead in the colours of skin and hair, which stains a blue headscarf.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engines.faces.head import FACE_OVAL
from engines.faces.pixels import blur, polygon, to_lab, to_rgb
from engines.pictures import Image
from engines.training.pairs.augment import bent

Floats = NDArray[np.float32]

STRONGEST = 55.0  # largest change of a* and b*
DARKEST, LIGHTEST = 15.0, 95.0  # only L* between these takes a dye
SCALES = (0.85, 1.15)  # undyed area relative to the face: a hood hides part of the face


class Dye(NamedTuple):
    """A change of the colours around a face.

    Attributes:
        turn: float32 [2, 2], rotation of a* and b*.
        tint: float32 [2], added to a* and b*.
        where: float32 [S, S, 1], 0..1.
    """

    turn: Floats
    tint: Floats
    where: Floats

    def over(self, image: Image) -> Image:
        """`image` with its colours changed and its lightness kept."""
        colours = to_lab(image.astype(np.float32) / 255)
        light, hue = colours[..., :1], colours[..., 1:]
        takes = np.clip((light - DARKEST) * (LIGHTEST - light), 0, None) * 4
        takes = takes / (LIGHTEST - DARKEST) ** 2
        dyed = hue @ self.turn.T + takes * self.tint
        colours[..., 1:] = hue + (dyed - hue) * self.where
        return (np.clip(to_rgb(colours), 0, 1) * 255 + 0.5).astype(np.uint8)

    def moved(self, warp: NDArray[np.floating]) -> Dye:
        """The same dye in the toon's shape; `warp` [G, G, 2] as in `PairSet`."""
        return self._replace(where=bent(self.where, warp))


def random_dye(rng: Generator, landmarks: Floats, size: int) -> Dye:
    """A random dye for everything but the face.

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
