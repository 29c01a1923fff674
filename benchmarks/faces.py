"""People to measure on without a data set: the demo's moving portrait."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import ToonifyError
from engines.faces.alignment import crop_transform, extract_crop
from engines.faces.landmarker import Landmarker
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.sources.demo import DemoSource

ALONE = 9
"""From this second on the demo shows one person for nine seconds."""
TILES = {1: (1, 1), 2: (2, 1), 4: (2, 2)}
"""Face count -> columns and rows of demo pictures side by side."""


def crowd_frames(size: tuple[int, int], faces: int, rate: float, count: int) -> list[Image]:
    """`count` frames with 1, 2 or 4 people: uint8 [H, W, 3] BGR each."""
    if faces not in TILES:
        raise ToonifyError(f"The loop runs with 1, 2 or 4 faces, not {faces}.")
    columns, rows = TILES[faces]
    tile = (size[0] // columns, size[1] // rows)
    people = [DemoSource(tile, rate, live=False, seed=seed) for seed in range(faces)]
    frames = []
    for step in range(int(ALONE * rate), int(ALONE * rate) + count):
        tiles = [person.render(step) for person in people]
        lines = [np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)]
        frames.append(as_uint8(cv2.resize(np.vstack(lines), size)))
    return frames


@lru_cache(maxsize=4)
def demo_crops(size: int, count: int) -> NDArray[np.uint8]:
    """uint8 [count, size, size, 3] RGB: what a tracker would hand to an engine."""
    rate = 10
    source = DemoSource((1280, 720), rate, live=False)
    crops: list[NDArray[np.uint8]] = []
    with Landmarker(blendshapes=False, pose=False) as landmarker:
        for step in range(ALONE * rate, 2 * ALONE * rate):
            image = np.ascontiguousarray(source.render(step)[:, :, ::-1])
            if faces := landmarker.detect(image):
                crops.append(extract_crop(image, crop_transform(faces[0].points, size), size))
            if len(crops) == count:
                break
    return np.stack(crops)
