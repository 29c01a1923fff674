from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engines.backends import cuda_graphs
from engines.backends.cuda_graphs import CudaGraphEngine
from engines.backends.protocol import BackendError
from engines.backends.torch_eager import TorchEngine
from engines.networks.toon import ToonNetwork
from tests.engines.backends.conftest import (
    AGREEMENT,
    FakeCuda,
    difference,
    make_request,
    noisy_crops,
)

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
BATCH = 3


def test_largest_batch_is_captured_first() -> None:
    assert cuda_graphs.capture_order(4) == [4, 3, 2, 1]


def test_unknown_variants_are_refused(tiny: ToonNetwork, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="the variant 'compile' only, not 'fast'"):
        cuda_graphs.create(make_request(tiny, tmp_path, variant="fast"))


def test_a_closed_engine_gives_back_all_and_takes_no_more(
    plain: ToonNetwork, cuda: FakeCuda
) -> None:
    engine = CudaGraphEngine(plain, torch.device("cpu"), "fp32", 2)
    engine.update(plain)
    captured = engine._running()
    held: list[weakref.ref[Any]] = [weakref.ref(captured.network), weakref.ref(captured.buffers)]
    del captured
    engine.close()
    gc.collect()
    assert [reference() for reference in held] == [None, None]
    with pytest.raises(BackendError, match="was closed"):
        engine.update(plain)
    with pytest.raises(BackendError, match="was closed"):
        engine.run(noisy_crops(1, 32))
    engine.close()


@pytest.mark.parametrize(("precision", "rounded"), [("fp32", False), ("fp16", True)])
def test_fp32_is_not_rounded(
    plain: ToonNetwork,
    cuda: FakeCuda,
    monkeypatch: pytest.MonkeyPatch,
    precision: str,
    rounded: bool,
) -> None:
    seen: list[bool] = []

    def capture(graph: object, **settings: object) -> nullcontext[None]:
        seen.append(torch.backends.cudnn.allow_tf32)
        return nullcontext()

    monkeypatch.setattr(torch.cuda, "graph", capture)
    CudaGraphEngine(plain, torch.device("cpu"), precision, 2).close()
    assert seen == [rounded, rounded]


@pytest.fixture(scope="module")
def engine(tiny: ToonNetwork) -> Iterator[CudaGraphEngine]:
    engine = CudaGraphEngine(tiny, torch.device("cuda", 0), "fp16", BATCH)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def crops() -> NDArray[np.uint8]:
    return noisy_crops(BATCH, 64, seed=7)


@pytest.mark.gpu
@needs_gpu
def test_replay_equals_eager_at_every_batch_size(
    engine: CudaGraphEngine, tiny: ToonNetwork, crops: NDArray[np.uint8]
) -> None:
    eager = TorchEngine(tiny, "cuda", "fp16", BATCH)
    for n in (1, 2, 3, 1):
        output, exact = engine.run(crops[:n]), eager.run(crops[:n])
        assert output.images.shape == (n, 64, 64, 3)
        assert difference(output.images, exact.images) < 0.2
        assert difference(output.masks, exact.masks) < 0.2


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_agrees_with_the_cpu(tiny: ToonNetwork, crops: NDArray[np.uint8], precision: str) -> None:
    engine = CudaGraphEngine(tiny, torch.device("cuda", 0), precision, BATCH)
    exact = TorchEngine(tiny, "cpu", "fp32", BATCH).run(crops)
    output = engine.run(crops)
    assert difference(output.images, exact.images) < AGREEMENT
    assert difference(output.masks, exact.masks) < AGREEMENT
    engine.close()


@pytest.mark.gpu
@needs_gpu
def test_fp16_at_1024_stays_within_two_of_255() -> None:
    from engines.networks.encoder import Encoder, EncoderConfig
    from engines.networks.generator import Generator
    from engines.networks.generator_config import GeneratorConfig

    torch.manual_seed(0)
    network = ToonNetwork(
        Encoder(EncoderConfig(num_ws=18, w_dim=512)), Generator(GeneratorConfig(1024))
    )
    crops = noisy_crops(1, 256)
    engine = CudaGraphEngine(network, torch.device("cuda", 0), "fp16", 1)
    exact = TorchEngine(network, "cuda", "fp32", 1).run(crops)
    assert difference(engine.run(crops).images, exact.images) < AGREEMENT
    engine.close()


@pytest.mark.gpu
@needs_gpu
def test_a_frame_allocates_nothing(engine: CudaGraphEngine, crops: NDArray[np.uint8]) -> None:
    engine.run(crops)
    before = torch.cuda.memory_stats()["allocation.all.allocated"]
    addresses = {engine.run(crops[:n]).images.ctypes.data for n in (1, 2, 3)}
    assert torch.cuda.memory_stats()["allocation.all.allocated"] == before
    assert len(addresses) == 1


@pytest.mark.gpu
@needs_gpu
def test_update_writes_into_the_captured_memory(
    tiny: ToonNetwork, other_tiny: ToonNetwork, crops: NDArray[np.uint8]
) -> None:
    device = torch.device("cuda", 0)
    engine = CudaGraphEngine(tiny, device, "fp16", BATCH)
    old = engine.run(crops).images.copy()
    graphs = dict(engine._running().graphs)
    frames: list[NDArray[np.uint8]] = []
    done = threading.Event()

    def play() -> None:
        while not done.is_set():
            frames.append(engine.run(crops).images.copy())

    thread = threading.Thread(target=play)
    thread.start()
    engine.update(other_tiny)
    done.set()
    thread.join()
    fresh = CudaGraphEngine(other_tiny, device, "fp16", BATCH)
    new = fresh.run(crops).images.copy()
    assert difference(old, new) > 1
    assert difference(engine.run(crops).images, new) < 0.2
    assert engine._running().graphs == graphs
    assert all(min(difference(frame, old), difference(frame, new)) < 0.2 for frame in frames)
    engine.close()
    fresh.close()


@pytest.mark.gpu
@needs_gpu
def test_a_closed_engine_says_so(tiny: ToonNetwork, crops: NDArray[np.uint8]) -> None:
    engine = CudaGraphEngine(tiny, torch.device("cuda", 0), "fp16", 1)
    engine.close()
    with pytest.raises(BackendError, match="was closed"):
        engine.run(crops[:1])
