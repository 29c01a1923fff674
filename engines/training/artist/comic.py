"""The comic look's finish: flat bands of light, rich colour, ink."""

from __future__ import annotations

import numpy as np

from engines.faces.pixels import Floats, blur, mix, smoothstep, to_lab, to_rgb
from engines.training.artist.imaging import guided_filter, luminance

BANDS = 6


def comic(rgb: Floats) -> Floats:
    """Quantise luminance softly and draw XDoG ink lines.

    Ink after Winnemöller, "XDoG: Advanced Image Stylization" (2011).
    """
    lab = to_lab(rgb)
    light = lab[..., 0] / 100
    level = guided_filter(light, light, 4, 0.002) * BANDS
    banded = np.floor(level) + smoothstep(0.40, 0.60, level - np.floor(level))
    lab[..., 0] = np.clip(mix(level, banded, 0.85) / BANDS * 104, 0, 100)
    lab[..., 1:] = blur(lab[..., 1:], 1.5) * 1.22
    grey = luminance(rgb)
    difference = blur(grey, 1.0) - 0.975 * blur(grey, 1.7) - 0.004
    paper = np.clip(1 + np.tanh(60 * np.minimum(difference, 0)), 0, 1).astype(np.float32)
    ink = 0.92 * (1 - blur(paper, 0.6))
    return to_rgb(lab) * (1 - ink)[..., None]
