"""Whether a photo shows spectacles or sunglasses, from four witnesses that err differently."""

from __future__ import annotations

import numpy as np

from engines.faces.features import EYE
from engines.faces.head import Head
from engines.faces.pixels import Floats, blur, polygon
from engines.training.artist import masks
from engines.training.artist3d.segment import FaceParts

ROUND_THE_EYES = 0.45  # where frames can be, in eye distances
DARK_BRIGHTEST, DARK_MIDDLE = 0.57, 0.54  # L* behind dark lenses, as shares of the cheek's
UNDER_EYES = ([119, 120, 118, 230, 229, 228], [348, 349, 347, 450, 449, 448])


def find_eyewear(
    lab: Floats, head: Head, parts: FaceParts, certainty: float, glance: float
) -> tuple[bool, bool]:
    """Spectacles with clear lenses, and sunglasses; never both.

    Args:
        lab: [S, S, 3] CIE Lab of the photo.
        head: its pose.
        parts: of the photo.
        certainty: 0..1, of closed lines round both eyes (`artist.spectacles.find_frame`).
        glance: 0..1, what `glance` says.
    """
    size, points = lab.shape[0], head.landmarks
    zones = [polygon(size, points[ids], 0, ROUND_THE_EYES * head.unit) > 0.5 for ids in EYE]
    sides = [float((parts.spectacles * zone).sum()) / head.unit**2 for zone in zones]
    # One eye in a shadow may look like a dark lens; frames are on both, as far as both are seen.
    area = max(sides) if head.turn > 0.5 else 2 * min(sides)
    likely = glance > 0.6 or (area > 0.3 and glance > 0.3)
    dark = masks.sunglasses_level(lab, points) * max(glance, float(area > 0.2)) > 0.5
    if likely and (dark or _dark_lenses(lab, head) or _tinted(lab, head)):
        return False, True
    score = 1.2 * certainty + 2.0 * glance + 3.0 * min(area, 0.4)
    # Rimless lenses show no line, but the segmented wire is hardly ever a mistake.
    return score > 1.8 or (area > 0.09 and glance > 0.2), False


def _dark_lenses(lab: Floats, head: Head) -> bool:
    """Nothing as bright as the white of an eye is seen in either eye, or in profile in one."""
    cheek = max(float(masks.cheek_colour(lab, head.landmarks)[0]), 8.0)
    seen = []
    for ids in EYE:
        inside = polygon(lab.shape[0], head.landmarks[ids], 0, 0.05 * head.unit) > 0.5
        if inside.sum() > 20:
            middle, high = np.percentile(lab[inside][:, 0], [50, 92]) / cheek
            seen.append((int(inside.sum()), middle < DARK_MIDDLE and high < DARK_BRIGHTEST))
    if head.turn > 0.5:
        seen = [max(seen)] if seen else seen
    return bool(seen) and all(dark for _, dark in seen)


def _tinted(lab: Floats, head: Head) -> bool:
    """The skin round the eyes lies behind coloured lenses: nothing has the cheeks' colour."""
    size, points = lab.shape[0], head.landmarks
    cheek = masks.cheek_colour(lab, points)
    smooth = blur(lab, 2.0)
    off = []
    for low in UNDER_EYES:
        at = np.clip(points[low, :2], 0, size - 1).astype(int)
        there = smooth[at[:, 1], at[:, 0]]
        scale = np.clip(there[:, :1] / max(cheek[0], 1), 0.25, 1.2)
        off.append(float(np.median(np.hypot(*(there[:, 1:] - cheek[1:] * scale).T))))
    return max(off) > 24
