"""OpenVINO's other devices: the fastest runs, and one that fails is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from engines.backends import create_engine, registry
from engines.backends import openvino as backend
from engines.backends.protocol import BackendError
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import make_request, noisy_crops

if TYPE_CHECKING:
    import openvino as ov


class WithGpu:
    """The real core beside an Intel GPU, which the CPU plays."""

    available_devices = ("CPU", "GPU")

    def __init__(self, core: ov.Core) -> None:
        self.core, self.broken = core, False

    def get_property(self, device: str, name: str) -> object:
        gpu = {"FULL_DEVICE_NAME": "Intel(R) Arc(TM)", "GPU_DRIVER_VERSION": "1"}
        return (
            gpu.get(name)
            if device == "GPU" and name in gpu
            else self.core.get_property("CPU", name)
        )

    def compile_model(self, model: ov.Model, device: str, options: dict[str, str]) -> object:
        return self.core.compile_model(model, *self._as_cpu(device, options))

    def import_model(self, blob: object, device: str, options: dict[str, str]) -> object:
        return self.core.import_model(blob, *self._as_cpu(device, options))

    def _as_cpu(self, device: str, options: dict[str, str]) -> tuple[str, dict[str, str]]:
        if device == "GPU":
            assert "ENABLE_CPU_PINNING" not in options  # which only CPUs know
            if self.broken:
                raise RuntimeError("clBuildProgram failed")
        return "CPU", options


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> WithGpu:
    """A core with a GPU that is faster than the CPU."""
    fake = WithGpu(backend.shared_core())
    monkeypatch.setattr(backend, "shared_core", lambda: fake)
    monkeypatch.setattr(
        "engines.backends.devices.fastest._seconds_a_face",
        lambda engine, seconds: 0.01 if engine.device.startswith("GPU") else 0.02,
    )
    return fake


@pytest.fixture
def only_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other back end for `auto` to try."""
    monkeypatch.setattr(registry, "BACKENDS", {"openvino": "engines.backends.openvino"})


def test_auto_takes_a_faster_gpu_and_says_so(
    core: WithGpu, only_openvino: None, plain: ToonNetwork, tmp_path: Path
) -> None:
    for start in ("first", "second"):
        lines: list[str] = []
        engine = create_engine(plain, "auto", cache_dir=tmp_path, say=lines.append)
        engine.run(noisy_crops(1, 32))
        engine.close()
        assert lines.pop().startswith("Running on openvino: GPU, Intel(R) Arc(TM), ")
        measured = ["Starting openvino on gpu and cpu once, to keep the fastest."]
        measured.append("A face takes 10 ms on gpu, 20 ms on cpu.")
        assert lines == (measured if start == "first" else [])


def test_auto_falls_to_the_cpu_with_a_sentence(
    core: WithGpu, only_openvino: None, plain: ToonNetwork, tmp_path: Path
) -> None:
    core.broken = True
    for _ in range(2):  # never silently: at the second start too
        lines: list[str] = []
        create_engine(plain, "auto", cache_dir=tmp_path, say=lines.append).close()
        assert any("openvino:gpu skipped: OpenVINO could not compile" in line for line in lines)
        assert lines[-1].startswith("Running on openvino: CPU, ")


def test_a_device_asked_for_by_name_runs_or_fails(
    core: WithGpu, plain: ToonNetwork, tmp_path: Path
) -> None:
    engine = backend.create(make_request(plain, tmp_path, variant="gpu"))
    assert engine.device == "GPU, Intel(R) Arc(TM)"
    engine.close()
    assert backend.create(make_request(plain, tmp_path)).device.startswith("CPU, ")
    core.broken = True
    with pytest.raises(BackendError, match="could not compile this model for GPU in"):
        backend.create(make_request(plain, tmp_path, variant="gpu"))
    with pytest.raises(BackendError, match="finds no device 'npu': choose one of cpu, gpu"):
        backend.create(make_request(plain, tmp_path, variant="npu"))


def test_a_device_that_fails_while_it_runs_is_told(plain: ToonNetwork, tmp_path: Path) -> None:
    engine = backend.create(make_request(plain, tmp_path))

    def fail() -> None:
        raise RuntimeError("device lost\nat line 7")

    still = dict.fromkeys(("set_input_tensor", "set_output_tensor"), lambda *given: None)
    engine._program._request = SimpleNamespace(**still, infer=fail)  # type: ignore[union-attr]
    with pytest.raises(BackendError, match=r"failed on CPU, .*: update .* \(RuntimeError: device"):
        engine.run(noisy_crops(1, 32))


def test_a_device_that_does_not_tell_its_precision() -> None:
    def refuse() -> None:
        raise RuntimeError("not implemented")

    silent = SimpleNamespace(get_ops=lambda: [])
    for model in (refuse, lambda: silent):
        program = SimpleNamespace(get_runtime_model=model)
        assert backend.running_precision(program) == ""
