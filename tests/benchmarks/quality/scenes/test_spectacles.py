"""A frame drawn on a face is seen as far as it is there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.quality.portraits import FULL, Portrait
from benchmarks.quality.scenes.spectacles import black_frame, frame_shown
from tests.benchmarks.conftest import SIDE


def test_a_drawn_on_frame_is_seen_whole_half_or_not_at_all(person: Portrait) -> None:
    frame, bare = black_frame(person, SIDE), person.crop(SIDE)
    assert np.array_equal(frame.opacity, black_frame(person, SIDE).opacity)
    worn = frame.over(bare)
    assert frame_shown(bare, worn, frame) == pytest.approx(1)
    assert frame_shown(bare, bare, frame) == 0
    faded = cv2.addWeighted(worn, 0.5, bare, 0.5, 0).astype(np.uint8, copy=False)
    assert frame_shown(bare, faded, frame) == pytest.approx(0.5, abs=0.02)
    beside = cv2.warpAffine(
        frame.opacity, np.array([[1, 0, 12], [0, 1, 12]], np.float32), (SIDE, SIDE)
    )
    elsewhere = frame._replace(opacity=beside[..., None].astype(np.float32, copy=False)).over(bare)
    assert frame_shown(bare, elsewhere, frame) < 0.5
    drawn_at_512 = cv2.resize(black_frame(person, FULL).opacity, (SIDE, SIDE))
    assert np.abs(drawn_at_512 - frame.opacity[..., 0]).mean() < 0.01
