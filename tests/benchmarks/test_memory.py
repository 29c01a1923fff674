"""Memory that is taken is seen, and what is given back counts for the peak alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.memory import PeakMemory

MIB = 2**20


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Plays the operating system: resident memory at every look, and its high-water mark."""

    def play(*resident: int, peak: int = 0) -> None:
        left = iter(resident)
        process = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=next(left) * MIB))
        monkeypatch.setattr("psutil.Process", lambda: process)
        (tmp_path / "status").write_text(f"Name:\tx\nVmHWM:\t{peak * 1024} kB\n")
        (tmp_path / "clear_refs").write_text("")
        monkeypatch.setattr(PeakMemory, "STATUS", tmp_path / "status")
        monkeypatch.setattr(PeakMemory, "RESET", tmp_path / "clear_refs")

    return play


def test_memory_that_is_held_is_seen(host: Callable[..., None]) -> None:
    host(100, 164, 90)
    meter = PeakMemory()
    assert meter.held() == 64
    assert meter.held() == 0  # less than before is nothing held


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a high-water mark")
def test_the_peak_outlives_what_was_given_back(host: Callable[..., None]) -> None:
    host(100, 110, 110, peak=180)
    meter = PeakMemory()
    assert PeakMemory.RESET.read_text() == "5"  # the mark begins at what is held now
    assert meter.held() == 10
    assert meter.read() == 80


def test_memory_of_a_gpu_is_what_its_free_memory_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([100 * MIB, 70 * MIB, 60 * MIB])
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (next(free), 100 * MIB))
    meter = PeakMemory(cuda=True)
    assert meter.held() == 30
    assert meter.read() == 40
