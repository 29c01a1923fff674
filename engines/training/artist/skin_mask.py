"""Where skin is in a portrait: neither hair nor beard, cloth, eyes and lips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import UPPER_LID
from engines.faces.head import CHIN, FACE_OVAL, FOREHEAD, NOSE_TIP, SUBNASALE, UNDER_NOSE
from engines.faces.pixels import Floats, Reals, blur, disc, polygon, smoothstep, step
from engines.training.artist.imaging import guided_filter
from engines.training.artist.masks import Features, colourfulness

BARE = ((50, 280), (151, 108, 337))  # landmarks of cheeks and forehead, where no beard grows
BEARD = (0.010, 0.022)  # grain of plain skin .. of a beard: mean difference from what is near, 0..1
PLAIN = 0.008  # grain of skin without lines
LINED = (0.004, 0.012)  # grain beyond that of a face without .. with many lines


def skin(
    lab: Floats, points: Reals, unit: float, marks: Features
) -> tuple[Floats, NDArray[np.float64]]:
    """Skin likelihood [S, S] and mean skin colour (Lab).

    A Lab Gaussian fitted to the inner face, generous to light and shadow, strict on colour, limited
    to face, ears and neck; fine colourless texture below the nose (beard) is not skin, unless the
    whole face is as lined.
    """
    size = lab.shape[0]
    inner = polygon(size, points[FACE_OVAL], 0, -0.06 * unit) * (marks.all < 0.2) > 0.5
    samples = lab[inner][::7]
    upper = inner & (np.arange(size)[:, None] < points[NOSE_TIP, 1])  # no mask, hardly a beard
    first = lab[upper][::7] if upper.sum() > 700 else samples
    mean, spread = np.median(first, 0).astype(np.float64), np.array([14.0, 4.0, 4.0])
    for _ in range(3):
        near = (((samples - mean) / [26.0, 9.0, 9.0]) ** 2).sum(1) < 4
        if near.sum() < 50:
            break
        mean, spread = samples[near].mean(0).astype(np.float64), samples[near].std(0)
    spread = np.maximum(spread, [12.0, 3.2, 3.2])
    lightness = lab[..., 0]
    reach = np.where(
        lightness < mean[0], min(spread[0] * 2.3, 0.33 * mean[0] + 3), spread[0] * 3.0
    ).astype(np.float32)
    hue = (lab[..., 1:] - mean[1:].astype(np.float32)) / (spread[1:] * 1.8).astype(np.float32)
    distance = ((lightness - np.float32(mean[0])) / reach) ** 2 + (hue**2).sum(-1)
    likely = smoothstep(0.12, 0.5, np.exp(-0.4 * distance))

    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    centre = points[FACE_OVAL, :2].mean(0)
    half_width = np.ptp(points[FACE_OVAL, 0]) / 2
    height = abs(points[CHIN, 1] - points[FOREHEAD, 1])
    radius = np.sqrt(
        ((columns - centre[0]) / (half_width * 1.05)) ** 2
        + ((rows - centre[1] + 0.06 * height) / (height * 0.62)) ** 2
    )
    chin = points[CHIN]
    neck = smoothstep(chin[1] - 0.15 * height, chin[1] + 0.1 * height, rows) * smoothstep(
        1.5, 0.8, np.abs(columns - chin[0]) / half_width
    )
    below_nose = (rows - points[SUBNASALE, 1]) / unit
    from_eyes = (rows - points[[UPPER_LID[0][0], UPPER_LID[1][0]], 1].mean()) / unit
    value = lightness / 100
    texture = np.sqrt(np.maximum(cv2.blur(value * value, (7, 7)) - cv2.blur(value, (7, 7)) ** 2, 0))
    up = (points[FOREHEAD, :2] - points[CHIN, :2]) / height * unit
    scalp = polygon(size, points[FACE_OVAL, :2] + up * 0.58, 0.05 * unit, -0.10 * unit)
    burnt = smoothstep(2, 12, lightness - mean[0]) * smoothstep(0.1, -0.15, below_nose)
    burnt *= np.maximum(blur(marks.oval, 3) ** 2, scalp * smoothstep(0.06, 0.03, blur(texture, 3)))
    usual, chroma = np.hypot(*mean[1:]), np.hypot(lab[..., 1], lab[..., 2])
    along = lab[..., 1:] @ (mean[1:] / (usual + 1e-3)).astype(np.float32)
    like_skin = smoothstep(0.26, 0.44, chroma / np.float32(usual + 1)) * smoothstep(-2, 3, along)
    burnt *= like_skin  # cloth shines, too
    relative = chroma / (usual * np.clip(lightness / mean[0], 0.3, 1.2) + 1).astype(np.float32)
    pale = smoothstep(0.78, 0.58, blur(relative, 3)) * smoothstep(0.0, -0.30, from_eyes)
    pale *= 1 - polygon(size, points[FACE_OVAL], 0, -0.20 * unit)
    pale *= colourfulness(mean)
    likely = likely * (1 - pale)  # white hair
    likely = np.maximum(likely, burnt * (1 - np.clip(marks.all * 1.5, 0, 1)))
    above = smoothstep(0.0, -0.30, from_eyes) * (1 - polygon(size, points[FACE_OVAL]))
    likely = likely * (1 - above * smoothstep(0.03, 0.05, blur(texture, 3)))  # a patterned scarf
    grain = blur(np.abs(value - blur(value, 1.5)), 4)
    unlike = np.maximum(  # grey, or as brown as skin and darker
        smoothstep(0.95, 0.70, blur(relative, 2)), smoothstep(6, 16, mean[0] - blur(lightness, 2))
    )
    rough = _roughness(grain, points, unit)
    beard = smoothstep(BEARD[0] + rough, BEARD[1] + 1.3 * rough, grain) * unlike
    likely = likely * (1 - beard * smoothstep(-0.05, 0.12, below_nose))
    likely = np.maximum(likely, _nose_shadow(likely, grain, points, unit, marks))
    likely = likely.astype(np.float32)
    filled = cv2.morphologyEx(likely, cv2.MORPH_CLOSE, disc(0.28 * unit))
    inside = np.maximum(polygon(size, points[FACE_OVAL], 0.06 * unit, 0.03 * unit), scalp)
    plain = smoothstep(0.11, 0.07, blur(texture, 3))  # shine has no threads or hairs
    filled = filled * inside * plain
    filled = filled * smoothstep(-2, 6, lightness - mean[0]) * smoothstep(0.05, -0.10, below_nose)
    if (lined := step(*LINED, rough)) > 0:
        lines = cv2.morphologyEx(likely, cv2.MORPH_CLOSE, disc(0.06 * unit))
        filled = np.maximum(filled, lines * marks.oval * lined)
    likely = np.maximum(likely, filled * (1 - np.clip(marks.all * 1.5, 0, 1)))
    likely = likely * np.maximum(np.clip(3.9 - 2.6 * radius, 0, 1), neck)
    likely = cv2.medianBlur((likely * 255).astype(np.uint8), 5).astype(np.float32) / 255
    return np.clip(guided_filter(value, likely, 6, 2e-3), 0, 1), mean


def _roughness(grain: Floats, points: Reals, unit: float) -> float:
    """How much more grain than plain skin cheeks and forehead have, where no beard grows. So much
    of it about the mouth are lines, too."""
    found = []
    for ids in BARE:
        spots = np.zeros(grain.shape, np.uint8)
        for x, y in points[list(ids), :2]:
            cv2.circle(spots, (round(float(x)), round(float(y))), round(0.16 * unit), 1, -1)
        found.append(float(np.median(grain[spots > 0])) if spots.any() else 0.0)
    return max(min(found) - PLAIN, 0.0)  # one of them may lie under a fringe


def _nose_shadow(
    likely: Floats, grain: Floats, points: Reals, unit: float, marks: Features
) -> Floats:
    """The hard shadow below a nose [S, S]: as dark as a moustache, but smooth, and with skin around
    it, which a cup or a mask over the mouth has not."""
    size = likely.shape[0]
    below, about = (
        polygon(size, points[UNDER_NOSE], grow * unit, 0.02 * unit) for grow in (0.04, 0.25)
    )
    beside = about * (1 - below) * (1 - marks.all)
    bare = float((likely * beside).sum() / (beside.sum() + 1))
    shadow = below * smoothstep(0.016, 0.008, grain) * (1 - np.clip(marks.lips * 1.5, 0, 1))
    return (shadow * step(0.35, 0.60, bare)).astype(np.float32)
