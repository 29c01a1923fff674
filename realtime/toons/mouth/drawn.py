"""A mouth as a network drew it, without what it copied of the photo's.

A network that was taught drawings still copies much of a photo's mouth: white glare on the lower
lip, the creases of lips, a black line between them and the gaps between teeth, which are taken for
a photo at once.
"""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.pixels import Floats, mix, polygon, smoothstep, step
from realtime.toons.finish.colour import colourful, lifted
from realtime.toons.finish.skin import guided
from realtime.toons.mouth.lips import VIOLET, Lips, light_on
from realtime.toons.mouth.shape import RIM, MouthShape

GLARE, KEPT = 8.0, 0.65  # L* above the lips' middle from which on light is glare; how much stays
COLOURED, OWN = 14.0, 0.75  # L* of glare that takes the lips' own colour, and how far
OVER_SKIN = 6.0  # L* by which lips may be lighter than skin before that
CREASES = 0.07  # side of the window in which lips are made even, in widths of the mouth
EDGE = 7.0  # L*: fainter creases go, stronger edges stay
ROSY = 0.5  # a* by which pale lips are redder than skin at least
GLEAM, GLEAM_AT = 13.0, 0.42  # L* of the lower lip's light; where, from the mouth line to its rim
GLEAM_SIZE = (0.18, 0.34)  # its reach along, in widths of the mouth, and across, in the lip's
OPEN = (0.03, 0.08)  # height over width of a mouth without teeth .. with them
TOOTH = (-2.0, 10.0)  # L* by which teeth are lighter than the lips' middle: none .. teeth
PALE = (26.0, 14.0)  # chroma of what is no tooth .. of teeth
GAP, ROW = 0.08, 0.48  # widths of the mouth: gaps that are closed, and over how much teeth are even
ONE = 0.65  # how far they are: a plain white bar is no mouth
IVORY = (1.0, 9.0)  # their a* and b*
UNDER_LIP = 0.22  # of the shade of the upper lip on them
DEPTH, CLOSED, DEEP = 0.55, 0.45, 0.75
"""Light of lips below which the line of a closed mouth is lifted, how far, and how much less the
depth of an open one."""
EVEN, TINT = 0.35, 0.45  # how far lips go to the person's light and colour
BETWEEN = 0.02  # how softly one lip's goes over into the other's, in widths of the mouth
BESIDE = 0.03  # how far beside the lips that goes, in widths of the mouth
LIPS_ARE = (0.30, 0.50)  # chroma in shares of the skin's: a mask or a cup .. lips
LIGHTER = (1.30, 1.15)  # light in shares of the skin's, in grey pictures: the same
BLUER = (22.0, 14.0)  # b* by which they are bluer than skin: a blue mask .. lips
DARK = (0.30, 0.45)  # light in shares of the skin's: a microphone .. lips


def made_good(
    lab: Floats,
    shape: MouthShape,
    middle: Floats,
    skin: Floats,
    lips: Lips | None,
    like: float,
) -> Floats:
    """A network's mouth, [h, w, 3] Lab, made good.

    Args:
        lab: float32 [h, w, 3] Lab.
        shape: where the mouth is in it.
        middle: colour of its lips, L, a, b.
        skin: the face's.
        lips: the person's, if they are known.
        like: 0 what is there may be skin .. 1 it is lips, gets their colours and gleams.
    """
    flesh = shape.flesh
    own = _lips(lab, flesh, middle, skin, shape.width)
    if lips is not None:
        own = mix(own, _coloured(own, skin, lips, shape), like)
    result = mix(lab, own, flesh)
    result[..., 0] += np.float32(GLEAM * (light_on(skin) * like)) * _gleam(shape) * flesh
    teeth = step(*OPEN, shape.tall)
    if teeth > 0.02:
        result = mix(result, _teeth(result, middle, shape, colourful(skin)), teeth)
    result = mix(lab, result, shape.whole)
    about = polygon(shape.size, shape.lips, RIM * shape.width, BESIDE * shape.width)
    return _line(result, about * np.float32(1 - DEEP * teeth), middle)


def _gleam(shape: MouthShape) -> Floats:
    """Where a soft light lies on the lower lip, 0..1."""
    thick = np.maximum(shape.bottom - shape.lower, 1.0)
    across = ((shape.rows - shape.lower) / thick - GLEAM_AT) / np.float32(GLEAM_SIZE[1])
    aside = shape.along / np.float32(2 * GLEAM_SIZE[0])
    return np.asarray(np.exp(-(aside * aside) - across * across), np.float32)


def _lips(lab: Floats, flesh: Floats, middle: Floats, skin: Floats, width: float) -> Floats:
    """Lips [h, w, 3] Lab without glare and creases, in a colour of their own."""
    light = guided(lab[..., 0], flesh, 2 * round(CREASES * width / 2) + 1, EDGE)
    level = min(float(middle[0]), float(skin[0]) + OVER_SKIN) + GLARE
    over = np.maximum(light - level, 0)
    drawn = lab.copy()
    drawn[..., 0] = light - np.float32(1 - KEPT) * over
    rosy = float(skin[1]) + ROSY * colourful(skin)
    own = np.array([max(float(middle[1]), rosy), float(middle[2])], np.float32)
    glare = np.float32(OWN) * np.clip(over / np.float32(COLOURED), 0, 1)[..., None]
    drawn[..., 1:] = mix(lab[..., 1:], own, glare)
    drawn[..., 1] += np.float32(own[0] - middle[1])
    return drawn


def _coloured(lab: Floats, skin: Floats, lips: Lips, shape: MouthShape) -> Floats:
    """Lips [h, w, 3] Lab in the person's own colours beside the toon's skin, a light one and a dark
    one whatever falls on them in the photo."""
    upper, lower = skin + lips.upper, skin + lips.lower
    own = mix(upper, lower, shape.below_line(BETWEEN))
    drawn = mix(lab, own, np.array([EVEN, TINT, TINT], np.float32))
    drawn[..., 2] = np.maximum(drawn[..., 2], own[..., 2] - np.float32(VIOLET))
    return drawn


def _line(lab: Floats, about: Floats, lips: Floats) -> Floats:
    """A mouth [h, w, 3] Lab whose line, corners and depth are no black, but a dark tone of lips."""
    dark = np.maximum(np.float32(DEPTH) * lips[0] - lab[..., 0], 0)
    return lifted(lab, dark, about, CLOSED, lips[1:], DEPTH * float(lips[0]) / 2 + 1)


def _teeth(lab: Floats, lips: Floats, shape: MouthShape, colour: float) -> Floats:
    """An open mouth [h, w, 3] Lab whose teeth are one row, in ivory as far as there is `colour`."""
    width = shape.width
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    gap = np.ones((1, 2 * round(GAP * width / 2) + 1), np.uint8)
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, gap)
    tooth = smoothstep(*TOOTH, closed - lips[0]) * smoothstep(*PALE, chroma) * shape.opening
    tooth = np.asarray(cv2.GaussianBlur(tooth, (0, 0), max(0.012 * width, 0.5)), np.float32)
    tooth *= np.float32(ONE)
    weight = tooth + np.float32(1e-3)
    row = (2 * round(ROW * width / 2) + 1, 2 * round(0.03 * width) + 1)
    even = cv2.blur(closed * weight, row) / cv2.blur(weight, row)
    shade = np.exp(-np.maximum(shape.rows - shape.upper, 0) / np.float32(0.045 * width))
    drawn = lab.copy()
    drawn[..., 0] = mix(light, even * (1 - np.float32(UNDER_LIP) * shade), tooth)
    ivory = np.float32(colour) * np.array(IVORY, np.float32)
    drawn[..., 1:] = mix(lab[..., 1:], ivory, np.float32(0.7) * tooth)
    return drawn


def certainty(lips: Floats, skin: Floats) -> float:
    """0 where something hides a mouth .. 1, from the colours of both."""
    chroma, own = (max(float(np.hypot(*colour[1:])), 1.0) for colour in (lips, skin))
    light = float(lips[0]) / max(float(skin[0]), 1.0)
    bluer = float(skin[2] - lips[2])
    colour = colourful(skin)
    like = colour * step(*LIPS_ARE, chroma / own) + (1 - colour) * step(*LIGHTER, light)
    return like * step(*BLUER, bluer) * step(*DARK, light)
