"""The background redesigned from its own colours: soft masses over a wide gradient."""

from __future__ import annotations

import cv2
import numpy as np

from engines.training.artist.imaging import Floats, mix, to_lab, to_rgb

GRID = 64


def soft_background(rgb: Floats, person: Floats) -> Floats:
    """Out-of-focus background [S, S, 3] behind and beside the person, whose colours stay out."""
    size = rgb.shape[0]
    weight = (np.clip(1 - person * 1.15, 0, 1) ** 1.5 + 2e-4)[..., None].astype(np.float32)
    small = cv2.resize(
        np.concatenate([rgb * weight, weight], -1), (GRID, GRID), interpolation=cv2.INTER_AREA
    )

    def spread(sigma: float) -> Floats:
        soft = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        return soft[..., :3] / (soft[..., 3:] + 1e-6)

    known = np.clip(cv2.GaussianBlur(small[..., 3], (0, 0), 1.6) * 4, 0, 1)
    lab = to_lab(mix(spread(5.0), spread(1.6), known))
    for _ in range(3):
        lab = cv2.bilateralFilter(lab, 9, 14.0, 4.0)
    masses = cv2.GaussianBlur(to_rgb(lab), (0, 0), 0.9)
    axis = np.linspace(-1, 1, GRID, dtype=np.float32)
    corners = np.clip(axis[:, None] ** 2 + axis[None] ** 2 - 0.9, 0, 1.1)
    result = mix(spread(11.0), masses, 0.72) * (1 - 0.08 * corners)[..., None]
    return np.clip(cv2.resize(result, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)
