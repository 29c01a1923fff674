"""Spectacles drawn on photo and toon alike.

One portrait in ten shows spectacles. That is too few to learn that a frame must be kept whatever
its shape and colour; in front of a webcam, every second person wears some.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engines.faces.head import CHIN, FOREHEAD
from engines.pictures import Image
from engines.training.pairs.augment import bent

Floats = NDArray[np.float32]

TEMPLES = (127, 356)
FACE_HEIGHT = 2.76  # of MediaPipe's canonical face, in eye distances
FINER = 2  # drawn at twice the size and shrunk, for smooth edges
POINTS = 48  # of a rim


class Layer(NamedTuple):
    """A frame by itself.

    Attributes:
        colour: float32 [3], 0..255.
        opacity: float32 [S, S, 1], 0..1.
    """

    colour: Floats
    opacity: Floats

    def over(self, image: Image) -> Image:
        """The frame drawn on `image`."""
        out = image + (self.colour - image) * self.opacity
        return (out + 0.5).astype(np.uint8)

    def moved(self, warp: NDArray[np.floating]) -> Layer:
        """The frame in the toon's shape; `warp` [G, G, 2] as in `PairSet`."""
        return Layer(self.colour, bent(self.opacity, warp))


def random_colour(rng: Generator) -> Floats:
    """A frame's colour, float32 [3] in 0..255: mostly black, often brown or metal."""
    kind = rng.random()
    if kind < 0.5:
        return (rng.uniform(0, 55) + rng.uniform(-5, 5, 3)).clip(0).astype(np.float32)
    if kind < 0.7:
        return (np.array([110, 65, 35]) * rng.uniform(0.4, 1.3)).astype(np.float32)
    if kind < 0.85:
        return (np.array([190, 175, 150]) * rng.uniform(0.6, 1.2)).astype(np.float32)
    return rng.uniform(10, 220, 3).astype(np.float32)


def draw_spectacles(rng: Generator, landmarks: Floats, eyes: Floats, size: int) -> Layer:
    """A random frame for a face.

    Rims are superellipses, some thicker above than below or open below. Bridge and temples are
    lines.

    Args:
        rng: draws shape and colour.
        landmarks: float32 [478, 2] in pixels.
        eyes: float32 [2, 2], their centres, the left one in the picture first.
        size: side of the picture in pixels.
    """
    across = eyes[1] - eyes[0]
    down = (landmarks[CHIN] - landmarks[FOREHEAD]) / FACE_HEIGHT
    wide, tall = rng.uniform(0.36, 0.46), rng.uniform(0.24, 0.42)
    power = 2 / rng.uniform(2, 5)
    thin = rng.uniform(0.016, 0.05)
    above, below = thin * rng.choice([1.0, 1.0, 1.6, 2.4]), thin * rng.choice([1.0, 1.0, 0.6, 0.0])
    drop, height = rng.uniform(0.02, 0.12), -rng.uniform(0.0, 0.14)
    unit = float(np.linalg.norm(across)) * FINER
    opacity = np.zeros((size * FINER, size * FINER), np.uint8)

    def place(x: float, y: float, eye: int) -> Floats:
        """The pixel that is `x` outwards from an eye and `y` down, in eye distances."""
        return np.asarray(eyes[eye] + (2 * eye - 1) * x * across + y * down, np.float32)

    def line(points: list[Floats], width: float) -> None:
        ends = np.round((np.stack(points) + 0.5) * FINER * 16 - 8).astype(np.int32)
        thick = max(round(width * unit), 1)
        cv2.polylines(opacity, [ends], False, 255, thick, cv2.LINE_AA, 4)

    turns = np.linspace(0, 2 * np.pi, POINTS + 1)
    for eye in range(2):
        rim = [
            place(
                0.03 + wide * np.sign(np.cos(t)) * abs(np.cos(t)) ** power,
                drop + tall * np.sign(np.sin(t)) * abs(np.sin(t)) ** power,
                eye,
            )
            for t in turns
        ]
        if below:
            line(rim[: POINTS // 2 + 1], below)
        line(rim[POINTS // 2 :], above)
        line([place(0.03 + wide, drop + height, eye), landmarks[TEMPLES[eye]]], thin)
    nose = [place(0.03 - wide * 0.98, drop + height, eye) for eye in range(2)]
    line([nose[0], (nose[0] + nose[1]) / 2 - 0.03 * down, nose[1]], thin)
    small = cv2.resize(opacity, (size, size), interpolation=cv2.INTER_AREA)
    share = np.asarray(small, np.float32)[..., None] / np.float32(255)
    return Layer(random_colour(rng), share)
