"""A toon in the colours of its scene."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.pictures import Image
from realtime.compositing import oval_mask
from realtime.frame import as_uint8
from realtime.toons.finish.colour import COARSE, Small, as_lab, colour_stats
from realtime.toons.finish.light import cloth_field
from tests.realtime.toons.conftest import SIDE

SCARF = (190, 110, 20)  # BGR


def skin_of(photo: Small, points: NDArray[np.float32]) -> NDArray[np.float32]:
    return colour_stats(photo, oval_mask(points, 0.0, 0.03))[0]


def tinted(image: Image, rows: slice, by: tuple[int, int, int]) -> Image:
    out = image.astype(int)
    out[rows] += by
    return as_uint8(np.clip(out, 0, 255).astype(np.uint8))


def test_cloth_keeps_its_colour_and_skin_the_toons(
    face_crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = face_crop
    crop, top = image.copy(), int(0.8 * points[10, 1] * SIDE)
    crop[:top] = SCARF
    toon = tinted(tinted(crop, slice(top), (-70, 20, 60)), slice(top, None), (-10, 0, 12))
    plan = np.zeros((3, 32, 32), np.float32)
    photo, small = Small.of(crop), Small.of(toon)
    field = cloth_field(photo, small.bgr, plan, skin_of(photo, points))
    cloth = slice(top * COARSE // SIDE - 2)
    before, after = as_lab(small.bgr)[cloth], as_lab(small.bgr + field)[cloth]
    assert np.abs(before[..., 1:] - photo.lab[cloth][..., 1:]).max() > 20
    assert np.abs(after[..., 1:] - photo.lab[cloth][..., 1:]).max() < 1
    assert np.abs(after[..., 0] - before[..., 0]).max() < 1
    face = cv2.resize(oval_mask(points, -0.06, 0.03), (COARSE, COARSE)) > 0.9
    assert np.abs(field[face]).max() < 1


def test_cloth_is_looked_for_where_the_toon_has_it(
    face_crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = face_crop
    crop = image.copy()
    crop[:, : SIDE // 8] = SCARF
    plan = np.zeros((3, 32, 32), np.float32)
    plan[0] = -1 / 8  # the toon has everything so much further to the right
    photo, grey = Small.of(crop), np.full((COARSE, COARSE, 3), 128, np.float32)
    field = cloth_field(photo, grey, plan, skin_of(photo, points))
    lab = as_lab(grey + field)
    moved = slice(COARSE // 8 + 1, COARSE // 4 - 1)
    assert np.abs(lab[:, moved, 1:] - photo.lab[COARSE // 2, 2, 1:]).max() < 1
