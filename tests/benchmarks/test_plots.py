"""Every kind of report has its plot."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.plots import draw, plot
from benchmarks.report import Series
from tests.benchmarks.factory import latency, report


@pytest.mark.parametrize("kind", ["engines", "peers", "loop", "quality"])
def test_every_kind_is_plotted(tmp_path: Path, kind: str) -> None:
    whole = report(kind=kind)
    for one in whole.results:
        one.series["stage:track"] = latency(5)
        one.series["faces"] = Series("r", "higher", [[0.1, 0.9]])
    plot(whole, tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 5000
    assert len(draw(whole).axes) == {"engines": 3, "peers": 2, "loop": 2, "quality": 1}[kind]
