"""Skin painted like a film character's: pores and thin lines go, character lines stay soft."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import LOWER_LID, UPPER_LID
from engines.faces.head import (
    CHIN,
    NASOLABIAL,
    NOSE_BRIDGE,
    UNDER_EYE,
    UNDER_NOSE,
    Head,
)
from engines.faces.pixels import Floats, blur, disc, mix, polygon, smoothstep, step, stroke, to_lab
from engines.training.artist.hair import flow_paint
from engines.training.artist.imaging import guided_filter, masked_blur, union
from engines.training.artist.looks import Look
from engines.training.artist.scene import Scene

AGE = (0.035, 0.065)  # mean depth of thin dark lines (log units): young .. old
AGED = 1.3  # depth of an old face's lines in shares of the photo's
DEEPEST = 0.25  # log depth that no line exceeds: it would be a crack
PLAIN = 0.45  # share of the shade between features that stays
PEACH = np.array([0.60, 0.80], np.float32)  # direction of film skin in (a, b)
FULL_CHROMA = 26.0  # skin more colourful than this is tamed


@dataclass(frozen=True)
class Painting:
    """The flat paint before any light is added."""

    light: Floats  # [S, S] 0..1
    ab: Floats  # [S, S, 2]
    skin_ab: Floats  # [2] the colour skin aims at


def kept_lines(points: Floats, head: Head, size: int) -> Floats:
    """How much of a dark line may stay [S, S]: laugh lines most, forehead and under-eye least."""
    unit = head.unit
    keep = np.full((size, size), 0.40, np.float32)
    _, y = head.grid(size)
    keep *= 1 - 0.60 * smoothstep(-0.10, -0.32, y)
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    for eye, sign in enumerate((-1, 1)):
        bag = polygon(size, points[UNDER_EYE[eye] + LOWER_LID[eye][::-1]], 0.05 * unit, 0.06 * unit)
        keep *= 1 - 0.92 * np.clip(bag * 1.4, 0, 1)
        x0, y0 = points[UPPER_LID[eye][0], :2] + head.rotation[0, :2] * sign * 0.20 * unit
        feet = np.exp(-((columns - x0) ** 2 + (rows - y0) ** 2) / (2 * (0.18 * unit) ** 2))
        keep *= 1 - 0.95 * feet
    for ids in NASOLABIAL:
        keep = np.maximum(keep, 0.9 * stroke(size, points[ids], 0.13 * unit, 0.05 * unit))
    return keep


def age_lines(scene: Scene) -> Floats:
    """Shade [S, S] (log units, >= 0) of the lines by which an old face is known: beside the mouth
    and across the forehead, less about the mouth and under the eyes; none in young faces."""
    unit, points, size = scene.unit, scene.points, scene.size
    light, skin = blur(scene.lab[..., 0] / 100, 0.9), scene.plain_skin
    on = skin > 0.3
    top = _without_lines(light, on, 0.09 * unit)
    depth = np.log((blur(top, 0.02 * unit) + 0.05) / (light + 0.05))
    depth = DEEPEST * np.tanh(np.maximum(depth, 0) / DEEPEST) * on
    face = scene.marks.oval * skin
    # Light skin is lit from within, so that its lines are less deep.
    least, most = np.array(AGE) * (1.6 - float(scene.skin_colour[0]) / 100)
    age = step(least, most, float((depth * face).sum() / (face.sum() + 1)))
    _, y = scene.head.grid(size)
    where = np.maximum(0.9 * smoothstep(-0.30, -0.45, y), 0.45 * smoothstep(0.2, 0.5, y))
    where *= 1 - scene.brows.cover
    for ids in NASOLABIAL:
        where = np.maximum(where, stroke(size, points[ids], 0.20 * unit, 0.06 * unit))
    for eye in range(2):
        bag = polygon(size, points[UNDER_EYE[eye]], 0.03 * unit, 0.05 * unit)
        where = np.maximum(where, 0.6 * bag)
    return AGED * age * blur(depth * where * face, 0.020 * unit)


def _without_lines(light: Floats, on: NDArray[np.bool_], radius: float) -> Floats:
    """Light with the dark lines of skin that are thinner than two radii filled (a closing); skin
    is where `on`."""
    kernel = disc(radius)
    top = cv2.dilate(np.where(on, light, np.float32(0)), kernel)
    return np.maximum(cv2.erode(np.where(on, top, np.float32(1)), kernel), light)


def ironed(
    light: Floats, skin: Floats, keep: Floats, face: Floats, unit: float, gloss: float
) -> Floats:
    """Fill thin dark lines of skin (closing) and cut thin glints (opening).

    `keep` lets lines through, softened and limited in depth; a face with many lines (age) keeps
    more of every one, but softer, or they would be cracks.
    """
    on = skin > 0.3
    smooth = blur(light, 0.9)
    top = blur(_without_lines(smooth, on, 0.055 * unit), 0.012 * unit)
    depth = blur(np.maximum(top - smooth, 0), 0.014 * unit)
    age = step(0.010, 0.030, float((depth / (top + 0.1) * face).sum() / (face.sum() + 1)))
    depth = mix(depth, blur(depth, 0.03 * unit), 0.5 + 0.25 * age)
    share = keep * (1 + 0.6 * age)
    limit = 0.16 - 0.03 * age
    result = top - limit * np.tanh(depth * share / limit)
    kernel = disc(0.040 * unit)
    low = cv2.erode(np.where(on, result, np.float32(1)), kernel)
    low = np.minimum(cv2.dilate(np.where(on, low, np.float32(0)), kernel), result)
    low = blur(low, 0.012 * unit)
    return mix(light, mix(result, low, 0.7 - 0.45 * gloss), np.clip(skin, 0, 1)).astype(np.float32)


def _filled_shadows(scene: Scene) -> Floats:
    """Photo light with eye sockets, brows and the sides of the nose lifted to the skin's level."""
    light, unit, band = scene.lab[..., 0] / 100, scene.unit, scene.band
    around = 0.5 * masked_blur(light, band.reference, 0.17 * unit) + 0.5 * masked_blur(
        light, band.reference, 0.36 * unit
    )
    light = light + band.repaint * np.maximum(around * 0.98 - light, 0) * 0.95
    bridge = polygon(scene.size, scene.points[NOSE_BRIDGE], 0.06 * unit, 0.09 * unit)
    bridge = bridge * scene.all_skin * (1 - scene.marks.nose) * (1 - scene.own_nose)
    # The sun's hard shadow on and below a nose would be a hole in the film's soft light.
    lip = polygon(scene.size, scene.points[UNDER_NOSE], 0.05 * unit)
    below = union([scene.own_nose, scene.marks.nose, lip])
    beside = masked_blur(light, band.reference * (1 - below), 0.36 * unit)
    below = blur(below, 0.03 * unit) * scene.marks.oval * scene.skin
    light = light + 0.8 * below * np.maximum(beside * 0.66 - light, 0)
    return light + bridge * np.maximum(around * 0.94 - light, 0) * 0.6


def _skin_light(scene: Scene, light: Floats) -> Floats:
    """Skin luminance: ironed, flattened along edges, the middle scale kept in part."""
    skin, unit, gloss = scene.all_skin, scene.unit, scene.gloss
    keep = kept_lines(scene.points, scene.head, scene.size)
    flat = ironed(light, skin, keep, scene.marks.oval * skin, unit, gloss)
    flat = guided_filter(flat, flat, 0.09 * unit, 0.0022)
    flat = guided_filter(flat, flat, 0.045 * unit, 0.0012)
    nose = scene.own_nose
    flat = mix(flat, guided_filter(light, light, 0.03 * unit, 0.0008), 0.8 * nose * skin)
    wide = masked_blur(light, skin, 0.10 * unit)
    even = masked_blur(flat, skin, 0.035 * unit)
    lines = np.clip(keep / 0.40, PLAIN, 1) * (1 - scene.band.repaint)
    drawn = np.maximum(blur(np.maximum(scene.marks.nose, scene.marks.lips), 0.05 * unit), nose)
    lines = np.maximum(lines, drawn)
    flat = mix(even, flat, lines.astype(np.float32))
    flat = mix(
        flat, masked_blur(flat, skin, 0.09 * unit), scene.band.repaint * (1 - scene.marks.nose)
    )
    share = np.where(flat < wide, 0.85, 0.78 + 0.2 * gloss) * np.clip(lines, PLAIN, 1)
    share = np.maximum(share, nose)
    return (wide + (flat - wide) * share).astype(np.float32)


def _skin_colour(scene: Scene) -> tuple[Floats, Floats]:
    """Smooth skin colour [S, S, 2] and its aim [2]: tamed red, lifted grey, a pull to peach."""
    mean = scene.skin_colour[1:].astype(np.float32)
    chroma = float(np.hypot(*mean))
    aim = mean * min(1.0, (FULL_CHROMA + 0.5 * max(chroma - FULL_CHROMA, 0)) / max(chroma, 1e-3))
    peach = PEACH * max(np.hypot(*aim), (14.0 + 12.0 * scene.gloss) * scene.colour)
    aim = aim + (peach - aim) * (0.25 + 0.30 * step(22, 12, chroma)) * scene.colour
    burnt = np.clip((scene.lab[..., 0] - scene.skin_colour[0]) / 16, 0, 1.5).astype(np.float32)
    local = masked_blur(
        scene.lab[..., 1:], scene.band.reference * np.exp(-2.5 * burnt), 0.14 * scene.unit
    )
    even = np.clip(0.60 + 0.3 * np.minimum(burnt, 1), 0, 1)
    return mix(local, np.broadcast_to(mean, local.shape), even) + (aim - mean), aim


def paint(scene: Scene, look: Look) -> Painting:
    """Hair and cloth by flow, skin as film skin, eyes and lips as they are."""
    marks, rgb = scene.marks, scene.rgb
    hair: Floats = smoothstep(1.9, 1.4, scene.shape.radius) * scene.person
    hair = hair * (1 - 0.7 * blur(marks.oval, 3))
    base = mix(guided_filter(rgb, rgb, 5, 0.004), guided_filter(rgb, rgb, 3, 0.0008), hair)
    below_chin = scene.head.grid(scene.size)[1] - np.float32(
        scene.head.flat(scene.points[[CHIN]])[0, 1]
    )
    near = smoothstep(0.2, -0.4, below_chin)  # cloth would turn to worms
    flowing = flow_paint(base, hair, 0.40 * look.hair * near)
    strokes = to_lab(mix(base, flowing, near * (1 - 0.5 * blur(marks.oval, 3))))

    light = _filled_shadows(scene)
    skin_ab, aim = _skin_colour(scene)
    amount = scene.all_skin * look.smooth
    painted = amount * (1 - 0.85 * scene.below_jaw)  # or the chin would melt into the neck
    drawn = np.clip(marks.eyes + marks.lips + marks.nose * 0.6, 0, 1)
    plain = mix(strokes[..., 0] / 100, guided_filter(light, light, 3, 0.0008), drawn)
    nostrils = np.clip(marks.nose, 0, 1) * (1 - scene.plain_skin * 0.5)
    ab = mix(strokes[..., 1:], scene.lab[..., 1:], np.clip(marks.eyes, 0, 1) * 0.8)
    return Painting(
        mix(plain, _skin_light(scene, light), painted * (1 - 0.6 * nostrils)),
        mix(ab, skin_ab, amount),
        aim,
    )
