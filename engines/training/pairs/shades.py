"""Hard shadows over half a face, or in an eye socket.

Most portraits are lit softly, and many of the dark eyes in them are closed, so a generator takes an
eye in hard shade for a wink. The artist lightens a shadow over half a face and removes one in a
socket.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engines.faces.pixels import blur
from engines.pictures import Image
from engines.training.pairs.augment import bent

Floats = NDArray[np.float32]

DEEPEST, FAINTEST = 0.25, 0.65  # share of the light that is left
SOFTEST = 1 / 24  # widest edge, as a share of the picture's side
REACH = 0.4  # largest distance of a half shadow's edge from between the eyes, in eye distances
SOCKET = ((0.3, 0.5), (0.2, 0.35))  # half the width and height of a socket shadow, likewise


class Shade(NamedTuple):
    """A shadow.

    Attributes:
        left: share of the light that is left on the photo.
        drawn: share that is left on the toon.
        where: float32 [S, S, 1], 0..1.
    """

    left: float
    drawn: float
    where: Floats

    def over(self, image: Image) -> Image:
        """`image` with the shadow on it."""
        return (image * (1 - (1 - self.left) * self.where) + 0.5).astype(np.uint8)

    def moved(self, warp: NDArray[np.floating]) -> Shade:
        """The shadow as drawn on the toon, in its shape; `warp` [G, G, 2] as in `PairSet`."""
        return Shade(self.drawn, self.drawn, bent(self.where, warp))


def random_shade(rng: Generator, eyes: Floats, size: int) -> Shade:
    """A random shadow on a face.

    Args:
        rng: draws place, depth and softness.
        eyes: float32 [2, 2], their centres in pixels.
        size: side of the picture in pixels.
    """
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    across = eyes[1] - eyes[0]
    distance = float(np.linalg.norm(across)) + 1e-3
    left = rng.uniform(DEEPEST, FAINTEST)
    if rng.random() < 0.5:
        drawn = math.sqrt(left)
        angle = rng.uniform(0, 2 * math.pi)
        x, y = eyes.mean(0) + rng.uniform(-REACH, REACH, 2) * distance
        where = (columns - x) * math.cos(angle) + (rows - y) * math.sin(angle) > 0
    else:
        drawn = 1.0
        x, y = eyes[int(rng.random() < 0.5)]
        wide, high = (rng.uniform(*reach) * distance for reach in SOCKET)
        where = ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2 < 1
    soft = blur(where.astype(np.float32), 0.5 + rng.random() * SOFTEST * size)
    return Shade(left, drawn, np.asarray(soft, np.float32)[..., None])
