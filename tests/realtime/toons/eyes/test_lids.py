"""Skin over an eye, and lids that are shut."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engines.faces.eyes.shape import EyeShape
from realtime.toons.eyes.lids import (
    MEETS,
    REACH,
    covered,
    half_shut,
    paint_shut_eye,
    shut,
)
from tests.engines.faces.drawn import PAINT, SIZE, eye_landmarks, grey
from tests.engines.faces.drawn import SKIN as BARE

SKIN = np.array([0.8, 0.62, 0.55], np.float32)


def drawn(shape: EyeShape) -> np.ndarray:
    """Skin that grows darker downwards, with a grey eye and a wall beside it."""
    light = np.linspace(1.05, 0.85, SIZE, dtype=np.float32)[:, None, None]
    picture = np.ones((SIZE, SIZE, 3), np.float32) * light * SKIN
    eye = np.round(np.concatenate([shape.upper, shape.lower[::-1]])).astype(np.int32)
    cv2.fillPoly(picture, [eye], (0.4, 0.4, 0.45))
    return picture


def test_an_eye_lies_under_the_skin_about_it() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    before = drawn(shape)
    after = covered(before, shape, SKIN)
    inside = shape.opening((SIZE, SIZE)) > 0.5
    light = np.linspace(1.05, 0.85, SIZE, dtype=np.float32)[:, None, None]
    bare = np.ones_like(before) * light * SKIN
    assert np.abs(after - bare)[inside].max() < 0.06
    left, top, right, bottom = shape.box(REACH)
    away = np.ones((SIZE, SIZE), bool)
    away[top:bottom, left:right] = False
    assert np.array_equal(after[away], before[away])
    assert np.abs(before[inside] - bare[inside]).max() > 0.2  # it was there


@pytest.mark.parametrize("turn", [0.0, 0.7, 3.1])
def test_leftovers_are_covered_below_an_eye_and_its_upper_lid_stays(turn: float) -> None:
    spin = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), np.degrees(turn), 1.0)
    points = eye_landmarks(SIZE)
    points[:, :2] = points[:, :2] @ spin[:, :2].T + spin[:, 2]
    right = np.array([np.cos(turn), -np.sin(turn)], np.float32)
    shape = EyeShape.of(points, 0, 1.0, right)
    before = np.ones((SIZE, SIZE, 3), np.float32) * SKIN
    down, middle = np.array([-right[1], right[0]]), (shape.lower[4] + shape.upper[4]) / 2
    gap = float(np.linalg.norm(shape.lower[4] - shape.upper[4])) / 2
    spots = [middle + side * (gap + 0.05 * shape.width) * down for side in (1, -1)]
    for spot in spots:
        cv2.circle(before, np.round(spot).astype(int).tolist(), 1, (0.2, 0.2, 0.3), -1)
    after = covered(before, shape, SKIN, above=0.0)
    (x, y), (i, j) = (np.round(spot).astype(int) for spot in spots)
    assert np.abs(after[y, x] - SKIN).max() < 0.08
    assert np.array_equal(after[j, i], before[j, i])
    assert np.abs(covered(before, shape, SKIN)[j, i] - SKIN).max() < 0.08


def test_bags_below_an_eye_are_smoothed_and_rims_of_spectacles_stay() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    low, middle = float(shape.lower[4, 1]), round(float(shape.lower[4, 0]))
    bag, rim = (round(low + way * shape.width) for way in (0.16, 0.26))
    plain = np.ones((SIZE, SIZE, 3), np.float32) * SKIN
    tired, framed = plain.copy(), plain.copy()
    tired[bag : bag + 4, middle - 12 : middle + 12] *= 0.85
    framed[rim : rim + 4, middle - 30 : middle + 30] = (0.1, 0.1, 0.1)
    before, after = (picture[bag + 2, middle] for picture in (tired, covered(tired, shape, SKIN)))
    assert (SKIN - after).max() < 0.75 * (SKIN - before).max()
    assert covered(framed, shape, SKIN)[rim + 2, middle].max() < 0.25


def test_a_wall_beside_the_face_is_no_skin() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    before = drawn(shape)
    edge = round(float(shape.upper[:, 0].min()) - 0.10 * shape.width)
    before[:, :edge] = (0.2, 0.3, 0.9)
    after = covered(before, shape, SKIN)
    inside = shape.opening((SIZE, SIZE)) > 0.5
    assert (after[inside, 0] > after[inside, 2]).all()  # nowhere blue


@pytest.mark.parametrize("gap", [0.12, 0.005])
def test_shut_lids_meet_near_the_lower_one_and_hang(gap: float) -> None:
    shape = EyeShape.of(eye_landmarks(SIZE, gap=gap), 0, 1.0)
    closed = shut(shape)
    assert np.array_equal(closed.upper, closed.lower)
    assert closed.open == 0
    assert np.allclose(closed.upper[[0, -1]], shape.upper[[0, -1]], atol=0.01 * shape.width)
    chord = (closed.upper[0] + closed.upper[-1]) / 2
    assert 0.06 < (closed.upper[4] - chord)[1] / shape.width < 0.17
    assert 0 < MEETS < 1
    turned = shut(replace(shape, right=np.array([-1, 0], np.float32)))  # upside down
    assert turned.upper[4, 1] < chord[1]


def test_a_half_shut_eye_is_lower_by_its_upper_lid() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    half = half_shut(shape, 0.5)
    assert half.height == pytest.approx(0.5 * shape.height, rel=0.05)
    assert half.upper[4, 1] - shape.upper[4, 1] > 2 * (shape.lower[4, 1] - half.lower[4, 1])
    assert half_shut(shape, 1.0) is shape
    assert np.allclose(half_shut(shape, 0.0).upper, shut(shape).upper)


def test_a_shut_eye_is_a_tapered_line_on_skin() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE, gap=0.01), 0, 0.0)
    drawn = grey(paint_shut_eye(BARE, shape, PAINT))
    columns = np.nonzero(drawn < 0.35)[1]
    left, right = shape.upper[[0, -1], 0]
    assert 0.75 * (right - left) < np.ptp(columns) < 1.1 * (right - left)
    thick = np.bincount(columns - columns.min())
    assert thick.max() >= 3
    assert thick[-1] < thick.max()  # thins towards the nose
    above, below = (drawn[round(float(shape.upper[4, 1]) + way * 8), SIZE // 3] for way in (-1, 1))
    assert above <= below  # the lid is round
    assert paint_shut_eye(BARE, shape.moved(-2 * SIZE, 0), PAINT) is BARE


def test_the_roundness_of_a_lid_ends_within_its_box() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE, gap=0.01), 0, 0.0)
    changed = np.abs(paint_shut_eye(BARE, shape, PAINT) - BARE).max(-1)
    left, top, right, bottom = shut(shape).box(0.40)
    assert changed[top + 1 : bottom - 1, left + 1].max() < 0.004
    assert changed[top + 1, left + 1 : right - 1].max() < 0.004
    assert changed.max() > 0.2


def test_more_is_covered_about_lids_that_are_shut() -> None:
    half = EyeShape.of(eye_landmarks(SIZE, gap=0.30), 0, 1.0)
    closed = EyeShape.of(eye_landmarks(SIZE, gap=0.01), 0, 0.0)
    before = drawn(half)  # what a network left, while the landmarks say shut
    inside = half.opening((SIZE, SIZE)) > 0.5
    light = np.linspace(1.05, 0.85, SIZE, dtype=np.float32)[:, None, None]
    off = np.abs(covered(before, closed, SKIN) - np.ones_like(before) * light * SKIN)
    assert off[inside].mean() < 0.06


@pytest.mark.parametrize("angle", [0.0, 1.2, 1.6, 3.1])
def test_a_lid_is_round_above_its_lashes_however_the_head_is_turned(angle: float) -> None:
    shape = EyeShape.of(eye_landmarks(SIZE, gap=0.01), 0, 0.0)
    cos, sin = np.cos(angle), np.sin(angle)
    spin = np.array([[cos, sin], [-sin, cos]], np.float32)  # for rows of points
    middle = np.array([SIZE / 2, SIZE / 2], np.float32)
    upper, lower = ((curve - middle) @ spin + middle for curve in (shape.upper, shape.lower))
    right = np.array([cos, sin], np.float32)
    turned = shut(replace(shape, upper=upper, lower=lower, right=right))
    changed = np.abs(paint_shut_eye(BARE, turned, PAINT) - BARE).max(-1)
    down = np.array([-sin, cos])
    above, below = (
        np.round(turned.upper[4] + way * 0.2 * shape.width * down).astype(int) for way in (-1, 1)
    )
    assert changed[above[1], above[0]] > 0.03
    assert changed[below[1], below[0]] < 0.01


def test_skin_laid_below_an_eye_meets_what_is_about_it_without_a_seam() -> None:
    shape = EyeShape.of(eye_landmarks(SIZE), 0, 1.0)
    middle = float(shape.upper[4, 0])
    columns = np.arange(SIZE, dtype=np.float32)
    light = 0.75 + 0.35 / (1 + np.exp((columns - middle) / (0.15 * shape.width)))  # from one side
    before = np.ones((SIZE, SIZE, 3), np.float32) * SKIN * light[None, :, None].astype(np.float32)
    after = covered(before, shape, SKIN, above=0.0)
    changed = np.abs(after - before).max(-1)
    below = round(float(shape.lower[4, 1]) + 0.12 * shape.width)
    row = slice(round(middle - 0.45 * shape.width), round(middle + 0.45 * shape.width))
    assert changed[below, row].max() < 0.045
    assert changed.max() < 0.07
