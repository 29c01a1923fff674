"""Where lips are, column by column."""

from __future__ import annotations

import numpy as np
import pytest

from engines.faces.head import INNER_LIPS, LIPS
from realtime.toons.mouth.shape import MouthShape, halves, mouth_width
from tests.realtime.toons.mouth.drawings import MOUTH, SIDE, landmarks


def shape(gap: float = 0.0, aside: float = 0.0) -> MouthShape:
    """A mouth whose middle is `aside`, in shares of its width."""
    points = landmarks(gap) * np.float32(SIDE)
    width = mouth_width(points[LIPS])
    points[[13, 14], 0] += aside * width
    return MouthShape(points[LIPS], points[INNER_LIPS], (SIDE, SIDE))


def test_curves_lie_above_one_another_and_meet_at_the_corners() -> None:
    mouth = shape(0.04)
    inside = np.abs(mouth.along) < 0.8
    for above, below in (
        (mouth.top, mouth.upper),
        (mouth.upper, mouth.lower),
        (mouth.lower, mouth.bottom),
    ):
        assert (above < below)[inside].all()
    corner = round(float(mouth.columns(np.array([1.0], np.float32))[0]))
    assert mouth.bottom[corner] - mouth.top[corner] < 0.1 * mouth.width
    assert mouth.width == pytest.approx(0.22 * SIDE, rel=0.01)
    assert mouth.tall == pytest.approx(0.04 / 0.22, rel=0.1)
    assert shape().tall < 0.01


@pytest.mark.parametrize("aside", [0.0, 0.15])
def test_places_along_a_mouth_go_from_corner_to_corner_by_its_middle(aside: float) -> None:
    mouth = shape(aside=aside)
    left, middle, right = mouth.columns(np.array([-1, 0, 1], np.float32))
    assert left == pytest.approx((MOUTH[0] - 0.11) * SIDE, abs=0.5)
    assert right == pytest.approx((MOUTH[0] + 0.11) * SIDE, abs=0.5)
    assert middle == pytest.approx(MOUTH[0] * SIDE + aside * mouth.width, abs=0.5)
    assert mouth.along[round(float(middle))] == pytest.approx(0, abs=0.03)
    assert mouth.along[round(float(right))] == pytest.approx(1, abs=0.03)


def test_rounded_lips_are_as_thick_and_symmetric_where_landmarks_are_rough() -> None:
    rough = landmarks() * np.float32(SIDE)
    rough[LIPS[2], 1] += 0.02 * SIDE  # of the lower rim
    mouth = MouthShape(rough[LIPS], rough[INNER_LIPS], (SIDE, SIDE))
    top, bottom = mouth.rounded()
    at, twin = (int(v) for v in mouth.columns(np.array([-0.8, 0.8], np.float32)))
    before = abs(float(mouth.bottom[at] - mouth.bottom[twin]))
    after = abs(float(bottom[at] - bottom[twin]))
    assert before > 3
    assert after < 0.75 * before
    middle = int(mouth.columns(np.array([0], np.float32))[0])
    assert bottom[middle] == pytest.approx(mouth.bottom[middle], abs=2)
    assert (top <= mouth.upper).all()


def test_both_halves_of_an_outline_share_their_corners() -> None:
    upper, lower = halves(landmarks()[LIPS])
    assert len(upper) == len(lower) == 11
    for corner in ((upper[0], lower[-1]), (upper[-1], lower[0])):
        assert np.array_equal(*corner)
    assert upper[5, 1] < lower[5, 1]
