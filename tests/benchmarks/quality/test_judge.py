"""Outlines, winks and toons are judged."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from benchmarks.quality.judge import Judge, _covered, less_open, overlap
from benchmarks.quality.portraits import Portrait, resize
from benchmarks.quality.scenes.covered import Covered
from engines.backends import EngineOutput
from engines.faces.eyes.paint import EyePaint
from engines.faces.features import EYE
from engines.finish import Finish
from engines.networks.toon import ToonNetwork
from realtime.sources.sitters import portrait
from realtime.toons.detail import sharpened
from realtime.toons.eyes.painting import Eyes
from tests.benchmarks.conftest import SIDE


def test_outlines_overlap_or_not() -> None:
    left, right = np.zeros((2, 8, 8), np.uint8)
    left[:, :4], right[:, 4:] = 255, 255
    assert overlap(left, left) == 1
    assert overlap(left, right) == 0
    assert overlap(np.maximum(left, right), left) == 0.5
    assert overlap(left, np.kron(left, np.ones((4, 4), np.uint8))) == 1  # a larger picture's
    assert overlap(None, left) is None


def test_a_wink_is_judged_by_the_eye_that_is_shut() -> None:
    assert less_open(np.array([0.1, 0.4]), np.array([0.4, 0.4])) == pytest.approx(0.25)
    assert less_open(np.array([0.05, 0.4]), np.array([0.05, 0.4])) is None


def test_toons_are_judged_as_users_see_them() -> None:
    class Still:
        """An engine whose toon is the crop, in a style whose eyes are painted or not."""

        name, device, precision, build_seconds = "still", "cpu", "fp32", 0.0
        input_size = output_size = 256
        max_batch = 2

        def __init__(self, finish: Finish) -> None:
            self.finish = finish

        def run(self, crops: np.ndarray) -> EngineOutput:
            heads = np.full((len(crops), 8, 8), 255, np.uint8)
            map_ = np.zeros((len(crops), 3, 8, 8), np.float32)
            return EngineOutput(crops.copy(), heads, map_, self.finish)

        def update(self, network: ToonNetwork) -> None:
            raise NotImplementedError

        def close(self) -> None:
            pass

    face = resize(np.ascontiguousarray(portrait()[:512, :512, ::-1]), 256)
    crisp = sharpened(np.ascontiguousarray(face[..., ::-1]))[..., ::-1]  # as light, of BGR
    empty = np.full_like(face, 128)  # without a face there is nothing to paint
    for painted, inked in ((False, False), (True, False), (False, True)):
        judge = Judge(Still(Finish(painted, inked)))
        try:
            found = judge.points(face)
            results = judge.drawn([face, empty, face])
        finally:
            judge.close()
        assert found is not None
        assert [head is not None for _, head in results] == [True] * 3
        assert np.array_equal(results[1][0], empty)
        assert np.array_equal(results[0][0], results[2][0])
        changed = np.argwhere(results[0][0] != crisp)
        assert bool(len(changed)) == (painted or inked)
        assert (len(changed) > 0.3 * face.size) == inked
        if painted:
            eyes = found[[*EYE[0], *EYE[1]]]
            assert changed[:, 0].min() > eyes[:, 1].min() - 12
            assert changed[:, 0].max() < eyes[:, 1].max() + 12


def test_the_covered_eye_and_the_free_one_are_told_apart(
    person: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Believer:
        """A judge that believes in one eye alone."""

        class engine:  # noqa: N801
            input_size = SIDE

        def __init__(self, trust: tuple[float, float]) -> None:
            self.trust = trust

        def eyes(self, crop: np.ndarray) -> Eyes:
            paint = cast(EyePaint, None)
            points, neither = np.zeros((478, 2), np.float32), (0.0, 0.0)
            return Eyes(points, (1.0, 1.0), self.trust, 1.0, neither, neither, paint)

    for eye in range(2):
        scene = Covered(person.crop(SIDE), eye)
        monkeypatch.setattr("benchmarks.quality.judge.cover", lambda *_, s=scene: s)
        for believed in range(2):
            trust = (1.0, 0.0) if believed == 0 else (0.0, 1.0)
            wrong = float(believed == eye)
            found = _covered(cast(Judge, Believer(trust)), person)
            assert found == {"covered eyes painted": wrong, "free eyes left out": wrong}
