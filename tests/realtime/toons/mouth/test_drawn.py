"""A network's mouth made good."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engines.faces.head import INNER_LIPS, LIPS
from realtime.toons.features import film_features
from realtime.toons.finish.colour import as_lab
from realtime.toons.mouth.lips import lips_in
from tests.realtime.toons.mouth.drawings import (
    DARK,
    MOUTH,
    SIDE,
    SKIN,
    at,
    filled,
    landmarks,
    light,
    toon,
)


def test_glare_on_lips_goes_and_they_keep_their_colour() -> None:
    before = toon()
    glare = MOUTH[0] + 0.03, MOUTH[1] + 0.02
    cv2.circle(before, (round(glare[0] * SIDE), round(glare[1] * SIDE)), 4, (250, 250, 250), -1)
    after = film_features(before, landmarks()).image
    shine, plain = at(*glare, reach=1), at(MOUTH[0] - 0.06, MOUTH[1] + 0.015)
    excess = [float(light(p)[shine].mean() - light(p)[plain].mean()) for p in (before, after)]
    assert excess[0] > 35
    assert excess[1] < 0.75 * excess[0]
    chroma = [np.hypot(*as_lab(p)[shine][..., 1:].mean((0, 1))) for p in (before, after)]
    assert chroma[1] > chroma[0] + 10  # not white any more
    assert np.abs(as_lab(after)[plain] - as_lab(before)[plain]).mean() < 4
    cheek = at(0.32, 0.60)
    assert np.array_equal(after[cheek], before[cheek])


def test_creases_go_and_the_edge_of_lips_stays() -> None:
    before = toon()
    for x in np.arange(0.44, 0.57, 0.02):
        cv2.line(
            before,
            (round(x * SIDE), round((MOUTH[1] + 0.008) * SIDE)),
            (round(x * SIDE), round((MOUTH[1] + 0.026) * SIDE)),
            (112, 106, 178),
            1,
        )
    after = film_features(before, landmarks()).image
    area = at(MOUTH[0], MOUTH[1] + 0.017, reach=3)
    wide = area[0], slice(round(0.45 * SIDE), round(0.55 * SIDE))
    rough = [float(np.abs(np.diff(light(p)[wide], axis=1)).mean()) for p in (before, after)]
    assert rough[1] < 0.5 * rough[0]
    column = round(MOUTH[0] * SIDE)
    edge = [float(np.abs(np.diff(light(p)[:, column])).max()) for p in (before, after)]
    assert edge[1] > 0.7 * edge[0]


def test_teeth_are_one_row_with_faint_gaps() -> None:
    gap = 0.04
    before = toon(gap)
    top, bottom = (round((MOUTH[1] + way * 0.016) * SIDE) for way in (-1, 1))
    for x in range(round(0.43 * SIDE), round(0.57 * SIDE), 7):
        cv2.line(before, (x, top), (x, bottom), (110, 120, 140), 1)
    after = film_features(before, landmarks(gap)).image
    row = slice(round(MOUTH[1] * SIDE) - 1, round(MOUTH[1] * SIDE) + 2)
    teeth = row, slice(round(0.44 * SIDE), round(0.56 * SIDE))
    rough = [float(light(p)[teeth].std()) for p in (before, after)]
    assert 0.1 * rough[0] < rough[1] < 0.45 * rough[0]
    assert light(after)[teeth].mean() > 80
    upper = light(after)[top + 1, teeth[1]].mean()
    assert upper < light(after)[teeth].mean() - 4  # in the shade of the lip


def test_the_line_of_a_closed_mouth_is_dark_but_no_black() -> None:
    row = slice(round(MOUTH[1] * SIDE) - 1, round(MOUTH[1] * SIDE) + 2)
    line = row, slice(round(0.46 * SIDE), round(0.54 * SIDE))
    before = toon()
    before[line] = DARK
    after = film_features(before, landmarks()).image
    lip = light(after)[at(MOUTH[0] - 0.06, MOUTH[1] + 0.015)].mean()
    assert light(before)[line].mean() + 5 < light(after)[line].mean() < 0.6 * lip
    assert (as_lab(after) - as_lab(before))[line][..., 1].mean() > 5  # of the lips' own colour


def test_a_dark_open_mouth_stays_dark() -> None:
    before = toon(0.05)
    filled(before, landmarks(0.05)[INNER_LIPS], DARK)
    after = film_features(before, landmarks(0.05)).image
    assert light(after)[at(*MOUTH)].mean() < light(before)[at(*MOUTH)].mean() + 3


@pytest.mark.parametrize("colour", [(200, 120, 60), (235, 235, 235), (35, 35, 35)])
def test_a_mask_a_cup_and_a_microphone_stay(colour: tuple[int, int, int]) -> None:
    before = toon(lip=colour)
    before[at(MOUTH[0] + 0.03, MOUTH[1] + 0.015)] = 255  # with a light on it
    after = film_features(before, landmarks()).image
    mouth = slice(round(0.6 * SIDE), round(0.72 * SIDE))
    assert np.array_equal(after[mouth], before[mouth])
    assert film_features(before, landmarks()).mouth == 0


def test_a_hand_before_the_mouth_does_not_gleam() -> None:
    before = toon(lip=SKIN)
    after = film_features(before, landmarks()).image
    assert np.abs(after.astype(int) - before).max() <= 2


@pytest.mark.parametrize("dim", [1.0, 0.2])
def test_lips_gleam_as_far_as_there_is_light(dim: float) -> None:
    before = np.asarray(toon() * dim, np.uint8)
    after = film_features(before, landmarks()).image
    lip = at(MOUTH[0], MOUTH[1] + 0.015)
    gained = float((light(after) - light(before))[lip].mean())
    assert 1 < gained < 13 * max(dim, 0.35)


def test_lips_get_the_persons_own_colours_whatever_light_falls_on_them() -> None:
    photo, points = toon(lip=(135, 135, 205)), landmarks()
    filled(photo, points[[*LIPS[10:], LIPS[0]]], (105, 105, 175))  # the upper one is darker
    colours = lips_in(photo, points)
    assert colours is not None
    assert colours.upper[0] < colours.lower[0] - 5 < -5
    before = toon(lip=(150, 150, 205))
    half = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(half, [np.round(points[LIPS] * SIDE).astype(np.int32)], 1)
    half[:, : SIDE // 2] = 0
    before[half > 0] = (105, 95, 150)  # in a hard shadow
    after, plain = (film_features(before, points, lips=c).image for c in (colours, None))
    spots = [at(MOUTH[0] + aside, MOUTH[1] + 0.018) for aside in (-0.05, 0.05)]
    apart = [
        np.linalg.norm(np.subtract(*(as_lab(picture)[spot].mean((0, 1)) for spot in spots)))
        for picture in (plain, after)
    ]
    assert apart[1] < 0.85 * apart[0]
    own = as_lab(np.array([[SKIN]], np.uint8))[0, 0] + colours.lower
    assert np.abs(as_lab(after)[spots[0]].mean((0, 1)) - own)[1:].max() < 5
