"""The colours about a person's eyes, and the paint that they make."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.build import lash_strength
from engines.faces.eyes.iris import UNKNOWN, iris_sample
from engines.faces.eyes.paint import EyePaint, scene_light
from engines.faces.eyes.painted import IRIS_SCALE
from engines.faces.features import BROW, EYE, LID_POINTS
from engines.faces.head import Head
from engines.faces.pixels import Floats, Reals, mix, step
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.finish.colour import Small, as_lab

CHEEKS = [50, 205, 280, 425]
IRIS = 0.88  # how much of an opening an iris fills, in shares of the artist's: whites show more
PUPIL, DARK_PUPIL = 0.46, 0.40
"""Radius of the pupil in the iris's, of a light one, in which small ones stare, and a dark one."""
SHADE = 0.55  # on the white of the corners and the lower lid, in shares of the artist's
LINED = 1.25  # how bold the lower lid's line is, in them: a narrow eye would end as if cut
TUCKED = 1.0  # how far free irises are moved below their lids
FULL = 24.0  # chroma of skin below which eyes lose theirs: in grey rooms brown ones would glow
VIVID = 0.95  # share of the artist's chroma that light irises get
DARK = (0.42, 0.22)  # mean light of an iris's lightest tone, 0..1: light .. dark
AMBER, AMBER_MIDDLE = 1.27, 1.13  # gain of a dark iris's tones
WARM = (0.03, 0.015, 0.0)  # added to the lightest, RGB
LASHES = (0.2, 0.6)  # over the network's soft ones: so much, and so much times the person's
BROWN_WEIGHT = 3e-4  # of brown, a twentieth of two eyes' that are well seen
HARDLY_SEEN = 6.0  # times as much is added for irises too small to be seen
HAZE = (20.0, 45.0)  # L* of the darkest about an eye: clear .. as milky as pictures get
SEEN = (2.5, 6.0)  # radius of an iris in frame pixels: its colour is unknown .. surely known


def colours_of(
    crop: Image, points: NDArray[np.floating], shown: Reals, zoom: float
) -> tuple[Floats, float]:
    """What a photo says of the colours about its eyes, and how much that counts.

    Args:
        crop: uint8 [S, S, 3] BGR, the photo.
        points: float [478, >=2], landmarks, 0..1 across it.
        shown: 0..1, how much of each eye is seen.
        zoom: pixels of the frame in one of the crop.

    Returns:
        Iris sample, L* of the cheeks and of the darkest of the brows, light of the scene, strength
        of the lashes, haze (nan if no eye is seen), [8]; how well the irises are seen, above 0.
    """
    pixels = np.asarray(points, np.float32)[:, :2] * crop.shape[0] - 0.5
    cheeks, brows = (_lab_at(crop, pixels[ids]) for ids in (CHEEKS, [*BROW[0], *BROW[1]]))
    skin = np.median(cheeks, 0)
    widths = [float(np.ptp(pixels[ids, 0])) for ids in EYE]
    # In a small or turned face skin mixes into the white, and a dark iris would look blue.
    seen = step(*SEEN, 0.1 * sum(widths) * min(zoom, 1.0))
    darkest: list[float] = []
    samples, weights = [UNKNOWN], [BROWN_WEIGHT * (1 + HARDLY_SEEN * (1 - seen))]
    for eye, width in enumerate(widths):
        if shown[eye] < 0.05:
            continue
        reach, middle = round(0.6 * width) + 6, pixels[LID_POINTS[eye]].mean(0)
        patch = cv2.getRectSubPix(crop, (2 * reach, 2 * reach), tuple(map(float, middle)))
        lab = as_lab(as_uint8(patch))
        darkest.append(float(np.percentile(lab[..., 0], 1)))
        sample, area = iris_sample(lab, pixels - middle + (reach - 0.5), eye, skin)
        samples.append(sample)
        weights.append(area / crop.shape[0] ** 2 * float(shown[eye]) * seen)
    iris = np.array(weights) @ np.stack(samples) / sum(weights)
    lightest = scene_light(Small.of(crop).lab[..., 0])
    brow = np.percentile(brows[:, 0], 8)
    lashes = lash_strength(Head(np.asarray(points, np.float32)))
    haze = np.clip(min(darkest), *HAZE) - HAZE[0] if darkest else np.nan
    told = np.array([*iris, skin[0], brow, lightest, lashes, haze / 100], np.float32)
    return told, sum(weights[1:]) + 1e-6


def _lab_at(bgr: Image, pixels: NDArray[np.float32]) -> Floats:
    """L*a*b* at some places: [N, 3]."""
    at = cv2.remap(
        bgr,
        pixels[None, :, 0],
        pixels[None, :, 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return as_lab(as_uint8(at))[0]


def paint_of(colours: Floats, toon: Image, points: NDArray[np.float32]) -> EyePaint:
    """Paint for both eyes in the light of the toon, with lengths in shares of the crop's side.

    Args:
        colours: [8], as `colours_of` gives them.
        toon: uint8 [S, S, 3] BGR.
        points: float32 [478, 2], its landmarks, 0..1 across it.
    """
    skin, brow, scene, lashes, haze = (float(value) for value in colours[3:])
    light, a, b = np.median(_lab_at(toon, points[CHEEKS] * toon.shape[0] - 0.5), 0)
    left, right = (points[ids].mean(0) for ids in LID_POINTS)
    chroma = float(np.hypot(a, b))
    paint = EyePaint.mixed(
        colours[:3],
        light=float(light) / 100,
        skin=np.array([a, b]),
        photo_skin=skin,
        photo_brow=brow / 100,
        contrast=brow / (skin + 5),
        scene=scene,
        vivid=VIVID,
        lashes=LASHES[0] + LASHES[1] * lashes,
        iris_scale=IRIS_SCALE,
        light_side=0.0,
        colour=step(3, 9, chroma) * min(chroma / FULL, 1.0),
        unit=float(np.linalg.norm(right - left)),
        crease=0.0,
        haze=haze,
        socket=1.0,
        filled=IRIS,
        pupil=PUPIL,
        lined=LINED,
        tucked=TUCKED,
        shade=SHADE,
    )
    paint = paint.printed(float(light) / 100)  # as the artist prints the whole head
    return _lit(paint)


def _lit(paint: EyePaint) -> EyePaint:
    """Paint with light in a dark iris: it goes through it below, or it is one with its pupil."""
    tones = paint.tones
    dark = step(*DARK, float(tones.light.mean()))
    amber = np.minimum(AMBER * tones.light + paint.colour * np.array(WARM, np.float32), 1)
    middle = np.minimum(AMBER_MIDDLE * tones.middle, 1)
    lit = replace(
        tones, middle=mix(tones.middle, middle, dark), light=mix(tones.light, amber, dark)
    )
    return replace(paint, tones=lit, pupil=paint.pupil + dark * (DARK_PUPIL - paint.pupil))
