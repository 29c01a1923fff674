"""Skin painted like a film character's: pores and thin lines go, the character's lines stay soft."""

from __future__ import annotations

import cv2
import numpy as np

from engines.training.artist.head import (
    EYE,
    FACE_OVAL,
    LOWER_LID,
    NASOLABIAL,
    UNDER_EYE,
    UPPER_LID,
    Head,
)
from engines.training.artist.imaging import (
    Floats,
    blur,
    disc,
    guided_filter,
    masked_blur,
    mix,
    polygon,
    smoothstep,
    step,
    stroke,
    union,
)


def kept_lines(points: Floats, head: Head, size: int) -> Floats:
    """How much of a dark line may stay [S, S]: laugh lines most, forehead and under-eye least."""
    unit = head.unit
    keep = np.full((size, size), 0.40, np.float32)
    _, y = head.grid(size)
    keep *= 1 - 0.60 * smoothstep(-0.10, -0.32, y)
    for eye, sign in enumerate((-1, 1)):
        bag = polygon(size, points[UNDER_EYE[eye] + LOWER_LID[eye][::-1]], 0.05 * unit, 0.06 * unit)
        keep *= 1 - 0.75 * np.clip(bag * 1.4, 0, 1)
        x0, y0 = points[UPPER_LID[eye][0], :2] + head.rotation[0, :2] * sign * 0.16 * unit
        rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
        feet = np.exp(-((columns - x0) ** 2 + (rows - y0) ** 2) / (2 * (0.12 * unit) ** 2))
        keep *= 1 - 0.40 * feet
    for ids in NASOLABIAL:
        keep = np.maximum(keep, 1.0 * stroke(size, points[ids], 0.13 * unit, 0.05 * unit))
    return keep


def ironed(light: Floats, skin: Floats, keep: Floats, oval: Floats, unit: float, gloss: float) -> Floats:
    """Fill thin dark lines of skin (closing) and cut thin glints (opening).

    ``keep`` lets lines through, softened and limited in depth; a face with many lines (age) keeps
    some of every one.
    """
    on = skin > 0.3
    smooth = blur(light, 0.9)
    kernel = disc(0.055 * unit)
    top = cv2.dilate(np.where(on, smooth, np.float32(0)), kernel)
    top = np.maximum(cv2.erode(np.where(on, top, np.float32(1)), kernel), smooth)
    top = blur(top, 0.012 * unit)
    depth = blur(np.maximum(top - smooth, 0), 0.014 * unit)
    age = step(0.010, 0.030, float((depth / (top + 0.1) * oval).sum() / (oval.sum() + 1)))
    depth = mix(depth, blur(depth, 0.03 * unit), 0.5)
    share = (keep + 0.70 * age * (1 - keep)) * (1 + 0.5 * age)
    result = top - 0.16 * np.tanh(depth * share / 0.16)
    kernel = disc(0.040 * unit)
    low = cv2.erode(np.where(on, result, np.float32(1)), kernel)
    low = np.minimum(cv2.dilate(np.where(on, low, np.float32(0)), kernel), result)
    low = blur(low, 0.012 * unit)
    return mix(light, mix(result, low, 0.7 - 0.45 * gloss), np.clip(skin, 0, 1)).astype(np.float32)


def painted_light(
    light: Floats, skin: Floats, keep: Floats, oval: Floats, unit: float, gloss: float
) -> Floats:
    """Skin luminance 0..1: ironed, flattened along edges, the middle scale kept in part."""
    flat = ironed(light, skin, keep, oval * skin, unit, gloss)
    flat = guided_filter(flat, flat, 0.09 * unit, 0.0022)
    flat = guided_filter(flat, flat, 0.045 * unit, 0.0012)
    wide = masked_blur(light, skin, 0.10 * unit)
    return wide + (flat - wide) * np.where(flat < wide, 0.85, 0.78 + 0.2 * gloss)


def clear_eye_rings(light: Floats, skin: Floats, points: Floats, brows: Floats, unit: float) -> Floats:
    """Open the dark sockets and remove lashes and liner around the eyes, which are drawn anew."""
    size = light.shape[0]
    ring = union(polygon(size, points[ids], 0.05 * unit, 0.10 * unit) for ids in EYE)
    near = union(polygon(size, points[ids], 0.03 * unit, 0.05 * unit) for ids in EYE)
    face = polygon(size, points[FACE_OVAL], 0, -0.02 * unit)
    clean = np.clip(skin - near * 1.2 - brows, 0, 1) * face
    around = masked_blur(light, clean, 0.16 * unit)
    target = around * 0.95
    missing = np.maximum(target - light, 0)
    return (light + missing * np.clip(ring * 1.25, 0, 1) * (1 - 0.6 * brows)).astype(np.float32)
