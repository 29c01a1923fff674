"""Pictures continued beyond what is known of them, as in a mirror."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.pixels import Floats, blur, smoothstep

SMOOTH = 2.0  # of the mirror's edge, pixels
MIRRORED, FADED = 8.0, 36.0  # pixels from the edge: up to there the mirror, from there soft colour
SCALES = (64, 32, 16, 8, 4)  # of the soft colour, pixels


def spread(image: Floats, known: Floats) -> Floats:
    """Soft colour [S, S, K] everywhere: the mean of what is known [S, S] around, from near by."""
    weight = known.astype(np.float32)[..., None]
    weighted = np.dstack([image * weight, weight])
    filled: Floats = np.zeros_like(image)
    for sigma in SCALES:
        near = blur(weighted, sigma)
        share = near[..., -1:]
        certain = np.clip(share / 0.2, 0, 1) if sigma != SCALES[0] else np.float32(1)
        filled = filled + (near[..., :-1] / (share + np.float32(1e-5)) - filled) * certain
    return filled


def continue_outwards(image: Floats, known: NDArray[np.bool_]) -> Floats:
    """Fill what is not known with what lies as far on the other side of the known part's edge.

    Args:
        image: float32 [S, S, K].
        known: [S, S]; at least one pixel.

    Returns:
        The same picture where it is known.
    """
    size = image.shape[0]
    unknown = (~known).astype(np.uint8)
    distance, labels = cv2.distanceTransformWithLabels(
        unknown, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros((int(labels.max()) + 1, 2), np.float32)
    rows, columns = np.nonzero(known)
    place[labels[rows, columns]] = np.stack([columns, rows], 1)
    here = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2), -1)
    away = cv2.GaussianBlur(2 * (place[labels] - here), (0, 0), SMOOTH)
    away *= smoothstep(0, 2 * SMOOTH, distance)[..., None]
    source = here + away

    def look_up(values: Floats) -> Floats:
        return cv2.remap(
            values, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )

    soft = spread(image, known.astype(np.float32))
    sure = look_up(known.astype(np.float32)) * smoothstep(FADED, MIRRORED, distance)
    filled = soft + (look_up(image) - soft) * smoothstep(0.5, 1, sure)[..., None]
    return np.where(known[..., None], image, filled).astype(np.float32)
