from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

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
    import openvino as ov

    options = {**backend._options("fp32"), "PERF_COUNT": "YES"}
    program = ov.Core().compile_model(backend.convert(cpu_tier), "CPU", options)
    request = program.create_infer_request()
    request.infer({0: noisy_crops(1, 256)})
    executed = [node for node in request.profiling_info if node.status.name == "EXECUTED"]
    kinds = [node.node_type for node in executed]
    # Layouts change where bytes become planes and back, around the style head and where features
    # are moved; nowhere else. Only there are kernels that are not made for this processor.
    assert kinds.count("Reorder") + kinds.count("Transpose") <= 21
    assert kinds.count("Convert") == 0
    assert sum(node.exec_type.startswith("ref") for node in executed) <= 8
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
    # Random weights do not quantise well, which is what the limit is there to notice.
    with pytest.raises(BackendError, match=r"INT8 changes this model's pictures by .* of 255"):
        backend.create(request)
    monkeypatch.setattr(backend, "INT8_LIMIT", 255.0)
    engine = backend.create(request)
    assert engine.precision == "int8"
    error = difference(engine.run(crops[:2]).images, reference.run(crops[:2]).images)
    engine.close()
    assert backend.INT8_LIMIT > error > 3


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
