"""What is known of eyes over time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.faces.features import EYE, LOWER_LID, UPPER_LID, eye_iris
from engines.pictures import Image
from realtime.toons.eyes.watch import EyeWatch
from tests.realtime.toons.seen import covered, see, with_height


def test_an_eye_that_the_network_lost_is_known_by_its_twin(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    for eye in range(2):
        assert min(see(image, points, toon=covered(image, points, eye)).trust) > 0.9
    assert max(see(image, points, toon=np.full_like(image, 128)).trust) < 0.05


def test_a_hand_comes_and_goes_softly(crop: tuple[Image, NDArray[np.float32]]) -> None:
    image, points = crop
    watch = EyeWatch()
    hidden = covered(image, points, 0)
    see(image, points, watch)
    first = see(hidden, points, watch, time=1 / 30).trust[0]
    assert 0.5 < first < 1
    for frame in range(2, 60):
        last = see(hidden, points, watch, time=frame / 30).trust[0]
    assert last < 0.02
    watch.forget()
    assert see(hidden, points, watch, time=3.0).trust[0] < 0.05  # a new person begins at once


def test_both_eyes_look_at_one_thing(crop: tuple[Image, NDArray[np.float32]]) -> None:
    image, points = crop
    squint = points.copy()
    centre, ring = eye_iris(points, 0)
    width = float(np.ptp(points[EYE[0], 0]))
    squint[[centre, *ring], 0] += 0.2 * width
    left, right = (see(image, p).points[:, 0] for p in (points, squint))
    other = eye_iris(points, 1)[0]
    moved = right - left
    assert moved[centre] == pytest.approx(0.2 * width * 0.575, rel=0.15)
    assert moved[other] == pytest.approx(0.2 * width * 0.425, rel=0.15)


def test_lids_are_set_lower_in_narrow_eyes_and_not_in_a_blink_of_round_ones(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    round_, narrow, half = (with_height(points, ratio) for ratio in (0.55, 0.33, 0.40))
    assert see(image, narrow).narrow == pytest.approx((1, 1), abs=0.05)
    watch = EyeWatch()
    for frame in range(-60, 0):
        assert see(image, round_, watch, time=frame / 30).narrow == (0, 0)
    for frame in range(6):
        blink = see(image, half, watch, time=frame / 30)
        assert max(blink.narrow) < 0.05
    assert min(see(image, half).narrow) > 0.3  # of somebody whose eyes are always so
    for frame in range(6, 300):  # who laughs for ten seconds has narrow eyes
        laugh = see(image, half, watch, time=frame / 30)
    assert laugh.narrow == pytest.approx(see(image, half).narrow, abs=0.1)


def test_who_is_first_seen_in_a_blink_has_round_eyes_soon(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    watch = EyeWatch()
    assert min(see(image, with_height(points, 0.33), watch).narrow) > 0.9
    for frame in range(1, 16):
        after = see(image, with_height(points, 0.55), watch, time=frame / 30)
    assert max(after.narrow) < 0.05


def test_a_blink_does_not_make_an_eye_doubtful(crop: tuple[Image, NDArray[np.float32]]) -> None:
    image, points = crop
    shut = points.copy()
    for upper, lower in zip(UPPER_LID, LOWER_LID, strict=True):
        shut[upper[1:-1], :2] = shut[lower[1:-1], :2]
    watch = EyeWatch()
    see(image, points, watch)
    for frame in range(1, 10):
        blink = see(image, shut, watch, time=frame / 30)
    assert max(blink.open) == 0
    assert min(see(image, points, watch, time=10 / 30).trust) > 0.9


def test_a_blink_too_quick_for_the_landmarks_is_not_painted_open(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    watch, drawn_shut = EyeWatch(), covered(covered(image, points, 0), points, 1)
    see(image, points, watch)
    for frame in range(1, 6):
        blink = see(image, points, watch, time=frame / 30, toon=drawn_shut)
        assert max(blink.looks(eye) for eye in range(2)) == 0
    after = see(image, points, watch, time=0.2)
    assert min(after.looks(eye) for eye in range(2)) == 1
    assert min(after.trust) > 0.9


def test_narrow_eyes_shut_together_and_a_wink_does_not(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    narrow, wink = with_height(points, 0.06), with_height(points, 0.02)
    left = [*UPPER_LID[0], *LOWER_LID[0]]
    narrow[left] = with_height(points, 0.13)[left]
    wink[left] = with_height(points, 0.35)[left]
    together = see(image, narrow).open
    assert together[0] == pytest.approx(together[1])
    assert see(image, wink).open == pytest.approx((1.0, 0.0), abs=0.05)


def test_who_is_first_seen_in_a_blink_has_no_eyes_that_are_drawn_badly(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    watch = EyeWatch()
    see(image, with_height(points, 0.01), watch)
    assert max(see(image, points, watch, time=1 / 30).faint) < 0.05


def test_half_shut_eyes_of_a_turned_head_are_no_wink(
    crop: tuple[Image, NDArray[np.float32]],
) -> None:
    image, points = crop
    turned = with_height(points, 0.07)
    far = [*UPPER_LID[1], *LOWER_LID[1]]
    inner = float(turned[UPPER_LID[1][-1], 0])
    turned[far, 0] = inner + 0.4 * (turned[far, 0] - inner)
    together = see(image, turned).open
    assert together[0] == pytest.approx(together[1], abs=0.05)
