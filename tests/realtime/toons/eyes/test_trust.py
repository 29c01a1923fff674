"""How surely an eye is seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.alignment import transform_points
from engines.faces.features import EYE
from engines.pictures import Image
from realtime.toons.eyes.trust import awake, likeness, pair_of, trust
from tests.realtime.toons.conftest import SIDE


@pytest.mark.parametrize("angle", [0, 30])
def test_two_eyes_are_alike_and_a_hand_and_an_eye_are_not(
    face_crop: tuple[Image, NDArray[np.float32]], angle: float
) -> None:
    image, points = face_crop
    spin = np.asarray(cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, 1.0), np.float64)
    image = np.asarray(cv2.warpAffine(image, spin, (SIDE, SIDE)), np.uint8)
    points = (transform_points(points[:, :2] * SIDE, spin) / SIDE).astype(np.float32)
    assert likeness(pair_of(image, points)) > 0.6
    hand, at = image.copy(), points[EYE[0], :2] * SIDE
    middle, reach = at.mean(0).astype(int), round(0.9 * np.ptp(at, axis=0).max())
    cv2.circle(hand, (int(middle[0]), int(middle[1])), reach, (140, 170, 220), -1)
    assert likeness(pair_of(hand, points)) < 0.4


SAME = [1.0, 1.0]  # widths of eyes that are seen from the front


def test_an_eye_is_believed_that_the_photo_or_the_toon_shows_well() -> None:
    assert trust([0.3, 0.3], [0.2, 0.2], 0.6, SAME).min() == 1
    assert trust([0.2, 0.0], [0.2, 0.1], 0.3, SAME)[1] == 1  # the far eye of a turned head
    assert trust([0.3, 0.0], [0.2, 0.0], 0.8, SAME)[1] == 1  # not drawn, but the photo has its twin
    assert (
        trust([0.4, 0.4], [0.2, -0.1], 0.0, SAME).min() == 1
    )  # in the sun's hard shade, but drawn
    assert trust([0.3, 0.1], [0.2, 0.0], 0.1, SAME)[1] == 0  # half an eye drawn on a hand
    assert trust([0.0, 0.0], [0.0, 0.0], 0.9, SAME).max() == 0  # dark glasses


def test_the_near_eye_of_a_turned_head_is_believed_but_not_a_hand_before_it() -> None:
    faint = [0.25, 0.07], [0.17, 0.0], -0.1
    assert trust(*faint, [1.0, 2.2]).min() == 1
    assert trust(*faint, [2.2, 1.0])[1] == 0  # the far one
    assert trust(*faint, [1.0, 1.4])[1] == 0  # hardly turned
    assert trust([0.3, -0.05], [0.2, -0.05], 0.0, [1.0, 2.2])[1] == 0  # a hand
    assert trust([0.1, 0.07], [-0.05, 0.0], -0.1, [1.0, 2.2])[1] == 0  # the far one is not seen


def test_eyes_that_are_drawn_shut_are_shut() -> None:
    assert awake([0.0, -0.1]) == 0
    assert awake([0.0, 0.2]) == 1  # a wink, or a far eye
