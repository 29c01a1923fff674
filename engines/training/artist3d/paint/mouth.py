"""The open mouth: a clean row of teeth, tongue, hollow; and the line between the lips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, blur, mix, smoothstep, stroke
from engines.training.artist3d.colour import rise, to_srgb
from engines.training.artist3d.curves import along_curve, box_around, fill_exactly, open_curve
from engines.training.artist3d.observe.scene import Scene
from engines.training.artist3d.observe.tone import Tone

UPPER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]  # inner lips, landmarks
LOWER = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
MIDDLE = (13, 14)
OPEN_AT = 0.022  # lip distance from which the inside shows, in eye distances
ENAMEL = np.array([0.90, 0.885, 0.85], np.float32)


def draw_mouth(scene: Scene, tone: Tone, image: Floats) -> Floats:
    """Draw the inside of the mouth over a picture [S, S, 3], sRGB."""
    unit, points = scene.unit, scene.points
    gap = float(np.linalg.norm(points[MIDDLE[0], :2] - points[MIDDLE[1], :2])) / unit
    upper = open_curve(points[UPPER, :2].astype(np.float64), 80)
    lower = open_curve(points[LOWER, :2].astype(np.float64), 80)
    if gap > OPEN_AT:
        image = _inside(scene, tone, image, upper, lower, gap)
    line = (upper + lower) / 2 if gap < 0.05 else upper
    soft = np.clip(stroke(scene.size, line, 0.016 * unit, 0.010 * unit) * 1.5, 0, 1)
    dark = to_srgb(tone.linear * np.array([0.26, 0.10, 0.09], np.float32))
    return mix(image, np.broadcast_to(dark, image.shape), soft * (0.92 if gap < 0.05 else 0.45))


def _inside(
    scene: Scene,
    tone: Tone,
    image: Floats,
    upper: NDArray[np.float64],
    lower: NDArray[np.float64],
    gap: float,
) -> Floats:
    """Hollow, tongue and teeth between the lips."""
    unit, size, lab = scene.unit, scene.size, scene.lab
    mask = fill_exactly(size, np.vstack([upper, lower[::-1]]))
    light = lab[..., 0] / 100
    seen, share = _teeth(scene, mask, light, float(tone.seen[0]))
    height = max(gap * unit, 2.0)
    redness = float(((lab[..., 1] > 24) * mask).sum() / (mask.sum() + 1e-3))
    least = 0.45 - 0.25 * scene.traits.smile  # a smile shows teeth from side to side
    row_like = float(rise(least, least + 0.2, share) * rise(0.42, 0.30, gap))
    closed_row = row_like * float(rise(0.30 + 0.3 * scene.traits.smile, 0.10, redness))
    teeth = np.maximum(seen, closed_row * mask)
    x0, y0, x1, y1 = box = box_around(np.vstack([upper, lower]), 4, size)
    along, below = np.full((size, size), 0.5, np.float32), np.full((size, size), 99.0, np.float32)
    along[y0:y1, x0:x1], across = along_curve(box, upper)
    below[y0:y1, x0:x1] = np.abs(across)
    under_lip = np.exp(-((below / (0.030 * unit)) ** 1.5))
    corners = smoothstep(0.0, 0.22, along) * smoothstep(1.0, 0.78, along)
    enamel = ENAMEL * (0.62 + 0.38 * corners)[..., None] * (1 - 0.42 * under_lip)[..., None]
    enamel = enamel * np.clip(0.62 + 0.45 * tone.lab[0] / 75, 0.70, 1.0)
    # Where not all is teeth the upper row is one band under the lip, as deep as the photo's.
    wide = float(np.linalg.norm(upper[0] - upper[-1]))
    row = seen * smoothstep(0.62, 0.48, below / height)
    deep = float(np.clip(1.15 * row.sum() / (0.62 * wide), 0, 0.42 * height))
    smiling = float(rise(0.15, 0.45, scene.traits.smile) * rise(0.42, 0.30, gap))
    shown = float(rise(0.28, 0.42, share) * rise(0.42, 0.30, gap))
    deep = max(deep, 0.60 * height * max(smiling, shown))  # no smile without its upper row
    arch = np.clip(np.sin(np.pi * np.clip(along * 1.16 - 0.08, 0, 1)), 0, 1) ** 0.55
    band = (
        smoothstep(0.6, -0.6, below - deep * arch) * mask * float(rise(0.05, 0.11, deep / height))
    )
    black = float(((light < 0.38 * light[mask > 0.7].max(initial=0.1)) * mask).sum())
    clenched = smiling * float(rise(0.5, 0.9, scene.traits.smile) * rise(0.34, 0.26, gap))
    clenched *= float(rise(0.20, 0.10, black / (mask.sum() + 1e-3)))
    whole = max(closed_row, float(rise(0.45, 0.65, share)), clenched)
    whole = float(rise(0.35, 0.75, whole))
    teeth = np.maximum(band, np.maximum(teeth, clenched * mask) * whole)
    red = smoothstep(8, 20, lab[..., 1]) * smoothstep(0.10, 0.35, light)
    tongue = blur((red * mask).astype(np.float32), 0.03 * unit) * (1 - teeth)
    hollow = to_srgb(tone.linear * np.array([0.16, 0.055, 0.05], np.float32))
    flesh = to_srgb(tone.linear * np.array([0.75, 0.26, 0.26], np.float32))
    flesh = np.maximum(flesh, np.array([0.52, 0.24, 0.24], np.float32) * 0.9)
    inside = mix(
        np.broadcast_to(hollow, image.shape), np.broadcast_to(flesh, image.shape),
        np.clip(tongue * 0.9, 0, 0.9),
    )  # fmt: skip
    inside = mix(inside, enamel, teeth)
    inside = mix(inside, inside * 0.5, blur(1 - mask, 0.012 * unit) * 0.9)
    return mix(image, inside.astype(np.float32), blur(mask, 0.7))


def _teeth(scene: Scene, mask: Floats, light: Floats, seen_skin: float) -> tuple[Floats, float]:
    """Where the photo shows teeth, [S, S], and their share of the open mouth.

    ``seen_skin``: L* of the lit skin in the photo.
    """
    unit = scene.unit
    open_ = mask > 0.7
    high = float(np.percentile(light[open_], 82)) if open_.sum() > 20 else 0.5
    # Teeth are the mouth's brightest part, hardly red, and not much darker than the skin.
    white = smoothstep(0.52, 0.74, light / max(high, 0.05))
    white = white * smoothstep(22, 13, np.abs(scene.lab[..., 1]))
    white = white * float(rise(0.36, 0.52, high / max(seen_skin / 100, 0.15)))
    wide, tall = 0.045 * unit, 0.014 * unit

    def soft(image: Floats) -> Floats:
        return cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigmaX=wide, sigmaY=tall)

    teeth = smoothstep(0.28, 0.55, soft(white * mask) / (soft(mask) + 0.02)) * mask
    return teeth, float(teeth.sum() / (mask.sum() + 1e-3))
