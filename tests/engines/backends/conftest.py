"""Networks, crops and the eager reference that every back end is held against."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from engines.backends.cache import EngineCache
from engines.backends.onnx_graph import export_onnx
from engines.backends.outputs import HostOutputs
from engines.backends.protocol import EngineOutput
from engines.backends.request import EngineRequest
from engines.backends.torch_eager import TorchEngine
from engines.networks.encoder import Encoder, EncoderConfig
from engines.networks.generator import Generator
from engines.networks.generator_config import GeneratorConfig
from engines.networks.toon import ToonNetwork
from tests.engines.factory import random_bundle, tiny_network

AGREEMENT = 2.0
"""Mean absolute difference from the eager engine that is allowed, of 255."""


def lifelike(network: ToonNetwork, seed: int = 0) -> ToonNetwork:
    """The same network with what training brings: masks that are not flat, and a dead channel.

    The dead one divides by nothing but demodulation's epsilon.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if name.endswith(("tomask.weight", "tophoto.weight")):
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
    network.synthesis.get_parameter("b16.conv1.weight")[3] = 0
    return network


def noisy_crops(count: int, size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Random pictures with structure at several scales: uint8 [count, size, size, 3]."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 200, (count, size // 8, size // 8, 3))
    fine = rng.integers(0, 56, (count, size, size, 3))
    return (coarse.repeat(8, axis=1).repeat(8, axis=2) + fine).astype(np.uint8)


def difference(a: NDArray[np.uint8] | None, b: NDArray[np.uint8] | None) -> float:
    """Mean absolute difference, of 255."""
    assert a is not None
    assert b is not None
    assert a.shape == b.shape
    return float(np.abs(a.astype(np.int16) - b).mean())


def put_together(network: ToonNetwork, results: Sequence[NDArray]) -> EngineOutput:
    """The toons of a network's raw results."""
    memory = HostOutputs(network, len(results[0]))
    for array, result in zip(memory.arrays, results, strict=True):
        array[:] = result
    return memory.engine_output(len(results[0]))


def run_onnx(model: onnx.ModelProto, crops: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Outputs of an exported graph under ONNX Runtime on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"crops": crops})


def make_request(network: ToonNetwork, directory: Path, **changes: object) -> EngineRequest:
    """A request with nothing special in it but `changes`."""
    values: dict[str, object] = {
        "variant": "",
        "precision": None,
        "max_batch": 2,
        "cache": EngineCache(directory),
        "say": lambda line: None,
        **changes,
    }
    return EngineRequest(network, **values)  # type: ignore[arg-type]


class FakeCuda:
    """Torch's view of NVIDIA GPUs that are not here: which one is current, and what it can."""

    def __init__(self) -> None:
        self.capability = (8, 9)
        self._thread = threading.local()

    @property
    def current(self) -> Any:
        """The device in use in this thread; a new thread begins on the first one."""
        return getattr(self._thread, "device", 0)

    @contextmanager
    def use(self, device: Any) -> Iterator[None]:
        before, self._thread.device = self.current, getattr(device, "index", device)
        yield
        self._thread.device = before


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    """Pretends that there are GPUs; what runs on one runs on the CPU, and graphs replay nothing."""
    fake = FakeCuda()
    stream = SimpleNamespace(wait_stream=lambda other: None, synchronize=lambda: None)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    for name, value in {
        "is_available": lambda: True,
        "current_device": lambda: fake.current,
        "get_device_capability": lambda device=None: fake.capability,
        "get_device_name": lambda device=None: "Test GPU",
        "device": fake.use,
        "Stream": lambda device: stream,
        "current_stream": lambda: stream,
        "stream": lambda stream: nullcontext(),
        "CUDAGraph": lambda: SimpleNamespace(pool=lambda: None, replay=lambda: None),
        "graph": lambda graph, **settings: nullcontext(),
        "synchronize": lambda device: None,
        "empty_cache": lambda: None,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    return fake


@pytest.fixture(scope="session")
def tiny() -> ToonNetwork:
    return lifelike(tiny_network())


@pytest.fixture(scope="session")
def other_tiny() -> ToonNetwork:
    """Another style: the architecture of `tiny`, other weights."""
    return lifelike(tiny_network(seed=1), seed=1)


@pytest.fixture(scope="session")
def tiny_crops() -> NDArray[np.uint8]:
    return noisy_crops(2, 64)


@pytest.fixture(scope="session")
def plain() -> ToonNetwork:
    """The smallest network, without a mask and without feature maps."""
    torch.manual_seed(0)
    encoder = EncoderConfig(
        input_size=32,
        num_ws=6,
        w_dim=16,
        widths=(8, 8, 8),
        depths=(0, 0, 0),
        feature_resolutions=(),
        style_width=16,
    )
    generator = GeneratorConfig(16, w_dim=16, channel_base=128, channel_max=16)
    return ToonNetwork(Encoder(encoder), Generator(generator))


@pytest.fixture(scope="session")
def cpu_tier() -> ToonNetwork:
    """The size of the shipped model, random weights."""
    return lifelike(random_bundle().network())


@pytest.fixture(scope="session")
def reference(tiny: ToonNetwork) -> Iterator[TorchEngine]:
    """Eager torch on the CPU in fp32 with the tiny network."""
    engine = TorchEngine(tiny, "cpu", "fp32", 2)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that tests share, so that each engine is built once."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="session")
def tiny_onnx(tiny: ToonNetwork) -> onnx.ModelProto:
    """The tiny network in fp16 for one or two crops."""
    return export_onnx(tiny, "fp16", 2)
