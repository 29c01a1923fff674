"""Spectacles kept: does a frame drawn on the photo come out on the toon?"""

from __future__ import annotations

import zlib

import cv2
import numpy as np

from benchmarks.quality.portraits import Portrait
from engines.pictures import Image
from engines.training.pairs.eyewear import Layer, draw_spectacles
from engines.training.pairs.sampler import eye_centres

BLACK = (25.0, 25.0, 25.0)


def black_frame(portrait: Portrait, side: int) -> Layer:
    """A black frame whose shape, thick or thin, depends on the person's name alone."""
    points = portrait.points(side)[:, :2]
    rng = np.random.default_rng(zlib.crc32(portrait.name.encode()))
    frame = draw_spectacles(rng, points, eye_centres(points), side)
    return frame._replace(colour=np.array(BLACK, np.float32))


def frame_shown(bare: Image, worn: Image, frame: Layer) -> float:
    """How much of `frame` the toon `worn` shows beside `bare`, the toon without it.

    The least-squares share of the change that the frame, laid on `bare`, would make; both are
    first blurred by a pixel, so that a line half a pixel off still counts.

    Args:
        bare, worn: uint8 [S, S, 3].
        frame: of the same size, in the toon's shape.
    """
    wanted, found = (
        cv2.GaussianBlur(image.astype(np.float32) - bare, (0, 0), 1.0)
        for image in (frame.over(bare), worn)
    )
    return float((wanted * found).sum() / max(float(np.square(wanted).sum()), 1e-6))
