"""The colours about the eyes of a toon."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.pictures import Image
from realtime.frame import as_uint8
from realtime.toons.detail import Box
from realtime.toons.eyes.painting import paint_eyes
from realtime.toons.eyes.watch import EyeWatch
from tests.realtime.toons.seen import BLUE, BROWN, placed, see, with_eyes


def test_who_goes_away_from_the_camera_keeps_the_eyes_colour(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    blue, watch = with_eyes(image, points, BLUE), EyeWatch()
    near = see(blue, points, watch).paint.tones.middle
    for frame in range(1, 100):
        far = see(blue, points, watch, time=0.3 * frame, zoom=0.3).paint.tones.middle
    assert np.abs(far - near).max() < 0.03


def test_the_iris_keeps_its_colour_and_both_have_one(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop

    blue, brown = (with_eyes(image, points, colour) for colour in (BLUE, BROWN))
    watch = EyeWatch()
    known = see(blue, points, watch).paint.tones.middle
    assert known[2] > known[0] + 0.1
    assert see(brown, points).paint.tones.middle[0] > see(brown, points).paint.tones.middle[2]
    after = see(brown, points, watch, time=0.03).paint.tones.middle  # one odd frame
    assert np.abs(after - known).max() < np.abs(see(brown, points).paint.tones.middle - known).max()
    far = see(blue, points, zoom=0.1).paint.tones.middle  # too small to have a colour
    assert far[0] > far[2]


def test_lashes_are_as_strong_as_the_persons(
    crop: tuple[Image, NDArray[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    image, points = crop
    found = []
    for strength in (0.25, 1.0):
        monkeypatch.setattr("realtime.toons.eyes.colours.lash_strength", lambda head, s=strength: s)
        found.append(see(image, points).paint.lashes)
    assert found[1] > 2 * found[0]


def test_eyes_are_lighter_in_a_milky_picture(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    darkest = []
    for haze in (0, 110):  # of 255
        milky = as_uint8(haze + image * ((255 - haze) / 255))
        side, eyes = 400, see(milky, points)
        frame = as_uint8(cv2.resize(milky, (side, side)))
        drawn = paint_eyes(frame, eyes, Box(0, 0, side, side), placed(side))
        changed = np.abs(drawn.astype(int) - frame).max(-1) > 8
        darkest.append(float(np.percentile(drawn[changed], 1)))
    assert darkest[0] < 25
    assert 40 < darkest[1] < 110


def test_light_goes_through_dark_irises_and_light_ones_stay(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    brown = see(image, points).paint.tones
    assert brown.light.mean() > 1.9 * brown.middle.mean()
    assert brown.light[0] > 1.3 * brown.light[1] > 1.3 * brown.light[2]  # amber
    blue = see(with_eyes(image, points, BLUE), points).paint.tones
    assert blue.light.mean() < 1.8 * blue.middle.mean()


def test_in_a_grey_room_brown_eyes_do_not_glow(crop: tuple[Image, NDArray[np.float32]]) -> None:
    image, points = crop
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    dim = as_uint8(cv2.addWeighted(image, 0.35, grey, 0.65, 0))
    warm, cold = (see(image, points, toon=toon).paint.tones.middle for toon in (image, dim))
    assert np.ptp(cold) < 0.75 * np.ptp(warm)
    assert cold[0] > cold[2]  # still brown
