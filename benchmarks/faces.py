"""People to measure on without a data set: the demo's moving person."""

from __future__ import annotations

import cv2
import numpy as np

from engines.errors import ToonifyError
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
