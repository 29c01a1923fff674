"""A face with a child's proportions, as those have who are drawn for a film: a high forehead, eyes
low in the face, round cheeks and a small chin. In a grown-up's face large eyes look pasted on.

Eyes, nose and mouth sink, and the chin rises as far as the crop has a neck below it.
"""

from __future__ import annotations

import numpy as np

from engines.faces.features import LID_POINTS
from engines.faces.head import CHIN, FOREHEAD, NOSE_TIP
from engines.faces.pixels import Floats
from realtime.toons.brows.strips import axes_of
from realtime.toons.finish.surface import EARS
from realtime.toons.shapes.warps import Rise, Swelling, risen, swollen

SINK = 0.05  # how far eyes sink, and less what is above and below, in heights of the face
SINK_ASIDE = 0.92  # how far aside that goes, in widths of the face; up and down as far as the chin
SHORTER = 0.06  # how far a chin rises, in heights of the face
CHIN_REACH = (0.95, 1.25, 0.38)
"""How far about it that goes: aside in widths of the face, above in its distances from the nose,
below in heights of the face."""
ROOM = 0.20  # as much as that is wanted below a chin, in them: less of a crop is stretched less
JAW, JAW_AT, JAW_REACH = 0.90, 0.12, (0.75, 0.40)
CHEEKS, CHEEKS_AT, CHEEKS_REACH = 1.03, 0.48, (0.80, 0.28)
"""Width of a jaw and of cheeks, how far above the chin that is, and how far about there it goes,
aside in widths of the face and down in heights of it."""

_LIDS = [landmark for ids in LID_POINTS for landmark in ids]
MEASURED = [CHIN, FOREHEAD, NOSE_TIP, *EARS, *_LIDS]
"""Landmarks by which a face is measured."""


def childlike(shown: Floats, front: float, share: float) -> Floats:
    """The field, see `realtime.toons.shapes.warps`, that gives a face a child's proportions.

    Args:
        shown: float32 [478, 2], where the toon shows what is `MEASURED`, 0..1.
        front: 1 for a face towards the camera .. 0 for a profile, whose jaw stays.
        share: how far it gets them, 0..1.
    """
    chin, eyes = shown[CHIN], shown[_LIDS].mean(0)
    height, down, _ = axes_of(chin - shown[FOREHEAD])
    along = np.array([down[1], -down[0]], np.float32)
    width = float(np.linalg.norm(np.subtract(*shown[EARS])))
    below, nose = (float((chin - place) @ down) for place in (eyes, shown[NOSE_TIP]))
    sink = (SINK_ASIDE * width, below, below)
    under = 1 - float(chin[1])
    aside, over, neck = CHIN_REACH
    rise = (aside * width, over * nose, min(neck * height, under))
    shorter = share * SHORTER * height * float(np.clip(under / (ROOM * height), 0, 1))
    shapes = (
        Swelling(
            chin - at * height * down,
            (reach[0] * width, reach[1] * height),
            1 + (wide - 1) * front * share,
            1.0,
        )
        for wide, at, reach in ((JAW, JAW_AT, JAW_REACH), (CHEEKS, CHEEKS_AT, CHEEKS_REACH))
    )
    rises = (
        Rise(eyes, along, down, -SINK * height * share, sink, even=True),
        Rise(chin, along, down, shorter, rise),
    )
    return risen(rises) + swollen(shapes)
