"""What keeps a toon from being good, said to the person in front of the camera; never blocking."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

TOO_SMALL = "Come closer: your face is too small."
TURNED_AWAY = "Turn towards the camera: your face is turned too far."
TOO_DARK = "Turn on a light: your face is too dark."


@dataclass(frozen=True)
class HintSettings:
    """Where hints begin.

    Attributes:
        min_side: pixels of the FFHQ square (about three times the distance of the eyes' centres).
        max_yaw, max_pitch: degrees.
        min_luma: mean luma of the face, 0..255.
        slack: share by which a value must be on the good side again before its hint goes away.
    """

    min_side: float = 128.0
    max_yaw: float = 45.0
    max_pitch: float = 35.0
    min_luma: float = 45.0
    slack: float = 0.12


def face_hints(
    side: float,
    yaw: float,
    pitch: float,
    luma: float,
    shown: Collection[str] = (),
    settings: HintSettings | None = None,
) -> tuple[str, ...]:
    """The hints for one face.

    Args:
        side: side of its FFHQ square, pixels.
        yaw, pitch: degrees.
        luma: see `face_luma`.
        shown: the hints of the frame before; they stay until things are clearly better.
        settings: where hints begin.
    """
    limits = settings or HintSettings()
    turned = max(abs(yaw) / limits.max_yaw, abs(pitch) / limits.max_pitch)
    badness = {  # above 1 is bad
        TOO_SMALL: limits.min_side / max(side, 1e-6),
        TURNED_AWAY: turned,
        TOO_DARK: limits.min_luma / max(luma, 1e-6),
    }
    return tuple(
        hint
        for hint, value in badness.items()
        if value > (1 - limits.slack if hint in shown else 1)
    )


def face_luma(image: NDArray[np.uint8], box: NDArray[np.floating]) -> float:
    """Mean luma (0..255) of uint8 [H, W, 3] BGR inside a box; 255 when the box is outside."""
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(box[:2]), 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(box[2:]), 0, [width, height]).astype(int)
    step = max(1, (right - left) // 32)
    patch = image[top:bottom:step, left:right:step]
    if patch.size == 0:
        return 255.0
    return float(cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_BGR2GRAY).mean())
