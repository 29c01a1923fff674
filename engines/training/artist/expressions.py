"""Rare expressions made from common ones: closed eyes and open mouths, before the artist draws.

Both move the photo's own pixels together with its landmarks, so that the toon agrees with them.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.faces.features import BROW_BOTTOM, LOWER_LID, UPPER_LID
from engines.faces.head import CHIN, FACE_OVAL, INNER_LIPS, MOUTH_CORNERS, Head
from engines.faces.pixels import Floats, Reals, blur, polygon

# The inner lips as two curves from the left to the right corner.
INNER_UPPER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
INNER_LOWER = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
LID_EDGE = 0.94  # a closed lid ends just above the lower one


def _curve(head: Head, points: Reals, x: Reals) -> NDArray[np.float64]:
    """Height of a left-to-right landmark curve at head coordinate `x`."""
    flat = head.flat(points)
    order = np.argsort(flat[:, 0])
    return np.interp(x, flat[order, 0], flat[order, 1])


def _lid_heights(
    head: Head, landmarks: Reals, eye: int, share: float, x: Reals
) -> tuple[Reals, Reals, Reals]:
    """Heights at `x` of the crease, of the lid's edge, and of the edge once lowered."""
    top = _curve(head, landmarks[UPPER_LID[eye]], x)
    bottom = _curve(head, landmarks[LOWER_LID[eye]], x)
    crease = top - 0.65 * np.maximum(top - _curve(head, landmarks[BROW_BOTTOM[eye]], x), 0.05)
    return crease, top, top + share * LID_EDGE * np.maximum(bottom - top, 0)


def _resample(rgb: NDArray[np.uint8], head: Head, x: Reals, y: Reals) -> NDArray[Any]:
    where = head.picture(np.stack([x, y], -1)).astype(np.float32)
    return cv2.remap(
        rgb, where[..., 0], where[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def close_eyes(
    rgb: NDArray[np.uint8], landmarks: Reals, amount: tuple[float, float] = (1.0, 1.0)
) -> tuple[NDArray[np.uint8], Floats]:
    """Draw the upper lids down over the eyes.

    Args:
        rgb: uint8 [S, S, 3].
        landmarks: [478, 3] pixels.
        amount: 0 as it is .. 1 closed, for the picture's left and right eye.

    Returns:
        The changed picture and its landmarks, float32 [478, 3].
    """
    head = Head(landmarks)
    x, y = (v.astype(np.float64) for v in head.grid(rgb.shape[0]))
    moved = landmarks.astype(np.float64).copy()
    flat = head.flat(moved)
    source = y.copy()
    for eye, share in enumerate(amount):
        corners = [UPPER_LID[eye][0], UPPER_LID[eye][-1]]
        ends = np.sort(flat[corners, 0])

        inside = (x > ends[0]) & (x < ends[1])
        crease, top, new = _lid_heights(head, landmarks, eye, share, x)
        slope = (top - crease) / np.maximum(new - crease, 1e-6)
        lid = inside & (y > crease) & (y < new)
        source = np.where(lid, crease + (y - crease) * slope, source)
        for ids in np.flatnonzero((flat[:, 0] > ends[0]) & (flat[:, 0] < ends[1])):
            if ids >= 468:  # the iris stays where it looks
                continue
            crease, top, new = _lid_heights(head, landmarks, eye, share, flat[ids, 0])
            height = flat[ids, 1]
            if crease < height <= top + 1e-3:
                stretched = crease + (height - crease) * (new - crease) / (top - crease)
                moved[ids, :2] = head.picture(np.array([flat[ids, 0], stretched]))
    return _resample(rgb, head, x, source), moved.astype(np.float32)


def open_mouth(
    rgb: NDArray[np.uint8], landmarks: Reals, amount: float = 0.35
) -> tuple[NDArray[np.uint8], Floats]:
    """Drop the jaw by `amount` eye distances and paint the dark of the mouth that it opens.

    Args:
        rgb: uint8 [S, S, 3].
        landmarks: [478, 3] pixels.
        amount: added lip distance, in eye distances (0.1 speaking .. 0.5 wide open).

    Returns:
        The changed picture and its landmarks, float32 [478, 3].
    """
    head = Head(landmarks)
    size = rgb.shape[0]
    x, y = (v.astype(np.float64) for v in head.grid(size))
    flat = head.flat(landmarks.astype(np.float64))
    corners = np.sort(flat[list(MOUTH_CORNERS), 0])
    middle, half = corners.mean(), (corners[1] - corners[0]) / 2
    chin = flat[CHIN, 1]
    sides = np.sort(flat[FACE_OVAL, 0])[[0, -1]]

    def share(at: Reals) -> Reals:
        """How much of the drop a column takes: all in the middle, none at the jaw's corners."""
        inner = np.clip(np.abs(at - middle) / half, 0, 1)
        outer = np.clip(np.abs(at - middle) / (0.5 * (sides[1] - sides[0])), 0, 1)
        return (
            np.where(inner < 1, 0.55 + 0.45 * np.sqrt(1 - inner**2), 0.55) * (1 - outer**2) ** 0.5
        )

    def drop(at_x: Reals, at_y: Reals) -> Reals:
        """Downward shift of a photo point."""
        line = np.where(
            np.abs(at_x - middle) < half,
            (
                _curve(head, landmarks[INNER_UPPER], at_x)
                + _curve(head, landmarks[INNER_LOWER], at_x)
            )
            / 2,
            flat[list(MOUTH_CORNERS), 1].mean(),
        )
        outside = np.clip((np.abs(at_x - middle) / half - 1) / 0.5, 0, 1)
        start = np.clip((at_y - line) / (0.02 + 0.45 * outside), 0, 1)
        stop = np.clip(1 - (at_y - chin - 0.05) / 0.9, 0, 1)
        return amount * share(at_x) * start * stop * stop * (3 - 2 * stop)

    source = y.copy()
    for _ in range(12):
        source = source + 0.7 * (y - drop(x, source) - source)
    changed = _resample(rgb, head, x, source)
    moved = landmarks.astype(np.float64).copy()
    shift = drop(flat[:, 0], flat[:, 1])
    lower = [i for i in INNER_LOWER if i not in INNER_UPPER]
    upper = [i for i in INNER_UPPER if i not in INNER_LOWER]
    shift[lower] = amount * share(flat[lower, 0])
    shift[upper] = 0
    shift[468:] = 0
    moved[:, :2] = head.picture(np.stack([flat[:, 0], flat[:, 1] + shift], -1))
    return _paint_mouth(changed, moved, head), moved.astype(np.float32)


def _paint_mouth(rgb: NDArray[np.uint8], landmarks: Reals, head: Head) -> NDArray[np.uint8]:
    """Fill the opened gap: dark, reddish towards the tongue, a band of upper teeth."""
    size, unit = rgb.shape[0], head.unit
    x, y = head.grid(size)
    mouth = polygon(size, landmarks[INNER_LIPS], 0.012 * unit)
    top = _curve(head, landmarks[INNER_UPPER], x)
    bottom = _curve(head, landmarks[INNER_LOWER], x)
    depth = np.clip((y - top) / np.maximum(bottom - top, 1e-3), 0, 1)[..., None]
    key = float(np.clip(np.median(rgb[polygon(size, landmarks[FACE_OVAL]) > 0.5]) / 150, 0.35, 1.1))
    throat, tongue = np.array([38.0, 12, 14]), np.array([150.0, 68, 66])
    paint = throat + (tongue - throat) * np.clip((depth - 0.55) / 0.4, 0, 1) ** 1.5
    band = np.clip((0.10 - (y - top)) / 0.03, 0, 1) * np.clip((bottom - top - 0.06) / 0.08, 0, 1)
    centre = (head.flat(landmarks[list(MOUTH_CORNERS)])[:, 0]).mean()
    half = np.ptp(head.flat(landmarks[list(MOUTH_CORNERS)])[:, 0]) / 2
    band = band * np.clip((0.8 - np.abs(x - centre) / half) / 0.25, 0, 1)
    teeth = blur(band.astype(np.float32), 0.010 * unit)[..., None]
    paint = paint + (np.array([226.0, 218, 206]) - paint) * teeth
    mixed = rgb + (paint * key - rgb) * mouth[..., None]
    return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
