"""Outlines and winks are judged."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.judge import less_open, overlap


def test_outlines_overlap_or_not() -> None:
    left, right = np.zeros((2, 8, 8), np.uint8)
    left[:, :4], right[:, 4:] = 255, 255
    assert overlap(left[None], left) == 1
    assert overlap(left[None], right) == 0
    assert overlap(np.maximum(left, right)[None], left) == 0.5
    assert overlap(left[None], np.kron(left, np.ones((4, 4), np.uint8))) == 1  # a larger picture's
    assert overlap(None, left) is None


def test_a_wink_is_judged_by_the_eye_that_is_shut() -> None:
    assert less_open(np.array([0.1, 0.4]), np.array([0.4, 0.4])) == pytest.approx(0.25)
    assert less_open(np.array([0.05, 0.4]), np.array([0.05, 0.4])) is None
