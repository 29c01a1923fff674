"""Lips painted over a network's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.faces.head import INNER_LIPS, LIPS
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.finish.colour import as_lab
from realtime.toons.mouth.film import film_mouth
from realtime.toons.mouth.lips import Lips, lips_in
from tests.realtime.toons.mouth.drawings import (
    DARK,
    LIP,
    MOUTH,
    SIDE,
    SKIN,
    at,
    filled,
    landmarks,
    light,
    toon,
)

SKIN_LAB = as_lab(np.array([[SKIN]], np.uint8))[0, 0]
OWN = as_lab(np.array([[LIP]], np.uint8))[0, 0] - SKIN_LAB


def lips(uneven: float) -> Lips:
    return Lips(OWN, OWN, uneven)


def filmed(picture: Image, uneven: float, gap: float = 0.0, soft: float = 0.0) -> Image:
    places = landmarks(gap) * SIDE - 0.5
    return film_mouth(picture, places.astype(np.float32), SKIN_LAB, lips(uneven), soft).image


def blotted() -> Image:
    """A mouth one half of which lies in hard light."""
    picture, half = toon(), np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(half, [np.round(landmarks()[LIPS] * SIDE).astype(np.int32)], 1)
    half[:, : SIDE // 2] = 0
    picture[half > 0] = (190, 190, 235)
    return picture


def test_the_more_unevenly_lips_are_lit_the_more_alike_their_sides_get() -> None:
    spots = [at(MOUTH[0] + aside, MOUTH[1] + 0.018) for aside in (-0.05, 0.05)]

    def apart(picture: Image) -> float:
        left, right = (as_lab(picture)[spot].mean((0, 1)) for spot in spots)
        return float(np.linalg.norm(left - right))

    before = blotted()
    evenly, unevenly = (apart(filmed(before, uneven)) for uneven in (0.0, 1.0))
    assert apart(before) > 20
    assert unevenly < 0.5 * evenly < 0.5 * apart(before)


def test_a_painted_mouth_has_a_line_between_two_tones_and_a_light() -> None:
    drawn = light(filmed(toon(), 1.0))
    column = drawn[:, round(MOUTH[0] * SIDE)]
    line = round(MOUTH[1] * SIDE)
    assert column[line - 2 : line + 3].min() < 0.8 * column[line - 8]  # the line
    upper, lower = column[line - 8 : line - 4].mean(), column[line + 4 : line + 9].mean()
    assert lower > upper + 3  # the lower lip is lighter
    gleam = drawn[at(MOUTH[0], MOUTH[1] + 0.014)].mean()
    assert gleam > drawn[at(MOUTH[0] - 0.07, MOUTH[1] + 0.014)].mean() + 2


def test_an_open_mouth_has_no_line_and_keeps_its_teeth() -> None:
    before = toon(0.05)
    after = filmed(before, 1.0, gap=0.05)
    assert light(after)[at(*MOUTH)].mean() > light(before)[at(*MOUTH)].mean() - 10
    dark = toon(0.05)
    filled(dark, landmarks(0.05)[INNER_LIPS], DARK)
    hole = light(filmed(dark, 1.0, gap=0.05))[at(*MOUTH)].mean()
    assert hole < light(dark)[at(*MOUTH)].mean() + 5


def test_what_a_network_drew_beside_the_lips_goes_under_skin() -> None:
    before = toon()
    corner = MOUTH[0] - 0.112, MOUTH[1]
    cv2.circle(before, (round(corner[0] * SIDE), round(corner[1] * SIDE)), 2, (70, 70, 110), -1)
    around = at(*corner, reach=1)
    gained = (light(filmed(before, 1.0)) - light(before))[around].mean()
    assert gained > 2
    far = at(0.32, 0.60, reach=8)
    assert np.array_equal(filmed(before, 1.0)[far], before[far])


def test_nothing_is_painted_on_a_hand_nor_without_knowing_the_lips() -> None:
    hand = toon(lip=SKIN)
    assert np.abs(filmed(hand, 1.0).astype(int) - hand).max() <= 2
    places = (landmarks() * SIDE - 0.5).astype(np.float32)
    unknown = film_mouth(blotted(), places, SKIN_LAB, None).image
    assert np.abs(unknown.astype(int) - filmed(blotted(), 1.0)).max() > 20


def test_lips_of_a_profile_stay_the_networks() -> None:
    places = (landmarks() * SIDE - 0.5).astype(np.float32)
    aside, unknown = (
        film_mouth(blotted(), places, SKIN_LAB, known, front=0.0).image
        for known in (lips(1.0), None)
    )
    front = film_mouth(blotted(), places, SKIN_LAB, lips(1.0)).image
    off = [np.abs(picture.astype(int) - unknown).mean() for picture in (aside, front)]
    assert off[0] < 0.5 * off[1]


def test_painted_lips_are_as_soft_as_the_photo() -> None:
    column = round(MOUTH[0] * SIDE)
    slopes = [
        float(np.abs(np.diff(light(filmed(toon(), 1.0, soft=soft))[:, column])).max())
        for soft in (0.0, 2.0)
    ]
    assert slopes[1] < 0.7 * slopes[0]


def test_grey_lips_stay_grey() -> None:
    grey = as_uint8(cv2.cvtColor(cv2.cvtColor(toon(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
    seen = lips_in(grey, landmarks())
    assert seen is not None
    skin = as_lab(grey[at(0.32, 0.60)])[0, 0]
    places = (landmarks() * SIDE - 0.5).astype(np.float32)
    after = film_mouth(grey, places, skin, seen._replace(uneven=1.0)).image
    assert np.hypot(*np.moveaxis(as_lab(after)[..., 1:], -1, 0)).max() < 1.5


@pytest.mark.parametrize("side", [12, 40, 96])
def test_small_mouths_break_nothing(side: int) -> None:
    small = as_uint8(cv2.resize(toon(), (side, side), interpolation=cv2.INTER_AREA))
    places = (landmarks() * side - 0.5).astype(np.float32)
    after = film_mouth(small, places, SKIN_LAB, lips(1.0)).image
    assert after.shape == small.shape
