"""Photos in which eyes close and mouths open."""

from __future__ import annotations

import numpy as np

from benchmarks.quality import shape
from benchmarks.quality.portraits import Portrait
from benchmarks.quality.scenes import moves
from engines.faces.landmarker import Landmarker
from tests.benchmarks.conftest import SIDE


def test_eyes_close_and_mouths_open(person: Portrait, landmarker: Landmarker) -> None:
    crop, points = person.crop(SIDE), person.points(SIDE)
    eyes, mouths = [], []
    for amount in moves.steps(4):
        closed = landmarker.detect(moves.close_eyes(crop, points, amount))[0].points
        opened = landmarker.detect(moves.open_mouth(crop, points, amount))[0].points
        eyes.append(shape.eye_opening(closed))
        mouths.append(shape.mouth_opening(opened))
    assert (np.diff(eyes) < 0).all()
    assert eyes[-1] < 0.7 * eyes[0]
    assert (np.diff(mouths) > 0).all()
    assert mouths[-1] > mouths[0] + 0.04


def test_no_movement_leaves_the_photo(person: Portrait) -> None:
    crop, points = person.crop(SIDE), person.points(SIDE)
    assert np.abs(moves.open_mouth(crop, points, 0).astype(int) - crop).max() <= 1
