from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.alignment import crop_transform, extract_crop, invert, transform_points
from engines.faces.landmarker import Landmarker
from engines.pictures import Image
from realtime.sources.sitters import portrait

SIDE = 256


@pytest.fixture(scope="session")
def face_crop() -> tuple[Image, NDArray[np.float32]]:
    """A face's crop, uint8 [SIDE, SIDE, 3] BGR, and its landmarks, 0..1 across it."""
    picture = portrait()
    with Landmarker(blendshapes=False) as landmarker:
        points = landmarker.detect(np.ascontiguousarray(picture[..., ::-1]))[0].points
    transform = crop_transform(points, SIDE)
    placed = transform_points(points, invert(transform)) / SIDE
    return extract_crop(picture, transform, SIDE), placed.astype(np.float32)


@pytest.fixture(scope="session")
def crop(face_crop: tuple[Image, NDArray[np.float32]]) -> tuple[Image, NDArray[np.float32]]:
    """A face's crop with brown eyes, BGR, and its landmarks, 0..1."""
    from tests.realtime.toons.seen import BROWN, with_eyes

    image, points = face_crop
    return with_eyes(image, points, BROWN), points
