from __future__ import annotations

from typing import Any

from realtime.commands.screen import statistics_table


def numbers(**changed: Any) -> dict[str, Any]:
    time = {"count": 3, "p50_ms": 1.0, "p95_ms": 2.0}
    return {
        "engine": "openvino", "device": "CPU", "precision": "fp32",
        "stages": {"track": time}, "added_latency": time, "fps": 30.0, "source_fps": 30.0,
        "sent_by_kind": {"toon": 60}, "toons_drawn": 30, "toons_moved": 30, "frames_dropped": {},
    } | changed  # fmt: skip


def test_toons_that_were_only_moved_are_told_apart() -> None:
    assert "60 toon (30 drawn, 30 moved)" in str(statistics_table(numbers()).caption)
    assert "moved" not in str(statistics_table(numbers(toons_moved=0)).caption)
