"""The depth and colour of a film print: what is darker than skin gets darker, what is lighter
lighter, and colours get fuller; the skin's own light stays."""

from __future__ import annotations

import numpy as np

from engines.faces.pixels import Floats, smoothstep, to_lab, to_rgb

DEPTH = 0.22  # how much further from the skin's light middle tones lie
COLOUR = 0.16  # by how much chroma grows
FULL = (50, 25)  # chroma from which on it does not, and below which it does in full


def printed(rgb: Floats, middle: float, where: Floats | float = 1.0) -> Floats:
    """A picture as a film print shows it.

    Args:
        rgb: float32 [H, W, 3], 0..1.
        middle: light of the skin, L* / 100, which stays.
        where: 0..1, how far, [H, W] or one value.
    """
    lab = to_lab(rgb)
    light = lab[..., 0] / 100
    depth = DEPTH * where * 4 * light * (1 - light)  # none in black and white
    lab[..., 0] = 100 * np.clip(light + depth * (light - middle), 0, 1)
    paler = smoothstep(*FULL, np.hypot(lab[..., 1], lab[..., 2]))
    lab[..., 1:] *= (1 + COLOUR * where * paler)[..., None]
    return to_rgb(lab)
