"""What is expected of a face that moves, and which face may be the one expected."""

from __future__ import annotations

import numpy as np
import pytest

from engines.faces.landmarker import FaceLandmarks
from realtime.faces.smoothing import FaceFilter, SmoothingSettings
from realtime.faces.track import Track, plausible


def found(x: float, y: float = 100.0, size: float = 80.0) -> FaceLandmarks:
    """A face whose box has its centre at (x, y)."""
    corners = np.array([[x - size / 2, y - size / 2, 0], [x + size / 2, y + size / 2, 0]])
    return FaceLandmarks(corners.astype(np.float32))


@pytest.fixture
def track() -> Track:
    return Track(1, found(100), 0.0, FaceFilter(SmoothingSettings()))


def test_a_steady_motion_is_learnt_and_carried_on_for_a_tenth_of_a_second(track: Track) -> None:
    for k in range(1, 31):
        track.accept(found(100 + 10 * k), k / 30)
    np.testing.assert_allclose(track.velocity, (300, 0), rtol=0.01)
    assert track.expected(1 + 1 / 30)[0] == pytest.approx(track.box[0] + 10, abs=0.2)
    np.testing.assert_array_equal(track.drift(1.1), track.drift(9.0))
    assert track.surprise < 1


def test_a_face_that_was_another_is_taken_back(track: Track) -> None:
    track.accept(found(104), 1 / 30)
    box, velocity = track.box.copy(), track.velocity.copy()
    track.accept(found(190), 2 / 30)
    assert track.age_frames == 0
    track.revert()
    np.testing.assert_array_equal(track.box, box)
    np.testing.assert_array_equal(track.velocity, velocity)
    assert (track.time, track.age_frames, track.surprise) == (1 / 30, 1, 0.0)


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        (found(110), True),
        (found(100, size=120), True),
        (found(100, size=170), False),
        (found(100, size=38), False),
        (found(300), False),
    ],
    ids=["near", "larger", "twice-as-large", "half-as-large", "far"],
)
def test_a_plausible_face_is_near_and_of_like_size(face: FaceLandmarks, expected: bool) -> None:
    assert plausible(face, found(100).box) == expected
