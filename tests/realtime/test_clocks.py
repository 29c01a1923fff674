from __future__ import annotations

import json
from pathlib import Path

import pytest

from engines.errors import ToonifyError
from realtime.clocks import (
    LARGEST,
    RECENT,
    WINDOW,
    Rate,
    StageClock,
    Statistics,
    check_statistics,
    write_statistics,
)


def test_the_usual_duration_follows_what_happens_now() -> None:
    clock = StageClock()
    assert clock.usual() == 0
    for _ in range(100):
        clock.add(0.05)
    clock.add(2.0)
    assert clock.usual() == 0.05
    for _ in range(RECENT):
        clock.add(0.01)
    assert clock.usual() == 0.01


def test_percentiles_are_those_of_the_samples_and_memory_is_bounded() -> None:
    clock = StageClock()
    for milliseconds in range(1, 102):
        clock.add(milliseconds / 1e3)
    assert clock.summary() == {"count": 101, "p50_ms": 51.0, "p95_ms": 96.0}
    for _ in range(WINDOW + 10):
        clock.add(0.002)
    assert clock.summary()["p95_ms"] == 2.0
    assert clock.count == 101 + WINDOW + 10


def test_rates() -> None:
    rate = Rate()
    assert rate.silent(10.0) == 0
    for step in range(61):
        rate.tick(10 + step / 30)
    assert rate.overall() == pytest.approx(30)
    for step in range(1, 61):
        rate.tick(12 + step / 60)
    assert rate.recent() == pytest.approx(45, rel=0.05)
    assert rate.silent(15.0) == pytest.approx(2)


def test_the_delay_of_a_microphone_is_that_of_the_picture() -> None:
    numbers = Statistics()
    assert numbers.snapshot()["microphone_delay_ms"] is None
    for now, latency in enumerate((0.081, 0.084, 0.3)):
        numbers.note_sent("toon", float(now), latency)
    assert numbers.snapshot()["microphone_delay_ms"] == 80


def test_statistics_are_written_whole(tmp_path: Path) -> None:
    statistics = Statistics(engine="torch")
    statistics.note_sent("toon", 1.0, 0.040)
    statistics.note_sent("blur", 1.1, None)
    path = tmp_path / "deep" / "stats.json"
    write_statistics(path, statistics.snapshot())
    numbers = json.loads(path.read_text())
    assert numbers["engine"] == "torch"
    assert numbers["sent_by_kind"] == {"toon": 1, "blur": 1}
    assert numbers["added_latency"] == {"count": 1, "p50_ms": 40.0, "p95_ms": 40.0}
    assert set(numbers["stages"]) == set(Statistics.STAGES)
    assert [entry.name for entry in path.parent.iterdir()] == ["stats.json"]


@pytest.mark.parametrize(
    "content",
    [b"\0\0\0\x20ftypisom", b'{"title": "notes"}', b"3", b"[]", b"[" + b" " * LARGEST + b"]"],
)
def test_statistics_replace_nothing_but_statistics(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    for act in (check_statistics, lambda path: write_statistics(path, Statistics().snapshot())):
        with pytest.raises(ToonifyError, match="something other than the numbers of a run"):
            act(path)
    assert path.read_bytes() == content
    path.write_bytes(b"")
    check_statistics(path)
    write_statistics(path, Statistics().snapshot())
    check_statistics(path)
