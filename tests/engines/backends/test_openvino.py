from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.backends import int8
from engines.backends import openvino as backend
from engines.backends.protocol import BackendError
from engines.backends.swapping import SwappingEngine
from engines.backends.torch_eager import TorchEngine
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import AGREEMENT, difference, make_request, noisy_crops


@pytest.fixture(scope="module")
def engine(tiny: ToonNetwork, engines: Path) -> Iterator[SwappingEngine]:
    engine = backend.create(make_request(tiny, engines, precision="fp32"))
    yield engine
    engine.close()


def test_agrees_with_torch(
    engine: SwappingEngine, reference: TorchEngine, tiny_crops: NDArray[np.uint8]
) -> None:
    for crops in (tiny_crops, tiny_crops[:1], tiny_crops[:, :, ::-1]):
        output, exact = engine.run(crops), reference.run(crops)
        assert output.images.dtype == np.uint8
        assert difference(output.images, exact.images) < 0.05
        assert difference(output.masks, exact.masks) < 0.05


def test_nobody_hears_of_its_use(tmp_path: Path) -> None:
    program = """
import os, socket, urllib.request
def refuse(*args, **kwargs):
    print("network", args)
    raise OSError("no network here")
socket.socket.connect = socket.create_connection = urllib.request.urlopen = refuse
from engines.backends import openvino as backend
from engines.backends.cache import list_engines
import openvino
from openvino.tools.ovc import convert_model
from tests.engines.factory import tiny_network
backend.convert(tiny_network())
import sys
assert sys.modules["openvino_telemetry"] is None
"""
    home = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    home.pop("CI", None)  # where OpenVINO keeps silent of itself
    done = subprocess.run(
        [sys.executable, "-c", program], env=home, capture_output=True, text=True, check=True
    )
    assert "network" not in done.stdout
    assert not (tmp_path / "intel").exists()  # its identity file and its counter


def test_knows_what_it_is(engine: SwappingEngine) -> None:
    assert (engine.name, engine.precision, engine.max_batch) == ("openvino", "fp32", 2)
    assert engine.device.startswith("CPU, ")
    assert engine.build_seconds > 0


def test_default_precision_agrees_at_the_cpu_tier(cpu_tier: ToonNetwork, engines: Path) -> None:
    engine = backend.create(make_request(cpu_tier, engines))
    crops = noisy_crops(2, 256)
    output, exact = engine.run(crops), TorchEngine(cpu_tier, "cpu", "fp32", 2).run(crops)
    assert engine.precision in ("bf16", "fp16", "fp32")
    assert difference(output.images, exact.images) < AGREEMENT
    assert difference(output.masks, exact.masks) < AGREEMENT
    engine.close()


def test_hot_path_has_no_detours(cpu_tier: ToonNetwork) -> None:

    core = backend.shared_core()
    options = {**backend._options("fp32", core, "CPU"), "PERF_COUNT": "YES"}
    program = core.compile_model(backend.convert(cpu_tier), "CPU", options)
    request = program.create_infer_request()
    request.infer({0: noisy_crops(1, 256)})
    executed = [node for node in request.profiling_info if node.status.name == "EXECUTED"]
    kinds = [node.node_type for node in executed]
    # Layouts change where bytes become planes and back (one crop, three pictures), around the style
    # head and where the photo is moved; nowhere else. Only there, and where bytes are merely
    # copied, are kernels not made for this processor.
    assert kinds.count("Reorder") + kinds.count("Transpose") <= 25
    assert kinds.count("Convert") == 0
    copies = {"Concat", "Pad", "Slice", "VariadicSplit"}  # of the bands and their borders
    generic = [node.node_type for node in executed if node.exec_type.startswith("ref")]
    assert sum(kind not in copies for kind in generic) <= 10
    assert len(generic) <= 22
    assert sum("Convolution" in kind for kind in kinds) > 40
    assert backend.running_precision(program) == "fp32"


def test_second_start_loads_the_kept_program(
    engine: SwappingEngine,
    tiny: ToonNetwork,
    engines: Path,
    tiny_crops: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(network: ToonNetwork) -> None:
        raise AssertionError("the network was converted again")

    monkeypatch.setattr(backend, "convert", forbidden)
    again = backend.create(make_request(tiny, engines, precision="fp32"))
    assert np.array_equal(again.run(tiny_crops).images, engine.run(tiny_crops).images)
    again.close()


def test_style_changes_between_two_frames_without_a_gap(
    tiny: ToonNetwork,
    other_tiny: ToonNetwork,
    engines: Path,
    tiny_crops: NDArray[np.uint8],
) -> None:
    engine = backend.create(make_request(tiny, engines, precision="fp32"))
    old = engine.run(tiny_crops).images.copy()
    frames: list[NDArray[np.uint8]] = []
    done = threading.Event()

    def play() -> None:
        while not done.is_set():
            frames.append(engine.run(tiny_crops).images.copy())

    thread = threading.Thread(target=play)
    thread.start()
    engine.update(other_tiny)
    assert engine.settle(60)
    done.set()
    thread.join()
    new = engine.run(tiny_crops).images.copy()
    engine.close()
    exact = TorchEngine(other_tiny, "cpu", "fp32", 2).run(tiny_crops).images
    assert difference(new, exact) < 0.05
    assert difference(old, new) > 1
    assert len(frames) > 1
    is_new = [np.array_equal(frame, new) for frame in frames]
    assert is_new == sorted(is_new)
    assert all(
        np.array_equal(frame, old) for frame, fresh in zip(frames, is_new, strict=True) if not fresh
    )


def test_int8_runs_only_while_it_stays_close(
    tiny: ToonNetwork,
    reference: TorchEngine,
    engines: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crops = noisy_crops(8, 64, seed=5)
    request = make_request(tiny, engines, precision="int8", calibration=crops)
    monkeypatch.setattr(int8, "INT8_LIMIT", 0.1)
    with pytest.raises(BackendError, match=r"INT8 changes this model's pictures by .* of 255"):
        backend.create(request)
    monkeypatch.undo()
    engine = backend.create(request)
    assert engine.precision == "int8"
    error = difference(engine.run(crops[:2]).images, reference.run(crops[:2]).images)
    engine.close()
    assert int8.INT8_LIMIT > error > 0.1


def test_int8_needs_faces(tiny: ToonNetwork, engines: Path) -> None:
    with pytest.raises(BackendError, match="calibrated on aligned face crops, but none"):
        backend.create(make_request(tiny, engines, precision="int8"))


def test_networks_without_a_mask(plain: ToonNetwork, engines: Path) -> None:
    crops = noisy_crops(1, 32)
    engine = backend.create(make_request(plain, engines, precision="fp32"))
    output = engine.run(crops)
    assert output.masks is None
    assert output.images.shape == (1, 16, 16, 3)
    exact = TorchEngine(plain, "cpu", "fp32", 1).run(crops)
    assert exact.masks is None
    assert difference(output.images, exact.images) < 0.05
    engine.close()


def test_a_kept_program_that_does_not_load_is_built_again(
    plain: ToonNetwork, tmp_path: Path
) -> None:
    lines: list[str] = []
    request = make_request(plain, tmp_path, precision="fp32", say=lines.append)
    core, device = backend._core_and_device(request)
    request.cache.store(backend._key(request, core, device, "fp32"), b"no program")
    engine = backend.create(request)
    assert engine.run(noisy_crops(1, 32)).images.shape == (1, 16, 16, 3)
    engine.close()
    assert len(lines) == 1
    assert "it is built again: OpenVINO could not load its engine on CPU" in lines[0]


class FakeGpu:
    """OpenVINO's view of an Intel GPU that is not here."""

    def __init__(self, **properties: object) -> None:
        self.properties = {
            "FULL_DEVICE_NAME": "Arc",
            "OPTIMIZATION_CAPABILITIES": ["FP16", "INT8"],
            **properties,
        }

    def get_property(self, device: str, name: str) -> object:
        if name not in self.properties:
            raise RuntimeError(f"Unsupported property: {name}")
        return self.properties[name]


def test_drivers_and_the_quantiser_are_in_the_key(
    plain: ToonNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request(plain, tmp_path, calibration=noisy_crops(1, 32))
    cores = [FakeGpu(), FakeGpu(GPU_DRIVER_VERSION="1"), FakeGpu(GPU_DRIVER_VERSION="2")]
    keys = [backend._key(request, core, "GPU.0", "fp16") for core in cores]
    assert len({key.target for key in keys}) == 3
    key = backend._key(request, cores[0], "GPU.0", "int8")
    assert key.version == f"{keys[0].version}, nncf {metadata.version('nncf')}"
    versions = SimpleNamespace(version=lambda name: "0", PackageNotFoundError=Exception)
    monkeypatch.setattr(int8, "metadata", versions)
    other = backend._key(request, cores[0], "GPU.0", "int8")
    assert replace(other, version=key.version) == key != other


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no stacks for signal handlers")
def test_an_engine_freed_in_another_thread_leaves_signals_working(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import gc, signal, threading\n"
        "import numpy as np\n"
        "from engines.backends.registry import create_engine\n"
        "from tests.engines.factory import tiny_network\n"
        "box = [create_engine(tiny_network(), 'openvino', say=lambda line: None)]\n"
        "box[0].run(np.zeros((1, box[0].input_size, box[0].input_size, 3), np.uint8))\n"
        "free = lambda: (box.pop().close(), gc.collect())\n"
        "thread = threading.Thread(target=free)\n"
        "thread.start()\n"
        "thread.join()\n"
        "signal.signal(signal.SIGINT, lambda *_: print('caught'))\n"
        "signal.raise_signal(signal.SIGINT)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TOONIFY_CACHE": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode, done.stdout) == (0, "caught\n"), done.stderr
