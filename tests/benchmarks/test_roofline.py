"""Ceilings are measured, and the lower one counts."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks.roofline import Ceiling, element_bytes, measure_ceiling, traffic


def test_the_roof_is_the_lower_of_two_ceilings() -> None:
    ceiling = Ceiling("cpu", "fp32", macs_per_second=100e9, bytes_per_second=10e9)
    assert ceiling.ridge == 10
    assert ceiling.attainable(1) == 10e9
    assert ceiling.attainable(10) == 100e9
    assert ceiling.attainable(1000) == 100e9
    assert ceiling.record()["gmac_per_s"] == 100


def test_traffic_counts_every_tensor_once() -> None:
    layer = nn.Conv2d(4, 8, 3, padding=1, bias=False)
    image = torch.zeros(1, 4, 16, 16)
    numbers = 4 * 16 * 16 + 8 * 4 * 9 + 8 * 16 * 16
    assert traffic(layer, image) == 4 * numbers
    assert traffic(nn.Sequential(layer, nn.ReLU()), image, precision="fp16") == 2 * numbers
    assert element_bytes("int8") == 1


def test_ceilings_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.roofline.MATMUL_SIDE", {"cpu": 128})
    monkeypatch.setattr("benchmarks.roofline.COPY_BYTES", {"cpu": 1 << 20})
    found = measure_ceiling("cpu", "fp32", seconds=0.02)
    assert 1e8 < found.macs_per_second < 1e14
    assert 1e8 < found.bytes_per_second < 1e13
