"""The mouth: fresh lips and one clean band of teeth."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.head import INNER_LIPS
from engines.faces.pixels import Floats, mix, polygon, smoothstep, step, to_lab, to_rgb
from engines.training.artist.imaging import guided_filter, luminance

FULL_LIPS = 30.0  # chroma above which colour is halved: painted lips would glow


def tidy_teeth(image: Floats, points: Floats, unit: float, skin_light: float) -> Floats:
    """Merge the teeth of an open mouth into one bright band; `skin_light` 0..1 sets their key."""
    gap = float(np.linalg.norm(points[13, :2] - points[14, :2])) / unit
    if gap <= 0.03:
        return image
    lab = to_lab(image)
    exposure = 0.5 + 0.5 * skin_light / 0.6
    teeth = smoothstep(0.34, 0.52, lab[..., 0] / 100 / exposure)
    teeth = teeth * smoothstep(22, 12, np.abs(lab[..., 1]))
    teeth = teeth * polygon(image.shape[0], points[INNER_LIPS], 0.008 * unit)

    def spread(values: Floats) -> Floats:
        return cv2.GaussianBlur(values, (0, 0), sigmaX=0.09 * unit, sigmaY=0.02 * unit)

    band = spread(image * teeth[..., None]) / (spread(teeth)[..., None] + 1e-3)
    white = luminance(band)[..., None] * np.array([1.03, 1.0, 0.96], np.float32)
    band = np.clip(mix(band, white, 0.65) * 1.16, 0, 0.97)
    return mix(image, band, (teeth * np.float32(step(0.03, 0.07, gap) * 0.9)).astype(np.float32))


def fresh_lips(image: Floats, lips: Floats, points: Floats, unit: float, colour: float) -> Floats:
    """Smooth the lips and give them a little more colour; `colour` 0 for grey photos."""
    inner = polygon(image.shape[0], points[INNER_LIPS], 0.006 * unit)
    amount = np.clip(lips - inner, 0, 1)
    smooth = guided_filter(image, image, 0.03 * unit, 0.002)
    lab = to_lab(mix(image, smooth, amount * 0.8))
    lab[..., 1] += 2.5 * colour * amount
    lab[..., 2] += 1.0 * colour * amount
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    over = np.maximum(chroma - FULL_LIPS, 0) / np.maximum(chroma, 1)
    lab[..., 1:] *= (1 - 0.5 * over * amount)[..., None]
    return to_rgb(lab)
