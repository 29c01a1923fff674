"""What a face's proportions say about its lashes and its build."""

from __future__ import annotations

import numpy as np

from engines.faces.features import BROW_BOTTOM, BROW_TOP, aperture
from engines.faces.head import Head
from engines.faces.pixels import step


def lash_strength(head: Head) -> float:
    """How visible lashes may be, 0.25..1, from proportions alone (a soft linear fit)."""
    flat = head.local(head.landmarks)
    thickness = np.mean(
        [
            abs(flat[top[2], 1] - flat[bottom[2], 1])
            for top, bottom in zip(BROW_TOP, BROW_BOTTOM, strict=True)
        ]
    )
    jaw = abs(flat[397, 0] - flat[172, 0]) / abs(flat[454, 0] - flat[234, 0])
    brow_height = np.mean(
        [flat[top + bottom, 1].mean() for top, bottom in zip(BROW_TOP, BROW_BOTTOM, strict=True)]
    )
    score = (
        0.444 * flat[152, 1] - 0.413 * flat[10, 1] + 1.616 * jaw - 0.562 * flat[4, 1]
        + 4.864 * abs(flat[358, 0] - flat[129, 0]) - 2.112 * abs(flat[291, 0] - flat[61, 0])
        + 0.814 * (flat[152, 1] - flat[2, 1]) - 4.751 * thickness + 1.631 * brow_height
        - 0.132 * np.mean(aperture(head.landmarks)) - 3.5
    )  # fmt: skip
    return 1 - 0.75 * step(-0.25, 0.15, float(score))


def heaviness(head: Head) -> float:
    """How heavily a face is built, 0..1: strong jaw, thick and low brows."""
    return step(0.7, 0.25, lash_strength(head))
