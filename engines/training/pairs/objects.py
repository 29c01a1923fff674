"""Hands, cups and phones in front of a face, alike on photo and toon.

Portraits show nothing before the face. A generator that has only seen those draws a mouth onto the
cup that somebody drinks from; here the toon goes under the object, and the object stays.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engines.faces.pixels import blur
from engines.pictures import Image

Floats = NDArray[np.float32]

ROUNDNESS = 0.35  # how much darker a round thing is at its rim
FINGERS, SPREAD = 4, 0.2  # of a hand; radians between them


class Thing(NamedTuple):
    """Something in front of a picture.

    Attributes:
        look: float32 [S, S, 3], 0..255.
        where: float32 [S, S, 1], 0..1.
    """

    look: Floats
    where: Floats

    def over(self, image: Image) -> Image:
        """`image` behind it."""
        return (image + (self.look - image) * self.where + 0.5).astype(np.uint8)

    def moved(self, warp: NDArray[np.floating]) -> Thing:
        """The same thing at the same place: it is no part of the head, which changes its shape."""
        return self


def random_thing(rng: Generator, photo: Image, landmarks: Floats) -> Thing:
    """A random hand, cup or phone.

    Args:
        rng: draws what it is, and where.
        photo: uint8 [S, S, 3]; a hand has the colour of its skin.
        landmarks: float32 [478, 2] in its pixels.
    """
    size = photo.shape[0]
    chin, brow = landmarks[152], landmarks[9]
    face = float(np.linalg.norm(chin - brow)) + 1e-3
    middle = brow + (chin - brow) * rng.uniform(0.3, 1.1) + rng.normal(0, 0.25, 2) * face
    if rng.random() < 0.6:
        cheek = landmarks[[50, 280, 205, 425]].round().astype(int).clip(0, size - 1)
        colour = photo[cheek[:, 1], cheek[:, 0]].mean(0) * rng.uniform(0.75, 1.1)
        shape = _hand(rng, size, middle, face)
    else:
        colour = rng.uniform(0, 255, 3) * rng.uniform(0.3, 1)
        shape = _block(rng, size, middle, face)
    shape = blur(shape, rng.uniform(0.4, 1.5) * size / 256)
    rim = cv2.distanceTransform((shape > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    round_ = np.clip(rim / (0.08 * face), 0, 1)[..., None]
    shade = blur((1 - ROUNDNESS * (1 - round_) ** 2).astype(np.float32)[..., 0], size / 256)
    look = np.clip(colour * shade[..., None], 0, 255).astype(np.float32)
    return Thing(look, np.asarray(shape, np.float32)[..., None])


def _hand(rng: Generator, size: int, middle: Floats, face: float) -> Floats:
    """Fingers that reach into the face, and the back of the hand outside: float32 [S, S]."""
    mask, base = np.zeros((size, size), np.float32), rng.uniform(0, math.pi)  # from below or beside
    palm = middle + np.array([math.cos(base), math.sin(base)]) * face * rng.uniform(0.4, 0.9)
    cv2.circle(mask, _pixel(palm), round(0.24 * face), 1.0, -1, cv2.LINE_AA)
    count = int(rng.integers(1, FINGERS + 1))
    for finger in range(count):
        angle = base + math.pi + (finger - (count - 1) / 2) * SPREAD + rng.normal(0, 0.05)
        long = face * rng.uniform(0.5, 0.75)
        tip = palm + np.array([math.cos(angle), math.sin(angle)]) * long
        cv2.line(mask, _pixel(palm), _pixel(tip), 1.0, max(2, round(0.11 * face)), cv2.LINE_AA)
    return mask


def _block(rng: Generator, size: int, middle: Floats, face: float) -> Floats:
    """A cup, a phone or a microphone: float32 [S, S]."""
    sides = rng.uniform(0.25, 0.7, 2) * face
    if rng.random() < 0.4:
        mask = np.zeros((size, size), np.float32)
        axes = (round(sides[0] / 2), round(sides[1] / 2))
        cv2.ellipse(mask, _pixel(middle), axes, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
        return mask
    box = ((float(middle[0]), float(middle[1])), (float(sides[0]), float(sides[1])))
    corners = cv2.boxPoints((*box, float(rng.uniform(-30, 30))))
    mask = np.zeros((size, size), np.float32)
    cv2.fillConvexPoly(mask, corners.round().astype(np.int32), 1.0, cv2.LINE_AA)
    return mask


def _pixel(point: NDArray[np.floating]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
