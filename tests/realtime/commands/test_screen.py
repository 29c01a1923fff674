from __future__ import annotations

from typing import Any

import pytest

from realtime.commands.screen import print_statistics


def numbers(**changed: Any) -> dict[str, Any]:
    time = {"count": 3, "p50_ms": 1.0, "p95_ms": 2.0}
    return {
        "model": "film", "style": "comic", "engine": "openvino", "device": "CPU",
        "precision": "fp32", "stages": {"track": time}, "added_latency": time, "fps": 30.0,
        "source_fps": 30.0, "sent_by_kind": {"toon": 60}, "toons_drawn": 30, "toons_moved": 30,
        "frames_dropped": {},
    } | changed  # fmt: skip


def test_toons_that_were_only_moved_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    print_statistics(numbers())
    assert "60 toon (30 drawn, 30 moved); 0 replaced by newer ones\n" in capsys.readouterr().out
    print_statistics(numbers(toons_moved=0))
    assert "moved" not in capsys.readouterr().out


def test_the_title_names_the_style(capsys: pytest.CaptureFixture[str]) -> None:
    print_statistics(numbers())
    print_statistics(numbers(style="film"))
    titles = [
        line.split(" on ")[0] for line in capsys.readouterr().out.splitlines() if " on " in line
    ]
    assert titles == ["comic of film", "film"]
