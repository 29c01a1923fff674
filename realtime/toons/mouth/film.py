"""A film's mouth: what a network drew made good, and lips painted over it where they need it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engines.faces.head import INNER_LIPS, LIPS
from engines.faces.pixels import Floats, mix, step
from engines.pictures import Image
from realtime.toons.finish.colour import as_lab, with_lab
from realtime.toons.mouth import drawn as network
from realtime.toons.mouth.lips import Lips
from realtime.toons.mouth.painted import with_line, with_lips
from realtime.toons.mouth.shape import MouthShape, mouth_width
from realtime.toons.places import box_about
from realtime.toons.softness import blurred

MARGIN = 0.16  # of the box about a mouth, in its widths
SMALLEST = 12  # pixels of a mouth's width below which it stays
LEAST_SURE = 0.02  # of 1: what hides a mouth as surely as that is left alone
OPEN = (0.012, 0.03)  # height over width of a closed mouth .. an open one
LIP_LIKE = (2.0, 6.0)  # CIE76 from the skin: skin, or a hand on the mouth .. lips
PAINTED, LEAST_PAINT = 0.75, 0.02  # how far lips are painted that are lit most unevenly; the least
FIRM = 0.25  # how much further their line is, of a closed mouth


class Featured(NamedTuple):
    """A toon with a film's features.

    Attributes:
        image: uint8 [R, R, 3] BGR.
        mouth: 0..1, how far its mouth was painted: how surely there is one, and nothing hides it.
    """

    image: Image
    mouth: float


def film_mouth(
    toon: Image,
    at: Floats,
    skin: Floats,
    lips: Lips | None,
    soft: float = 0.0,
    front: float = 1.0,
) -> Featured:
    """A toon with a film's mouth.

    Args:
        toon: uint8 [R, R, 3] BGR.
        at: [478, >=2], the face's landmarks in its pixels.
        skin: the face's colour, L, a, b.
        lips: the person's; None if they are not known, and none are painted then.
        soft: deviation of the Gaussian by which what is painted is blurred, pixels.
        front: 0 a profile, whose landmarks say too little of lips to paint them .. 1 a front.

    Returns:
        `toon` itself where the mouth is too small or something hides it.
    """
    outer, inner = at[LIPS, :2], at[INNER_LIPS, :2]
    width = mouth_width(outer)
    if width < SMALLEST:
        return Featured(toon, 0.0)
    box, low = box_about(toon, outer, MARGIN * width)
    lab = as_lab(toon[box])
    size = lab.shape[:2]
    if min(size) < SMALLEST // 2:
        return Featured(toon, 0.0)
    shape = MouthShape(outer - low, inner - low, size)
    middle = _colour(lab, shape.flesh, skin)
    sure = network.certainty(middle, skin)
    if sure < LEAST_SURE:
        return Featured(toon, 0.0)
    like = step(*LIP_LIKE, float(np.linalg.norm(middle - skin)))
    good = network.made_good(lab, shape, middle, skin, lips, like)
    closed = 1 - step(*OPEN, shape.tall)
    known = like * front
    if lips is not None and known > LEAST_SURE:
        below = shape.below_line(0.0)
        tones = (
            _colour(lab, shape.flesh * (1 - below), middle),
            _colour(lab, shape.flesh * below, middle),
        )
        amount = PAINTED * lips.uneven
        if amount > LEAST_PAINT:
            painted = with_lips(lab, shape, skin, tones, lips, closed, good)
            good = mix(good, blurred(painted, soft), known * amount)
        if closed > 0:
            good = with_line(good, shape, tones, known * closed * (amount + FIRM), soft)
    return Featured(with_lab(toon, box, mix(lab, good, sure)), sure)


def _colour(lab: Floats, where: Floats, otherwise: Floats) -> Floats:
    """The middle colour [3] of what is in some place, [h, w] in 0..1."""
    some = where[::2, ::2] > 0.6  # is enough for a median
    found: Floats = np.median(lab[::2, ::2][some], 0) if some.any() else otherwise
    return found
