"""Brows drawn again: the photo's are painted out and replaced by soft ones of the same colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.training.artist.head import BROW
from engines.training.artist.imaging import (
    Floats,
    blur,
    masked_blur,
    mix,
    polygon,
    smoothstep,
    step,
    to_lab,
    to_rgb,
    union,
)


@dataclass(frozen=True)
class Brows:
    """What the photo shows of the brows, in toon space."""

    cover: Floats  # [S, S] where the photo's brow must be painted out
    shape: Floats  # [S, S] opacity of the new brow
    colour: Floats  # [3] Lab


def find_brows(lab: Floats, skin: Floats, points: Floats, unit: float) -> Brows:
    """Opacity from the photo's own hair inside the landmarks' outline, evened out per brow."""
    size = lab.shape[0]
    light = lab[..., 0] / 100
    cover = union(polygon(size, points[ids], 0.035 * unit, 0.075 * unit) for ids in BROW)
    bare = np.clip(skin - cover * 1.5, 0, 1)
    around = masked_blur(light, bare, 0.16 * unit)
    visible = smoothstep(0.04, 0.16, blur(bare, 0.25 * unit))  # a fringe leaves nothing to repaint
    hair = smoothstep(0.05, 0.30, (around - blur(light, 0.010 * unit)) / (around + 0.05))
    shape = np.zeros((size, size), np.float32)
    for ids in BROW:
        outline = polygon(size, points[ids], 0.022 * unit, 0.018 * unit)
        density = float((hair * outline).sum() / (outline.sum() + 1e-3))
        body = 0.42 * step(0.03, 0.28, density) + 1.0 * blur(hair, 0.016 * unit)
        shape = np.maximum(shape, outline**0.8 * np.clip(body, 0, 1))
    weight = (shape * hair) ** 4 + 1e-6
    colour = (lab * weight[..., None]).sum((0, 1)) / weight.sum()
    return Brows((cover * visible).astype(np.float32), (shape * visible).astype(np.float32), colour)


def draw_brows(image: Floats, brows: Brows, skin_light: float) -> Floats:
    """Lay the new brows over a picture whose old ones are gone."""
    colour = brows.colour.astype(np.float32).copy()
    colour[0] = np.clip(0.88 * colour[0] + 0.05 * skin_light, 10, 62)
    colour[1:] = colour[1:] * 0.9 + np.array([1.0, 2.0], np.float32) * smoothstep(
        2, 8, np.hypot(*colour[1:])
    )
    paint = np.broadcast_to(colour, image.shape).copy()
    paint[..., 0] += 6 * (blur(brows.shape, 1.5) - blur(brows.shape, 6.0))
    return mix(image, to_rgb(mix(to_lab(image), paint, 0.94)), np.clip(brows.shape, 0, 0.95))
