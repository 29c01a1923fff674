from __future__ import annotations

from typing import Any

import pytest

from realtime.commands.screen import statistics_table


def numbers(**changed: Any) -> dict[str, Any]:
    time = {"count": 3, "p50_ms": 1.0, "p95_ms": 2.0}
    return {
        "model": "film-256", "engine": "openvino", "device": "CPU", "precision": "fp32",
        "stages": {"track": time}, "added_latency": time, "fps": 30.0, "source_fps": 30.0,
        "sent_by_kind": {"toon": 60}, "toons_drawn": 30, "toons_moved": 30, "frames_dropped": {},
    } | changed  # fmt: skip


def test_who_waits_for_drawings_is_told_of_the_faster_model() -> None:
    caption = str(statistics_table(numbers()).caption)
    assert "60 toon (30 drawn, 30 moved)" in caption
    assert "--model film draws more often" in caption


@pytest.mark.parametrize(
    "changed",
    [{"model": "film"}, {"model": "mine"}, {"toons_drawn": 58, "toons_moved": 2}],
)
def test_nobody_else_is(changed: dict[str, Any]) -> None:
    assert "--model" not in str(statistics_table(numbers(**changed)).caption)
