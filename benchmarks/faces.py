"""Real aligned faces without a data set: the demo's portrait, moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.faces.alignment import crop_transform, extract_crop
from engines.faces.landmarker import Landmarker
from realtime.sources.demo import DemoSource

ALONE = 9
"""From this second on the demo shows one person for nine seconds."""


def demo_crops(size: int, count: int) -> NDArray[np.uint8]:
    """uint8 [count, size, size, 3] RGB: what a tracker would hand to an engine."""
    rate = 10
    source = DemoSource((1280, 720), rate, live=False)
    crops: list[NDArray[np.uint8]] = []
    with Landmarker(blendshapes=False, pose=False) as landmarker:
        step = ALONE * rate
        while len(crops) < count:
            image = np.ascontiguousarray(source.render(step)[:, :, ::-1])
            if faces := landmarker.detect(image):
                crops.append(extract_crop(image, crop_transform(faces[0].points, size), size))
            step = ALONE * rate + (step + 3 - ALONE * rate) % (9 * rate)
    return np.stack(crops)
