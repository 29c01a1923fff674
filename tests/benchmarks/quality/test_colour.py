"""Skin, hair and irises are found, and colours compared as people see them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.quality import colour, shape
from benchmarks.quality.portraits import Portrait
from tests.benchmarks.conftest import SIDE


def test_skin_and_hair_are_found(person: Portrait) -> None:
    points = person.points(SIDE)
    skin = colour.skin_mask(points, SIDE)
    assert 0.05 < skin.mean() < 0.35
    nose = points[4, :2].astype(int)
    eye = points[list(shape.LEFT_EYE), :2].mean(0).astype(int)
    assert skin[nose[1], nose[0]]
    assert not skin[eye[1], eye[0]]
    everywhere = np.ones((SIDE, SIDE))
    hair = colour.hair_mask(points, everywhere, SIDE)
    assert not (hair & skin).any()
    assert colour.hair_mask(points, 0 * everywhere, SIDE).sum() == 0


def test_colour_differences_are_cie76() -> None:
    mask = np.ones((16, 16), bool)
    red, white = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 255, np.uint8)
    red[:, :, 0] = 255
    # L*a*b* of sRGB red is 53.24, 80.09, 67.20; of white 100, 0, 0
    expected = np.linalg.norm([53.24 - 100, 80.09, 67.20])
    assert colour.colour_difference(red, white, mask) == pytest.approx(expected, abs=0.3)
    assert colour.colour_difference(red, red, mask) == 0
    assert colour.colour_difference(red, white, ~mask) is None


@pytest.mark.parametrize(
    ("rgb", "tone"),
    [((236, 205, 184), "light"), ((200, 150, 115), "medium"), ((90, 58, 42), "dark")],
)
def test_tones_are_grouped(rgb: tuple[int, int, int], tone: str) -> None:
    picture = np.full((16, 16, 3), rgb, np.uint8)
    assert colour.skin_tone(picture, np.ones((16, 16), bool)) == tone


def test_irises_are_found_where_eyes_are_open(person: Portrait) -> None:
    mask = colour.iris_mask(person.points(SIDE), SIDE)
    parts, _, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    assert parts == 3  # the ground and two irises
    irises = person.points(SIDE)[[468, 473], :2]
    assert np.abs(np.sort(centres[1:], axis=0) - np.sort(irises, axis=0)).max() < 4
    assert stats[1:, cv2.CC_STAT_AREA].min() > 20
    closed = person.points(SIDE).copy()
    for eye in (shape.LEFT_EYE, shape.RIGHT_EYE):
        closed[list(eye), 1] = closed[list(eye), 1].mean()
    assert colour.iris_mask(closed, SIDE).sum() < 0.5 * mask.sum()
