from __future__ import annotations

import numpy as np
import pytest

from realtime.faces.face import TrackedFace
from realtime.faces.hints import face_hints
from realtime.web.photo.tips import NOBODY, FaceReport, report, summary
from tests.realtime.fakes import marked_face


def face(side: float, yaw: float = 0.0, luma: float = 120.0) -> TrackedFace:
    quad = np.array([[0, 0], [0, side], [side, side], [side, 0]], np.float32)
    landmarks = np.array([[side / 4, side / 4, 0], [side / 2, side / 2, 0]], np.float32)
    hints = face_hints(side, yaw, 0.0, luma)
    return TrackedFace(0, landmarks, quad, yaw=yaw, hints=hints)


def test_a_good_face_needs_no_tip() -> None:
    made = report(face(600), (1200, 600))
    assert (made.size, made.tips) == (600, ())
    assert made.box == pytest.approx((0.125, 0.25, 0.25, 0.5))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (face(96), "With 96 pixels it is small: below 128"),
        (face(600, yaw=-62), "turned away by 62 degrees"),
        (face(600, luma=20), "in the dark"),
    ],
)
def test_a_tip_says_what_is_wrong_and_what_to_do(bad: TrackedFace, words: str) -> None:
    (tip,) = report(bad, (1200, 600)).tips
    assert words in tip
    assert "Give a " in tip


def test_hints_are_told_apart_from_people_in_front_of_a_camera() -> None:
    assert report(marked_face(), (320, 240)).tips == ()


def test_the_whole_photo_is_one_sentence() -> None:
    def sized(*sizes: int) -> list[FaceReport]:
        return [FaceReport((0, 0, 1, 1), size, ()) for size in sizes]

    assert summary([], 0) == NOBODY
    assert summary(sized(600), 1) == "1 face, 600 pixels."
    assert summary(sized(300), 1) == "1 face, 300 pixels; 512 is best."
    assert summary(sized(300, 100), 2) == "2 faces, 100 to 300 pixels; 512 is best."
    assert summary(sized(*[200] * 17), 16).startswith("17 faces were found; 16 of them")
