"""Folds beside nose and mouth, and the ends of a moustache that is not there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.head import MOUTH_CORNERS, NASOLABIAL
from engines.pictures import Image
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.folds import FLOOR, MIDDLE, fold_field

SIDE = 192
SKIN, DARK, HAIR = (140, 170, 215), (35, 45, 75), (32, 32, 36)  # BGR

Points = NDArray[np.float32]
Field = NDArray[np.float32]
ALL = np.ones((SIDE, SIDE), np.float32)


@pytest.fixture
def shown(face_crop: tuple[Image, Points]) -> Points:
    return np.asarray(face_crop[1][:, :2], np.float32)


def flat() -> Image:
    return np.full((SIDE, SIDE, 3), SKIN, np.uint8)


def with_line(picture: Image, points: Points, colour: tuple[int, int, int], width: int) -> Image:
    line = np.rint(points * SIDE - 0.5).astype(np.int32)
    drawn = cv2.polylines(picture.copy(), [line], False, colour, width, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 1.0), np.uint8)


def lifted(before: Image, shown: Points, face: Field = ALL, bare: Field = ALL) -> Field:
    """The toon with lighter folds, L*a*b*."""
    skin = as_lab(np.array([[SKIN]], np.float32))[0, 0]
    field = fold_field(before.astype(np.float32), shown, face, bare, skin)
    return as_lab(np.clip(before + field, 0, 255).astype(np.float32))


def at(points: Points, picture: Field) -> NDArray[np.float32]:
    x, y = np.rint(points * SIDE - 0.5).astype(int).T
    return np.asarray(picture[y, x], np.float32)


def blot(picture: Image, shown: Points) -> tuple[Image, Points]:
    """A dark blot beside each corner of the mouth, and its middle."""
    left, right = shown[list(MOUTH_CORNERS)]
    places = np.stack([left - 0.09 * (right - left), right + 0.09 * (right - left)])
    for place in places:
        centre = tuple(np.rint(place * SIDE).astype(int).tolist())
        cv2.circle(picture, centre, 3, DARK, cv2.FILLED, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8), places


def test_a_fold_is_lighter_and_has_the_colour_of_skin(shown: Points) -> None:
    before, skin = flat(), as_lab(np.array([[SKIN]], np.float32))[0, 0]
    for line in NASOLABIAL:
        before = with_line(before, shown[line], DARK, 3)
    after, dark = lifted(before, shown), as_lab(before)
    for line in NASOLABIAL:
        fold = shown[line[1:3]]  # beside the mouth
        gain = at(fold, after)[:, 0] - at(fold, dark)[:, 0]
        assert gain.min() > 6
        assert at(fold, after)[:, 0].max() < FLOOR * skin[0] + 2  # it is still there
        off = np.linalg.norm(at(fold, after)[:, 1:] - skin[1:], axis=1)
        assert (off < np.linalg.norm(at(fold, dark)[:, 1:] - skin[1:], axis=1)).all()


def test_even_skin_stays(shown: Points) -> None:
    before = flat()
    assert np.abs(lifted(before, shown) - as_lab(before)).max() < 0.5


def test_the_shade_of_a_round_head_is_no_fold(shown: Points) -> None:
    across = np.linspace(0, 1, SIDE, dtype=np.float32)
    before = np.rint(flat() * (1 - 0.7 * across)[None, :, None]).astype(np.uint8)
    assert np.abs(lifted(before, shown)[..., 0] - as_lab(before)[..., 0]).max() < 1.5


def test_what_lies_before_a_face_stays(shown: Points) -> None:
    before = flat()
    for line in NASOLABIAL:
        before = with_line(before, shown[line], DARK, 3)
    before, _ = blot(before, shown)
    none = np.zeros_like(ALL)
    assert np.abs(lifted(before, shown) - as_lab(before)).max() > 10
    assert np.abs(lifted(before, shown, none, none) - as_lab(before)).max() < 0.5


@pytest.mark.parametrize("lower", [0.2, 0.3, 0.9])
def test_a_mouth_may_be_partly_beyond_the_picture(shown: Points, lower: float) -> None:
    below = shown + np.array([0, lower], np.float32)
    before = flat()
    for line in NASOLABIAL:
        before = with_line(before, below[line], DARK, 3)
    change = lifted(before, below) - as_lab(before)
    assert np.isfinite(change).all()
    seen = bool((below[NASOLABIAL[0][1], 1] < 0.95).all())
    assert (change[..., 0].max() > 5) == seen


def test_a_black_toon_stays_black(shown: Points) -> None:
    black = np.zeros((SIDE, SIDE, 3), np.float32)
    field = fold_field(black, shown, ALL, ALL, np.zeros(3, np.float32))
    assert np.abs(field).max() < 1


def test_the_shadow_of_a_nose_is_lifted_and_a_moustache_is_not(shown: Points) -> None:
    place = shown[[164]] - np.array([[0, 0.008]], np.float32)
    centre = tuple(np.rint(place[0] * SIDE).astype(int).tolist())
    before = cv2.ellipse(flat(), centre, (9, 4), 0, 0, 360, DARK, cv2.FILLED, cv2.LINE_AA)
    shadow = np.asarray(cv2.GaussianBlur(before, (0, 0), 1.0), np.uint8)
    assert at(place, lifted(shadow, shown))[0, 0] > at(place, as_lab(shadow))[0, 0] + 15
    grown = with_line(shadow, shown[[92, 165, 164, 391, 322]], HAIR, 9)
    assert at(place, lifted(grown, shown))[0, 0] < at(place, as_lab(grown))[0, 0] + 2


def test_blots_beside_a_mouth_go_where_there_is_no_moustache(shown: Points) -> None:
    before, places = blot(flat(), shown)
    gone = at(places, lifted(before, shown))[:, 0] - at(places, as_lab(before))[:, 0]
    assert gone.min() > 15
    grown, _ = blot(with_line(flat(), shown[[92, 165, 164, 391, 322]], HAIR, 9), shown)
    assert np.median(at(shown[MIDDLE], as_lab(grown))[:, 0]) < 30  # it has one
    kept = at(places, lifted(grown, shown))[:, 0] - at(places, as_lab(grown))[:, 0]
    assert (kept < gone / 2).all()
