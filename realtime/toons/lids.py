"""Lids that are shut, and skin where a network drew an eye badly.

In a blink a network that was taught open eyes leaves half an eye now and then, most often the far
one of a turned head. So the eye is covered with the skin about it, and a shut one is drawn there.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engines.faces.eyes.shape import EyeShape, between, spline
from engines.faces.pixels import Floats, Reals, mix, smoothstep

MEETS = 0.80  # where shut lids meet: 0 at the upper one's place .. 1 at the lower one's
SAG = (0.07, 0.16)  # least and most that their line hangs, in widths of the eye
COVERED = (0.06, 0.17)  # widths of the eye about its opening: all covered .. as it was
REACH = 0.45  # the same in which skin is looked for
LIKE_SKIN = 0.20  # how far a colour, RGB in 0..1, may be from the skin's to count little
LOOKED_AT = 36  # pixels across an eye at which skin is spread over it
SPREAD = 0.22  # by how much, in its widths


def shut(shape: EyeShape) -> EyeShape:
    """The same eye with its lids shut."""
    line = shape.upper + np.float32(MEETS) * (shape.lower - shape.upper)
    down = np.array([-shape.right[1], shape.right[0]], np.float32)
    chord = np.linspace(line[0], line[-1], len(line), dtype=np.float32)
    sag = np.clip((line[4] - chord[4]) @ down / max(shape.width, 1e-6), *SAG)
    along = np.linspace(0, 1, len(line), dtype=np.float32)[:, None]
    hanging = chord + 4 * along * (1 - along) * np.float32(sag * shape.width) * down
    return replace(shape, upper=hanging, lower=hanging, open=0.0, lowered=0.0)


def covered(image: Floats, shape: EyeShape, skin: Reals) -> Floats:
    """A picture whose eye lies under the skin that is about it.

    Args:
        image: float32 [H, W, 3] RGB in 0..1, at least `REACH` widths about the eye where the
            picture is that large.
        shape: where the eye is.
        skin: its colour on the cheek, [3]: hair and a wall beside the face do not count.

    Returns:
        float32 [H, W, 3].
    """
    height, width = image.shape[:2]
    scale = min(LOOKED_AT / max(shape.width, 1.0), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    upper, lower = (
        (spline(curve) + 0.5) * np.float32(scale) - 0.5 for curve in (shape.upper, shape.lower)
    )
    outside = (between(upper, lower, size[::-1]) < 0.1).astype(np.uint8)
    far = cv2.distanceTransform(outside, cv2.DIST_L2, 5) / np.float32(shape.width * scale)
    away = ((small - np.asarray(skin, np.float32)) ** 2).sum(-1)
    counts = np.exp(-away / LIKE_SKIN**2) * smoothstep(*COVERED, far) + np.float32(1e-6)
    sigma = SPREAD * shape.width * scale
    total = cv2.GaussianBlur(np.dstack([small * counts[..., None], counts]), (0, 0), sigma)
    spread: Floats = total[..., :3] / total[..., 3:]
    spread = cv2.resize(spread, (width, height))
    cover = cv2.resize(smoothstep(*COVERED[::-1], far), (width, height))
    return mix(image, spread, cover)
