"""The quality suite on a perfect model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import steadiness
from benchmarks.quality.portraits import Artist, Portrait
from benchmarks.suites import quality as suite
from engines.backends import EngineOutput
from engines.networks.toon import ToonNetwork
from tests.benchmarks.conftest import SIDE
from tests.engines.factory import tiny_network


class PerfectEngine:
    """Returns the artist's own toon, moved as its input was: what no metric may mark down."""

    name, device, precision, build_seconds = "perfect", "none", "fp32", 0.0
    max_batch, input_size, output_size = 4, SIDE, SIDE

    def __init__(self, photo: np.ndarray, toon: np.ndarray, head: np.ndarray) -> None:
        self._photo, self._toon, self._head = photo, toon, head

    def run(self, crops: np.ndarray) -> EngineOutput:
        toons = []
        for crop in crops:
            dx, dy = (round(x) for x in steadiness.measured_shift(self._photo, crop))
            toons.append(
                steadiness.shifted(self._toon, dx, dy) if (dx, dy) != (0, 0) else self._toon
            )
        return EngineOutput(np.stack(toons), np.stack([self._head] * len(toons)))

    def update(self, network: ToonNetwork) -> None:
        raise AssertionError

    def close(self) -> None:
        pass


def test_the_artist_is_a_perfect_model(
    person: Portrait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artist = Artist(tmp_path / "cache")
    drawn = artist.draw(person)
    kept = artist.draw(person)
    assert np.array_equal(kept.toon, drawn.toon)
    assert np.array_equal(kept.head, drawn.head)
    assert np.array_equal(kept.warp, drawn.warp)
    toon, head = drawn.at(SIDE).toon, drawn.at(SIDE).head
    artist.close()
    engine = PerfectEngine(person.crop(SIDE), toon, head)
    monkeypatch.setattr(suite, "create_engine", lambda *args, **kwargs: engine)
    settings = suite.QualitySettings(tmp_path, tmp_path / "cache", sheet=tmp_path / "sheet.png")
    report = suite.measure(tiny_network(), [person], settings, lambda line: None)
    found = {result.name: result.metrics["mean"] for result in report.results}
    assert found["feature distance"] == pytest.approx(0, abs=1e-4)
    assert found["feature distance, whole crop"] == pytest.approx(0, abs=1e-4)
    assert found["head outline"] == pytest.approx(1)
    assert found["detail"] == pytest.approx(1)
    assert found["face found"] == 1
    assert found["eye size"] == pytest.approx(1)
    assert found["eyes open"] == pytest.approx(1)
    assert found["skin colour"] == pytest.approx(0, abs=1e-6)
    assert found["eye colour"] == pytest.approx(0, abs=1e-6)
    assert found["spectacles"] == 0  # nor wears what was not there
    assert found["shift error"] < 0.1
    assert found["shift followed"] == pytest.approx(1, abs=0.1)
    assert found["mouth follows"] < 0.9  # a still toon follows nobody
    met = {aim.text: aim.met for aim in report.aims}
    assert met["feature distance of the head, share of the photo's"]
    assert not met["mouth follows, r"]
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    assert (tmp_path / "sheet-worst.png").is_file()
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 1
