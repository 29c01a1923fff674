"""Memory that is taken is seen, and what is given back counts for the peak alone."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks.memory import PeakMemory

MEBIBYTES = 64


def test_memory_that_is_held_is_seen() -> None:
    meter = PeakMemory()
    taken = np.ones(MEBIBYTES << 20, np.uint8)
    assert 0.9 * MEBIBYTES < meter.held() < 2 * MEBIBYTES
    assert meter.read() >= 0.9 * MEBIBYTES
    assert taken.all()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a high-water mark")
def test_the_peak_outlives_what_was_given_back() -> None:
    meter = PeakMemory()
    taken = np.ones(MEBIBYTES << 20, np.uint8)
    assert taken.all()
    del taken
    assert meter.held() < 0.5 * MEBIBYTES
    assert meter.read() > 0.9 * MEBIBYTES


def test_memory_of_a_gpu_is_what_its_free_memory_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([100 << 20, 70 << 20, 60 << 20])
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (next(free), 100 << 20))
    meter = PeakMemory(cuda=True)
    assert meter.held() == 30
    assert meter.read() == 40
