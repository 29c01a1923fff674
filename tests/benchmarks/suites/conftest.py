"""Ceilings that are measured in moments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def small_ceilings() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr("benchmarks.roofline.MATMUL_SIDE", {"cpu": 128, "cuda": 256})
    patch.setattr("benchmarks.roofline.COPY_BYTES", {"cpu": 1 << 20, "cuda": 1 << 20})
    patch.setattr("benchmarks.roofline.measure_ceiling.__defaults__", (0.02,))
    yield
    patch.undo()
