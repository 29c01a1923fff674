"""Portraits with a hand, a cup or a phone before one eye."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

from benchmarks.quality.portraits import Portrait
from engines.faces.eyes.shape import EyeShape
from engines.pictures import Image
from engines.training.pairs.objects import random_thing

ATTEMPTS = 200
COVERED = 0.9  # of one eye's opening that the thing hides at least
FREE = 0.1  # of the other one's that it hides at most


class Covered(NamedTuple):
    """A picture with one eye behind something."""

    crop: Image  # uint8 [S, S, 3]
    eye: int  # 0 left or 1 right, in the picture


def cover(portrait: Portrait, side: int) -> Covered | None:
    """Something before one eye of a portrait, which depends on its name alone; None if none of
    many things lies so."""
    crop, points = portrait.crop(side), portrait.points(side)
    rng = np.random.default_rng(zlib.crc32(portrait.name.encode()))
    openings = [EyeShape.of(points, eye, 1.0).opening((side, side)) for eye in range(2)]
    for _ in range(ATTEMPTS):
        thing = random_thing(rng, crop, points[:, :2])
        behind = [
            float((opening * thing.where[..., 0]).sum() / (opening.sum() + 1e-6))
            for opening in openings
        ]
        eye = int(behind[1] > behind[0])
        if behind[eye] > COVERED and behind[1 - eye] < FREE:
            return Covered(thing.over(crop), eye)
    return None
