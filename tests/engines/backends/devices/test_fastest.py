"""Which device runs: the fastest one, remembered; a broken one is told every time."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engines.backends.cache import list_engines
from engines.backends.devices.fastest import fastest
from engines.backends.protocol import BackendError, Engine, PrecisionError
from engines.backends.request import EngineRequest
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import make_request

DEVICES = {"gpu": "Arc, driver 1", "cpu": "a CPU"}


class Fakes:
    """Devices that take a while for a face, or fail."""

    def __init__(self, network: ToonNetwork, folder: Path) -> None:
        self.seconds = {"gpu": 0.0, "cpu": 0.02, "npu": 0.01}
        self.errors: dict[str, BackendError] = {}
        self.started: list[str] = []
        self.running: set[str] = set()
        self.lines: list[str] = []
        self.request = make_request(network, folder, say=self.lines.append)

    def create(self, request: EngineRequest) -> Engine:
        device = request.variant
        self.started.append(device)
        if device in self.errors:
            raise self.errors[device]
        self.running.add(device)

        def run(crops: Any) -> None:
            assert crops.shape == (1, 64, 64, 3)
            assert crops.dtype == np.uint8
            time.sleep(self.seconds[device])

        return SimpleNamespace(
            device=device, input_size=64, run=run, close=lambda: self.running.remove(device)
        )

    def choose(self, devices: dict[str, str] = DEVICES) -> str:
        """The device that runs after one more start."""
        self.started.clear()
        self.running.clear()
        self.lines.clear()
        engine = fastest(self.request, "openvino", "1", devices, self.create)
        assert self.running == {engine.device}  # the others are closed
        return engine.device


@pytest.fixture
def fakes(tiny: ToonNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    monkeypatch.setattr("engines.backends.devices.fastest.SECONDS", 0.0)
    return Fakes(tiny, tmp_path)


@pytest.mark.parametrize("order", [("gpu", "cpu"), ("cpu", "gpu")])
def test_the_faster_one_runs_and_is_remembered(fakes: Fakes, order: tuple[str, ...]) -> None:
    devices = {name: DEVICES[name] for name in order}
    assert fakes.choose(devices) == "gpu"
    assert sorted(fakes.started) == ["cpu", "gpu"]
    assert (
        fakes.lines[0] == f"Starting openvino on {' and '.join(order)} once, to keep the fastest."
    )
    assert "ms on cpu" in fakes.lines[1]
    fakes.seconds["gpu"] = 0.1
    assert fakes.choose(devices) == "gpu"
    assert (fakes.started, fakes.lines) == (["gpu"], [])
    assert fakes.choose({**devices, "gpu": "Arc, driver 2"}) == "cpu"
    assert fakes.choose({**devices, "npu": "an NPU"}) == "npu"


def test_a_broken_device_is_told_at_every_start(fakes: Fakes) -> None:
    fakes.errors["gpu"] = BackendError("Its driver is too old.")
    for _ in range(2):
        assert fakes.choose() == "cpu"
        assert fakes.started == ["gpu", "cpu"]
        assert "openvino:gpu skipped: Its driver is too old." in fakes.lines
    assert list_engines(fakes.request.cache.directory) == []
    fakes.errors.clear()
    assert fakes.choose() == "gpu"


def test_a_remembered_device_that_breaks_is_told_and_forgotten(fakes: Fakes) -> None:
    assert fakes.choose() == "gpu"
    fakes.errors["gpu"] = BackendError("It hangs.")
    assert fakes.choose() == "cpu"
    assert fakes.lines == ["openvino:gpu skipped: It hangs."]
    fakes.errors.clear()
    fakes.seconds["gpu"] = 0.1
    assert fakes.choose() == "cpu"
    assert fakes.started == ["gpu", "cpu"]


def test_a_precision_that_a_device_never_has_is_not_a_fault(fakes: Fakes) -> None:
    fakes.errors["gpu"] = PrecisionError("It runs fp16, not fp32.")
    assert fakes.choose() == "cpu"
    assert fakes.choose() == "cpu"
    assert fakes.started == ["cpu"]


def test_every_reason_is_told_when_none_runs(fakes: Fakes) -> None:
    fakes.errors = {"gpu": BackendError("It hangs."), "cpu": BackendError("It is away.")}
    with pytest.raises(BackendError, match=r"It hangs\. openvino:cpu skipped: It is away\."):
        fakes.choose()


def test_a_cache_that_cannot_be_written_only_costs_the_memory(
    fakes: Fakes, tiny: ToonNetwork, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    fakes.request = make_request(tiny, tmp_path / "file/cache", say=fakes.lines.append)
    for _ in range(2):
        assert fakes.choose() == "gpu"
        assert sorted(fakes.started) == ["cpu", "gpu"]
