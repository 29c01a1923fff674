"""Something lies before one eye, and the other stays free."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.portraits import Portrait
from benchmarks.quality.scenes.covered import cover
from engines.faces.eyes.shape import EyeShape
from tests.benchmarks.conftest import SIDE


def test_one_eye_is_covered_and_the_other_one_is_free(person: Portrait) -> None:
    covered = cover(person, SIDE)
    assert covered is not None
    again = cover(person, SIDE)
    assert again is not None
    assert np.array_equal(covered.crop, again.crop)
    changed = np.abs(covered.crop.astype(int) - person.crop(SIDE)).max(-1) > 3
    for eye, least, most in ((covered.eye, 0.75, 1.0), (1 - covered.eye, 0.0, 0.15)):
        opening = EyeShape.of(person.points(SIDE), eye, 1.0).opening((SIDE, SIDE)) > 0.5
        assert least <= changed[opening].mean() <= most


def test_who_cannot_be_covered_is_left_out(
    person: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.quality.scenes.covered.COVERED", 1.1)
    assert cover(person, SIDE) is None
