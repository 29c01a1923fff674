"""Eyes that are painted at the frame's own resolution."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.alignment import transform_points
from engines.faces.features import EYE, LOWER_LID, UPPER_LID, eye_iris
from engines.pictures import Image
from realtime.compositing import GRID
from realtime.frame import as_uint8
from realtime.toons.detail import Box
from realtime.toons.eyes.painting import paint_eyes
from realtime.toons.eyes.watch import EyeWatch
from tests.realtime.toons.conftest import SIDE
from tests.realtime.toons.seen import covered, placed, see


@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_an_eye_has_a_pupil_a_white_and_a_light(
    crop: tuple[Image, NDArray[np.float32]], angle: float
) -> None:
    image, points = crop
    side = 900
    toon = as_uint8(cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC))
    transform = placed(side, angle)
    spin = cv2.getRotationMatrix2D((side / 2, side / 2), -np.degrees(angle), 1.0)
    toon = as_uint8(cv2.warpAffine(toon, spin, (side, side)))
    eyes = see(image, points)
    assert min(eyes.trust) > 0.9
    drawn = paint_eyes(toon, eyes, Box(0, 0, side, side), transform)
    assert np.shares_memory(drawn, toon) is False
    grey = cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY)
    at = transform_points(eyes.points * GRID, transform)
    for eye in range(2):
        centre, ring = eye_iris(at, eye)
        radius = float(np.linalg.norm(at[ring] - at[centre], axis=1).mean())
        x, y = np.round(at[centre]).astype(int)
        reach = round(0.9 * radius)
        iris = grey[y - reach : y + reach, x - reach : x + reach]
        assert iris.min() < 25  # the pupil
        assert iris.max() > 215  # the light in it
    changed = np.abs(drawn.astype(int) - toon).max(-1) > 8
    hull = np.zeros((side, side), np.uint8)
    for eye in range(2):
        cv2.fillConvexPoly(hull, cv2.convexHull(np.round(at[EYE[eye]]).astype(np.int32)), 255)
    near = cv2.dilate(hull, np.ones((95, 95), np.uint8)) > 0  # with the skin below
    assert changed.any()
    assert not (changed & ~near).any()


def test_nothing_is_painted_over_a_hand_or_a_closed_lid(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    box, transform = Box(0, 0, SIDE, SIDE), placed(SIDE)
    for eye in range(2):
        eyes = see(covered(image, points, eye), points)
        assert eyes.trust[eye] < 0.05
        assert eyes.trust[1 - eye] > 0.9
    shut = points.copy()
    for upper, lower in zip(UPPER_LID, LOWER_LID, strict=True):
        shut[upper[1:-1], :2] = shut[lower[1:-1], :2]
    eyes = see(image, shut)
    assert max(eyes.open) == 0
    assert paint_eyes(image, eyes, box, transform) is image
    tiny = np.zeros((20, 20, 3), np.uint8)
    assert paint_eyes(tiny, see(image, points), Box(0, 0, 20, 20), placed(20)) is tiny


def test_both_eyes_of_a_turned_head_are_painted(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    eyes = see(image, points)
    turned = eyes.points.copy()
    inner = float(turned[UPPER_LID[1][-1], 0])
    far = [*EYE[1], eye_iris(turned, 1)[0], *eye_iris(turned, 1)[1]]
    turned[far, 0] = inner + 0.5 * (turned[far, 0] - inner)
    width = float(np.ptp(turned[EYE[1], 0]))
    side = round(10 / width)  # the far eye is 10 pixels wide, the near one about 20
    small = as_uint8(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA))
    drawn = paint_eyes(
        small, replace(eyes, points=turned, trust=(1.0, 1.0)), Box(0, 0, side, side), placed(side)
    )
    changed = np.abs(drawn.astype(int) - small).max(-1) > 8
    middles = np.round(turned[[ids[4] for ids in UPPER_LID]] * side).astype(int)
    for x, y in middles:
        assert changed[y - 2 : y + 8, x - 3 : x + 4].sum() > 6


def eyes_in(picture: Image, points: NDArray[np.float32]) -> list[Image]:
    """What lies between the lids of each eye of a picture of `SIDE`, grey."""
    found = []
    for ids in EYE:
        low, high = (points[ids, :2] * SIDE).min(0), (points[ids, :2] * SIDE).max(0)
        x0, y0, x1, y1 = np.round([*low, *high]).astype(int)
        found.append(as_uint8(cv2.cvtColor(picture[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)))
    return found


@pytest.mark.parametrize("half", [0, 1])
def test_both_lids_shut_where_the_network_leaves_half_an_eye(
    crop: tuple[Image, NDArray[np.float32]], half: int
) -> None:
    image, points = crop
    watch = EyeWatch()
    see(image, points, watch)
    drawn = covered(image, points, 1 - half)
    grey_eye = np.round(points[EYE[half], :2] * SIDE).astype(np.int32)
    cv2.fillPoly(drawn, [grey_eye], (120, 120, 120))
    blink = see(image, points, watch, time=1 / 30, toon=drawn)
    shut = paint_eyes(drawn, blink, Box(0, 0, SIDE, SIDE), placed(SIDE))
    for eye in eyes_in(shut, points):
        assert (eye < 70).mean() > 0.04  # a line of lashes
        assert (eye > 127).mean() > 0.5  # on skin, which is lighter than that grey
        assert eye.max() < 235  # without a white or a light


def test_no_lids_are_painted_on_a_hand_that_hides_both_eyes(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    watch, hand = EyeWatch(), image.copy()
    see(image, points, watch)
    top, bottom = (points[[10, 2], 1] * SIDE).astype(int)
    hand[top:bottom] = (120, 150, 205)
    hidden = see(hand, points, watch, time=1 / 30)
    assert paint_eyes(hand, hidden, Box(0, 0, SIDE, SIDE), placed(SIDE)) is hand


def test_skin_is_laid_under_an_eye_that_the_network_drew_badly(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    eyes, box = see(image, points), Box(0, 0, SIDE, SIDE)
    assert max(eyes.faint) == 0
    drawn = covered(image, points, 1)
    assert see(image, points, toon=drawn).faint[1] == 1
    at = points[EYE[1], :2] * SIDE
    beside = np.round(at[np.argmin(at[:, 1])] - (0, 2)).astype(int)  # above the upper lid
    smeared = image.copy()
    cv2.circle(smeared, beside.tolist(), 2, (90, 90, 90), -1)
    badly, well = (
        paint_eyes(smeared, replace(eyes, faint=(0.0, faint)), box, placed(SIDE))
        for faint in (1.0, 0.0)
    )
    area = slice(beside[1] - 2, beside[1]), slice(beside[0] - 1, beside[0] + 2)
    assert badly[area].mean() > well[area].mean() + 12


def test_a_doubtful_eye_is_not_half_painted(crop: tuple[Image, NDArray[np.float32]]) -> None:
    image, points = crop
    eyes, box = see(image, points), Box(0, 0, SIDE, SIDE)
    doubtful = replace(eyes, trust=(0.25, 0.25))
    assert paint_eyes(image, doubtful, box, placed(SIDE)) is image
    sure, nearly = (
        paint_eyes(image, replace(eyes, trust=(trust, trust)), box, placed(SIDE))
        for trust in (1.0, 0.75)
    )
    assert np.array_equal(sure, nearly)
    assert not np.array_equal(sure, image)


def test_an_eye_too_small_to_be_painted_stays_the_networks(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    eyes = replace(see(image, points), faint=(1.0, 1.0))
    tiny = eyes.points.copy()
    middle = tiny[EYE[1]].mean(0)
    far = [*EYE[1], eye_iris(tiny, 1)[0], *eye_iris(tiny, 1)[1]]
    tiny[far] = middle + 0.1 * (tiny[far] - middle)
    drawn = paint_eyes(image, replace(eyes, points=tiny), Box(0, 0, SIDE, SIDE), placed(SIDE))
    x, y = np.round(middle * SIDE).astype(int)
    about = slice(y - 6, y + 7), slice(x - 6, x + 7)
    assert np.array_equal(drawn[about], image[about])
    assert not np.array_equal(drawn, image)  # the other one is painted


def test_eyes_are_as_soft_as_the_photo(crop: tuple[Image, NDArray[np.float32]]) -> None:
    image, points = crop
    eyes, box = see(image, points), Box(0, 0, SIDE, SIDE)
    sharp, soft = (
        paint_eyes(image, replace(eyes, soft=deviation / SIDE), box, placed(SIDE))
        for deviation in (0.0, 1.5)
    )
    for first, second in zip(eyes_in(sharp, points), eyes_in(soft, points), strict=True):
        slopes = [np.abs(np.diff(eye.astype(int), axis=1)).max() for eye in (first, second)]
        assert slopes[1] < 0.6 * slopes[0]
        assert second.mean() == pytest.approx(first.mean(), rel=0.1)
    changed = (sharp != image).any(-1)
    near = cv2.dilate(changed.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.array_equal(soft[~near], image[~near])
