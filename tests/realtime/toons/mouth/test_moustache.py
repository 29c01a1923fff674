"""A dark moustache, found in a photo and painted in its toon."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.head import LIPS, NOSE_BASE
from engines.faces.pixels import polygon
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.finish.colour import as_lab
from realtime.toons.mouth.lips import LipWatch, lips_in
from realtime.toons.mouth.moustache import moustache_in, with_moustache
from tests.realtime.toons.conftest import SIDE

Crop = tuple[Image, NDArray[np.float32]]

HAIR = (28, 30, 34)  # BGR
UPPER_LIP = [129, 98, 2, 327, 358, 436, 291, 0, 61, 216]  # landmarks
PLAN = np.zeros((3, 64, 64), np.float32)  # a toon in the photo's own shape


def above_lips(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where a moustache grows, float32 [SIDE, SIDE]."""
    at = points[:, :2] * SIDE - 0.5
    where = polygon(SIDE, cv2.convexHull(at[UPPER_LIP].astype(np.float32))[:, 0], 1.5)
    for ids in (LIPS, NOSE_BASE):
        where *= 1 - polygon(SIDE, cv2.convexHull(at[ids].astype(np.float32))[:, 0])
    return np.asarray(where, np.float32)


def bearded(crop: Crop) -> Image:
    image, points = crop
    where = above_lips(points)[..., None]
    return np.rint(image * (1 - where) + np.array(HAIR, np.float32) * where).astype(np.uint8)


def found(image: Image, points: NDArray[np.float32]) -> float:
    return moustache_in(image, np.asarray(points[:, :2] * SIDE - 0.5, np.float32))


def test_hair_is_told_from_shade_and_from_nothing(face_crop: Crop) -> None:
    image, points = face_crop
    assert found(bearded(face_crop), points) > 0.9
    assert found(image, points) < 0.1
    lab = as_lab(image)
    lab[..., 0] *= 1 - 0.25 * above_lips(points)  # light comes back from skin: it keeps its colour
    shaded = np.clip(np.rint(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR) * 255), 0, 255)
    assert found(shaded.astype(np.uint8), points) < 0.1


def test_light_from_one_side_is_no_moustache(face_crop: Crop) -> None:
    image, points = face_crop
    across = np.linspace(0.3, 1.1, SIDE, dtype=np.float32)[None, :, None]
    assert found(np.clip(image * across, 0, 255).astype(np.uint8), points) < 0.1


def test_a_toon_gets_it_and_keeps_its_lips_and_cheeks(face_crop: Crop) -> None:
    toon, points = face_crop
    drawn = with_moustache(toon, bearded(face_crop), PLAN, points[:, :2], 1.0)
    where = above_lips(points)
    light, before = (as_lab(one)[..., 0] for one in (drawn, toon))
    assert light[where > 0.9].mean() < 0.6 * before[where > 0.9].mean()
    lips = polygon(SIDE, points[LIPS, :2] * SIDE - 0.5, 0.0, -2)
    assert np.abs(light - before)[lips > 0.9].max() < 2
    far = cv2.dilate(where, np.ones((25, 25), np.uint8)) == 0
    assert np.array_equal(drawn[far], toon[far])


def test_it_moves_with_the_toon_s_shape(face_crop: Crop) -> None:
    toon, points = face_crop
    by = 0.06
    plan = PLAN.copy()
    plan[1] = by  # each place of the toon comes from farther down: all of it has risen
    up = np.array([[1, 0, 0], [0, 1, -by * SIDE]], np.float32)
    risen = as_uint8(cv2.warpAffine(toon, up, (SIDE, SIDE)))
    shown = points[:, :2] - np.array([0, by], np.float32)
    drawn = with_moustache(risen, bearded(face_crop), plan, shown, 1.0)
    rows = np.nonzero(as_lab(risen)[..., 0] - as_lab(drawn)[..., 0] > 20)[0]
    wanted = np.nonzero(above_lips(points) > 0.5)[0].mean() - by * SIDE
    assert rows.mean() == pytest.approx(wanted, abs=2)


def test_without_one_the_toon_stays(face_crop: Crop) -> None:
    toon, points = face_crop
    photo = bearded(face_crop)
    assert with_moustache(toon, photo, PLAN, points[:, :2], 0.0) is toon
    tiny = as_uint8(cv2.resize(toon, (16, 16), interpolation=cv2.INTER_AREA))
    assert with_moustache(tiny, photo, PLAN, points[:, :2], 1.0) is tiny
    profile = points[:, :2].copy()
    profile[:, 0] = profile[4, 0] + np.where(profile[:, 0] > profile[4, 0], 0.02, 1) * (
        profile[:, 0] - profile[4, 0]
    )
    assert with_moustache(toon, photo, PLAN, profile, 1.0) is toon


def test_it_is_known_over_time(face_crop: Crop) -> None:
    image, points = face_crop
    watch = LipWatch()
    bare = lips_in(image, points)
    first = watch.see(1, 0.0, bearded(face_crop), points)
    assert bare is not None
    assert first is not None
    assert bare.moustache < 0.1 < 0.9 < first.moustache
    soon, later = (watch.see(1, time, image, points) for time in (0.5, 20.0))
    assert soon is not None
    assert later is not None
    assert 0.5 < soon.moustache < first.moustache
    assert later.moustache < 0.2
