"""A film's mouth and nostrils."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.head import INNER_LIPS, LIPS, NOSE_BASE, NOSE_TIP
from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.finish.colour import as_lab
from realtime.toons.finish.features import film_features, without_mouth
from realtime.toons.finish.surface import EARS, SPOTS
from realtime.toons.lips import lip_colours

SIDE = 384
SKIN, LIP, TOOTH, DARK = (140, 170, 215), (120, 115, 190), (225, 235, 240), (30, 30, 60)  # BGR
MOUTH = (0.5, 0.66)


def landmarks(gap: float = 0.0) -> NDArray[np.float32]:
    """A mouth that is open by `gap`, a nose and cheeks, 0..1."""
    points = np.full((478, 2), 0.5, np.float32)
    for ids, half, tall in ((LIPS, 0.11, 0.036 + gap / 2), (INNER_LIPS, 0.095, gap / 2)):
        # Both begin at the left corner, go along the lower lip and come back along the upper one.
        turn = np.arange(20) * np.pi / 10
        points[ids, 0] = MOUTH[0] - half * np.cos(turn)
        points[ids, 1] = MOUTH[1] + tall * np.sin(turn)
    about = np.arange(len(NOSE_BASE)) * 2 * np.pi / len(NOSE_BASE)
    points[NOSE_BASE] = np.stack([0.5 + 0.07 * np.cos(about), 0.54 + 0.03 * np.sin(about)], 1)
    points[list(SPOTS)] = 0.32, 0.60  # on skin
    points[[*EARS, NOSE_TIP]] = (0.22, 0.5), (0.78, 0.5), (0.5, 0.51)
    return points


def filled(picture: Image, outline: NDArray[np.float32], colour: tuple[int, int, int]) -> None:
    cv2.fillPoly(picture, [np.round(outline * SIDE).astype(np.int32)], colour)


def toon(gap: float = 0.0, lip: tuple[int, int, int] = LIP) -> Image:
    picture = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    points = landmarks(gap)
    filled(picture, points[LIPS], lip)
    if gap:
        filled(picture, points[INNER_LIPS], TOOTH)
    return picture


def at(x: float, y: float, reach: int = 2) -> tuple[slice, slice]:
    column, row = round(x * SIDE), round(y * SIDE)
    return slice(row - reach, row + reach + 1), slice(column - reach, column + reach + 1)


def light(picture: Image) -> NDArray[np.float32]:
    return as_lab(picture)[..., 0]


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


def test_nostrils_are_no_black_holes() -> None:
    before = toon()
    for x in (0.47, 0.53):
        cv2.circle(before, (round(x * SIDE), round(0.545 * SIDE)), 5, (8, 8, 8), -1)
    after = film_features(before, landmarks()).image
    hole = at(0.47, 0.545)
    skin = float(light(before)[at(0.32, 0.60)].mean())
    assert 0.25 * skin < light(after)[hole].mean() < 0.5 * skin  # still nostrils
    assert as_lab(after)[hole][..., 1].mean() > 5  # red
    assert np.array_equal(after[at(0.5, 0.40, 8)], before[at(0.5, 0.40, 8)])
    profile = landmarks()
    profile[NOSE_TIP] = 0.77, 0.51  # the room may lie behind a nostril
    assert np.array_equal(film_features(before, profile).image[hole], before[hole])


def test_a_tiny_mouth_and_one_at_the_edge_stay_whole() -> None:
    tiny = np.full((40, 40, 3), SKIN, np.uint8)
    assert film_features(tiny, landmarks()).image is tiny
    away = landmarks() + np.array([0.6, 0.0], np.float32)
    picture = toon()
    assert film_features(picture, away).image.shape == picture.shape


def test_no_detail_of_a_photo_is_taken_in_a_mouth() -> None:
    plan = np.full((3, 64, 64), 0.5, np.float32)
    assert without_mouth(plan, landmarks(), 0.0) is plan
    result = without_mouth(plan, landmarks(), 1.0)
    assert np.array_equal(result[:2], plan[:2])
    assert result[2, round(MOUTH[1] * 64), 32] < 0.1
    assert result[2, 10, 10] == 0.5
    assert plan.min() == 0.5  # not changed


def test_a_dark_thing_before_nose_and_mouth_stays() -> None:
    before = toon()
    before[round(0.48 * SIDE) : round(0.75 * SIDE)] = (25, 22, 20)
    before[at(0.32, 0.60)] = SKIN  # as far as the cheeks are free
    assert film_features(before, landmarks()).image is before


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


def test_a_grey_picture_stays_grey() -> None:
    gap = 0.04
    before = toon(gap)
    cv2.circle(before, (round(0.47 * SIDE), round(0.545 * SIDE)), 5, (8, 8, 8), -1)
    grey = as_uint8(cv2.cvtColor(cv2.cvtColor(before, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
    after = film_features(grey, landmarks(gap))
    assert after.mouth > 0.9
    assert np.hypot(*np.moveaxis(as_lab(after.image)[..., 1:], -1, 0)).max() < 1.5
    grey[round(0.6 * SIDE) : round(0.72 * SIDE), SIDE // 3 : -SIDE // 3] = 255  # a white cup
    assert film_features(grey, landmarks(gap)).mouth == 0


def test_lips_get_the_persons_own_colours_whatever_light_falls_on_them() -> None:
    photo, points = toon(lip=(135, 135, 205)), landmarks()
    filled(photo, points[[*LIPS[10:], LIPS[0]]], (105, 105, 175))  # the upper one is darker
    colours = lip_colours(photo, points)
    assert colours is not None
    assert colours.upper[0] < colours.lower[0] - 5 < -5
    before = toon(lip=(150, 150, 205))
    half = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(half, [np.round(points[LIPS] * SIDE).astype(np.int32)], 1)
    half[:, : SIDE // 2] = 0
    before[half > 0] = (105, 95, 150)  # in a hard shadow
    after, plain = (film_features(before, points, colours=c).image for c in (colours, None))
    spots = [at(MOUTH[0] + aside, MOUTH[1] + 0.018) for aside in (-0.05, 0.05)]
    apart = [
        np.linalg.norm(np.subtract(*(as_lab(picture)[spot].mean((0, 1)) for spot in spots)))
        for picture in (plain, after)
    ]
    assert apart[1] < 0.85 * apart[0]
    own = as_lab(np.array([[SKIN]], np.uint8))[0, 0] + colours.lower
    assert np.abs(as_lab(after)[spots[0]].mean((0, 1)) - own)[1:].max() < 5
