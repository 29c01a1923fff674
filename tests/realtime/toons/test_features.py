"""A film's mouth and nostrils."""

from __future__ import annotations

import cv2
import numpy as np

from engines.faces.head import NOSE_TIP
from realtime.frame import as_uint8
from realtime.toons.features import film_features, without_mouth
from realtime.toons.finish.colour import as_lab
from tests.realtime.toons.mouth.drawings import MOUTH, SIDE, SKIN, at, landmarks, light, toon


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
