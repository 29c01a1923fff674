"""The eyes in landmarks."""

from __future__ import annotations

import pytest

from engines.faces.features import aperture, eye_iris, openness
from tests.engines.faces.drawn import eye_landmarks


@pytest.mark.parametrize("gap", [0.05, 0.2, 0.4])
def test_the_opening_is_measured_in_widths(gap: float) -> None:
    assert aperture(eye_landmarks(200, gap=gap)) == pytest.approx((gap, gap), rel=0.1)


def test_eyes_are_open_or_closed_or_one_of_each() -> None:
    wide, shut = eye_landmarks(200, gap=0.35), eye_landmarks(200, gap=0.03)
    assert openness(wide) == (1, 1)
    assert openness(shut) == (0, 0)
    half = wide.copy()
    half[[159, 160, 158, 161, 157], 1] = half[[145, 144, 153, 163, 154], 1]
    assert openness(half) == (0, 1)


def test_an_iris_belongs_to_the_nearer_eye() -> None:
    points = eye_landmarks(200)
    assert [eye_iris(points, eye)[0] for eye in range(2)] == [468, 473]
    swapped = points.copy()
    swapped[468:473], swapped[473:478] = points[473:478], points[468:473]
    assert [eye_iris(swapped, eye)[0] for eye in range(2)] == [473, 468]
