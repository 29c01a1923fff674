"""The preview's keys and numbers; the window itself needs a screen."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from realtime.clocks import Statistics
from realtime.commands.run import recent_numbers
from realtime.controls import Controls
from realtime.guard import Guard, Output
from realtime.settings import GuardSettings
from realtime.sinks import SinkError
from realtime.sinks.preview import Preview
from tests.realtime.fakes import SIZE, MarkerStylizer, Messages, marked


def preview(
    folder: Path, messages: Messages, record: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> Preview:
    monkeypatch.setattr("realtime.sinks.preview.has_display", lambda: True)
    controls = Controls(Guard("pass", GuardSettings(), SIZE, 1), MarkerStylizer(), messages)
    window = Preview(
        controls, messages, numbers=lambda: {}, record=record, folder=folder, size=SIZE
    )
    window._shown = Output(marked(), np.zeros(SIZE[::-1], np.uint8), "raw", 0.0, Fraction(0))
    return window


@pytest.mark.parametrize("error", [SinkError("The disk is full."), OSError("The disk is full.")])
def test_a_recording_that_fails_is_told_of_and_ends_nothing(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record() -> None:
        raise error

    messages = Messages()
    preview(tmp_path, messages, record, monkeypatch).press(ord("r"))
    assert messages == ["The disk is full."]


def test_snapshots_are_written_or_it_is_told_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = Messages()
    preview(tmp_path, messages, lambda: None, monkeypatch).press(ord("c"))
    assert (tmp_path / "snapshot.png").exists()
    preview(tmp_path / "gone", messages, lambda: None, monkeypatch).press(ord("c"))
    assert "Snapshot in" in messages[0]
    assert "cannot be written" in messages[1]


def test_its_numbers_are_those_of_the_last_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(_: Any) -> None:
        raise AssertionError("a whole snapshot for one picture")

    monkeypatch.setattr(Statistics, "snapshot", too_slow)
    statistics = Statistics()
    pipeline: Any = SimpleNamespace(statistics=statistics)
    assert recent_numbers(pipeline) == {"fps": "0.0", "latency": ""}
    for step in range(200):
        statistics.note_sent("toon", step / 25, 0.5 if step < 100 else 0.04)
    assert recent_numbers(pipeline) == {"fps": "25.0", "latency": "40 ms"}
