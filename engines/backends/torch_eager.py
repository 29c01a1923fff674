"""The reference back end: the network as torch runs it, on CPU, CUDA or Apple's MPS."""

from __future__ import annotations

import platform
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.buffers import gpu_faults
from engines.backends.outputs import HostOutputs
from engines.backends.prepare import example_crops, load_weights, prepared
from engines.backends.protocol import (
    CLOSED,
    BackendError,
    EngineOutput,
    check_crops,
    check_same_shape,
)
from engines.backends.request import EngineRequest

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

NAME = "torch"


def create(request: EngineRequest) -> TorchEngine:
    """`torch`, `torch:cpu`, `torch:cuda` or `torch:mps`, in fp32 or fp16."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    device = request.variant or next(name for name, here in available.items() if here)
    if not available.get(device):
        here = ", ".join(name for name, is_here in available.items() if is_here)
        raise BackendError(f"torch finds no device {device!r}: choose one of {here}.")
    precision = request.choose_precision(f"torch on {device}", ("fp32", "fp16"))
    with nullcontext() if device == "cpu" else gpu_faults(f"torch on {device}"):
        return TorchEngine(request.network, device, precision, request.max_batch)


class TorchEngine:
    """Eager torch; new weights are copied in between two frames."""

    name = NAME

    def __init__(self, network: ToonNetwork, device: str, precision: str, max_batch: int) -> None:
        start = time.perf_counter()
        self.device = device_name(device)
        self.precision, self.max_batch = precision, max_batch
        self.input_size, self.output_size = network.input_size, network.output_size
        self._device = device
        self._network: ToonNetwork | None = prepared(network, precision, device)
        self._results = HostOutputs(network, max_batch)
        self._lock = threading.Lock()
        self.run(example_crops(network, 1).numpy())
        self.build_seconds = time.perf_counter() - start

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        check_crops(crops, self.input_size, self.max_batch)
        with self._lock, torch.inference_mode(), self._exact():
            batch = torch.from_numpy(np.ascontiguousarray(crops)).to(self._device)
            for memory, result in zip(self._results.tensors, self._running()(batch), strict=True):
                memory[: len(crops)].copy_(result)
            return self._results.engine_output(len(crops))

    def update(self, network: ToonNetwork) -> None:
        check_same_shape(self._running(), network)
        staged = {name: tensor.to(self._device) for name, tensor in network.state_dict().items()}
        with self._lock:
            load_weights(self._running(), staged)
            self._results.follow(network)

    def close(self) -> None:
        with self._lock:
            self._network = None

    def _exact(self) -> AbstractContextManager[None]:
        """Keeps fp32 from being rounded to TF32, which torch allows for convolutions on CUDA."""
        if not self._device.startswith("cuda") or self.precision != "fp32":
            return nullcontext()
        return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)

    def _running(self) -> ToonNetwork:
        if self._network is None:
            raise BackendError(CLOSED)
        return self._network


def device_name(device: str) -> str:
    """The name of a torch device as its maker gives it."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"CPU, {platform.machine()}" if device == "cpu" else "Apple GPU"
