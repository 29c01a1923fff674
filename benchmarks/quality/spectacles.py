"""Spectacles kept: is the frame still there on the toon?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.colour import to_lab
from engines.training.artist import masks
from engines.training.artist.head import Head
from engines.training.artist.spectacles import find_frame, frame_contrast

Image = NDArray[np.uint8]
Points = NDArray[np.float32]


def worn(photo: Image, points: Points) -> bool:
    """Whether the person wears clear spectacles. ``points``: float32 [478, 3] in pixels."""
    lab = to_lab(photo)
    if masks.sunglasses_level(lab, points) > 0.5:
        return False
    return find_frame(lab, Head(points)).certainty > 0.5


def frame_kept(output: Image, target: Image, points: Points) -> float:
    """Contrast of the frame on ``output``, as a share of that on the artist's ``target``.

    Both uint8 [S, S, 3]; ``points``: float32 [478, 3], landmarks of ``target``.
    """
    first, second, head = to_lab(output), to_lab(target), Head(points)
    frame = find_frame(second, head)
    shown, wanted = (frame_contrast(lab, head, frame) for lab in (first, second))
    return shown / max(wanted, 1e-6)
