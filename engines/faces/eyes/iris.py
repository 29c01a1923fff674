"""The colour of a person's irises, measured in a picture and made a painter's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.faces.features import EYE, eye_iris
from engines.faces.pixels import Floats, Reals, lab_colour, polygon, step

UNKNOWN = np.array([0.2, 2.0, 4.0], np.float32)
"""The sample of an iris that cannot be seen: brown."""

BROWN, HAZEL, OLIVE, GREEN, BLUE = (
    np.array(v) for v in ((0.56, 0.83), (0.28, 0.85), (-0.08, 0.99), (-0.52, 0.85), (-0.40, -0.92))
)
"""Directions of hues in a, b."""


FAINTEST = (0.74, 0.62)  # lightness ratio: no iris is seen .. surely one
SHADE = (2.5, 3.2)  # a, b that a light iris gains against the shaded white
GOLDEN, GOLDEN_RATIO = (8.5, 13.0), (0.28, 0.36)
"""Chroma, and lightness ratio, of a brown iris: as any other .. as golden as they get."""
GOLD = (11.0, 9.0)  # L* and chroma that those gain
COLOURLESS, LESS = (4.0, 1.5), 0.3
"""Chroma of a dark iris: brown .. grey, as light ones are in deep shade; share that it loses."""
BLACK = (0.08, 0.14)  # lightness ratio: too dark to tell .. told
DEEP, DARKER = (0.22, 0.10), (2.5, 4.0)
"""Lightness ratio: brown .. nearly black; L* and chroma that those lose."""


def iris_sample(lab: Floats, landmarks: Reals, eye: int, skin: Reals) -> tuple[Floats, float]:
    """Iris seen against the white of the same eye, which cancels the colour of the light.

    Args:
        lab: float32 [S, S, 3], L*a*b*.
        landmarks: [478, 2 or more], pixels.
        eye: 0 left or 1 right, in the picture.
        skin: L*a*b* [3] of the face.

    Returns:
        (lightness ratio to the white, a, b left after scaling out the white's tint), and how much
        that counts: the visible eye area in pixels, as far as a white was seen.  Highlights are
        rejected.
    """
    size = lab.shape[0]
    centre, ring = eye_iris(landmarks, eye)
    radius = np.linalg.norm(landmarks[ring, :2] - landmarks[centre, :2], axis=1).mean()
    opening = polygon(size, landmarks[EYE[eye]])
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    distance = np.hypot(columns - landmarks[centre, 0], rows - landmarks[centre, 1]) / radius
    below_lid = rows > landmarks[centre, 1] - 0.35 * radius
    use = (distance > 0.42) & (distance < 0.88) & (opening > 0.6) & below_lid
    if use.sum() < 12:
        use = (distance < 0.9) & (opening > 0.4)
    inside = lab[opening > 0.6]
    if use.sum() < 6 or len(inside) < 12:
        return UNKNOWN, 1e-3
    white = np.median(inside[inside[:, 0] >= np.percentile(inside[:, 0], 85)], 0)
    samples = lab[use]
    iris = np.median(samples[samples[:, 0] <= np.percentile(samples[:, 0], 75)], 0)
    ratio = iris[0] / max(float(white[0]), 0.5 * float(skin[0]), 8.0)
    sure = _surely_white(white, skin) * step(*FAINTEST, float(ratio))
    if sure < 0.05:
        return UNKNOWN, 1e-3
    tint = iris[1:] - white[1:] * min(float(ratio), 1.0)
    return np.array([ratio, *tint], np.float32), float(opening.sum()) * sure + 1e-3


def _surely_white(white: Reals, skin: Reals) -> float:
    """0..1: in eyes of a few pixels, in the dark and behind lids, the lightest place is skin, next
    to which every iris would look blue."""
    chroma = float(np.hypot(*white[1:]) / (np.hypot(*skin[1:]) + 1))
    return max(step(0.95, 0.70, chroma), step(1.10, 1.35, float(white[0] / max(skin[0], 1))))


def doubt_of_light_eyes(skin_light: float) -> float:
    """0..1, more the darker the skin, whose L* is `skin_light`."""
    return step(58, 44, skin_light)


@dataclass(frozen=True)
class IrisTones:
    """Clean iris colours, RGB [3]."""

    dark: Floats
    middle: Floats
    light: Floats


def iris_tones(
    sample: Floats, exposure: float, colour: float, dark_hair: float, vivid: float = 1.0
) -> IrisTones:
    """Turn a sampled iris into three clean colours: brown unless it is clearly light and cool.

    Args:
        sample: (lightness ratio, a, b) of `iris_sample`.
        exposure: 0.6..1, key of the picture.
        colour: 0 for grey photos.
        dark_hair: 0..1, dark brows or skin, which ask for stronger evidence of light eyes.
        vivid: share of their chroma that light eyes get.
    """
    ratio, a, b = (float(v) for v in sample)
    strength = float(np.clip(np.hypot(a, b) / 7, 0, 1))
    # The whitest that is seen beside a light iris is in the lids' shade, bluer than the iris.
    light = step(0.36, 0.46, ratio)
    a, b = a - SHADE[0] * light, b - SHADE[1] * light
    sure = max(step(-2.0, -4.0, a), step(-2.0, -4.0, b) * step(3.0, 0.0, a))
    bar = 0.23 + 0.16 * dark_hair * (1 - 0.5 * sure)
    not_red = max(step(3.0, 0.0, a), step(-4.0, -9.0, b))  # clear blue is a little red
    not_amber = max(step(7.0, 4.0, b), step(0.0, -2.5, a))
    cool = not_red * not_amber * step(bar, bar + 0.08, ratio)
    green = step(-3.0, 1.5, b) * step(4.0, 1.0, a)
    light_tone = float(np.clip((ratio - 0.22) / 0.36, 0.15, 1))
    dark_tone = float(np.clip((ratio - 0.20) / 0.50, 0, 0.7))
    chroma = float(np.hypot(*sample[1:]))
    gold = step(*GOLDEN, chroma) * step(*GOLDEN_RATIO, ratio)
    deep = step(*DEEP, ratio)
    brown = 18 + 28 * dark_tone + GOLD[0] * gold - DARKER[0] * deep
    lightness = (1 - cool) * brown + cool * (36 + 14 * light_tone)
    lightness *= 0.55 + 0.45 * exposure
    hazel = max(0.9 * step(0.28, 0.46, ratio) * step(6.0, 2.5, a), 0.6 * gold)
    hazel *= 1 - 0.7 * dark_hair * (1 - gold)
    brown_chroma = 21 + 12 * dark_tone + GOLD[1] * gold - DARKER[1] * deep
    grey = step(*COLOURLESS, chroma) * step(*BLACK, ratio)
    brown_chroma *= 1 - LESS * grey
    ab = (1 - cool) * (BROWN + (HAZEL - BROWN) * hazel) * brown_chroma
    greenish = OLIVE + (GREEN - OLIVE) * step(1.0, -3.0, a)
    ab = (ab + cool * (BLUE + (greenish - BLUE) * green) * (4.5 + 7 * strength) * vivid) * colour

    def tint(level: float, gain: float) -> Floats:
        return lab_colour(level, ab[0] * gain, ab[1] * gain)

    return IrisTones(
        tint(lightness * 0.42, 0.85), tint(lightness, 1.0), tint(min(lightness * 1.48, 78), 1.35)
    )
