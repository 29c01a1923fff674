"""Torch on an NVIDIA GPU without its overhead: FP16, channels last, one CUDA graph per batch size.

A captured graph replays every kernel with one launch, on memory that never moves; so a frame
allocates nothing, and new weights are simply copied over the old ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.backends.buffers import Buffers, require_cuda
from engines.backends.prepare import load_weights, prepared
from engines.backends.protocol import (
    CLOSED,
    BackendError,
    EngineOutput,
    check_crops,
    check_same_shape,
    split_outputs,
)
from engines.backends.request import EngineRequest

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

NAME = "cuda"
WARM_UP = 3
"""Runs before the capture: cuDNN chooses its kernels and workspaces in them."""


def create(request: EngineRequest) -> CudaGraphEngine:
    """``cuda``, or ``cuda:compile`` for kernels fused by torch.compile, in fp16 or fp32."""
    if request.variant not in ("", "compile"):
        raise BackendError(f"cuda has the variant 'compile' only, not {request.variant!r}.")
    device = require_cuda(NAME)
    precision = request.choose_precision(NAME, ("fp16", "fp32"))
    try:
        return CudaGraphEngine(
            request.network,
            device,
            precision,
            request.max_batch,
            fuse=request.variant == "compile",
        )
    except torch.cuda.OutOfMemoryError as error:
        free = torch.cuda.mem_get_info(device)[0] / 2**30
        raise BackendError(
            f"The GPU has {free:.1f} GiB free, too little for this model at {precision} and "
            f"{request.max_batch} faces: close other programs or lower max_batch."
        ) from error


def capture_order(max_batch: int) -> list[int]:
    """Largest batch first, so that the smaller graphs fit into the memory of the first."""
    return list(range(max_batch, 0, -1))


class CudaGraphEngine:
    """Replays captured graphs; see the module's text.

    Args:
        network: what to run.
        device: a CUDA device.
        precision: fp16 or fp32.
        max_batch: graphs are captured for 1..max_batch crops.
        fuse: let torch.compile fuse kernels before the capture (slow start, faster frames).
    """

    name = NAME

    def __init__(
        self,
        network: ToonNetwork,
        device: torch.device,
        precision: str,
        max_batch: int,
        *,
        fuse: bool = False,
    ) -> None:
        start = time.perf_counter()
        self.device = torch.cuda.get_device_name(device)
        self.precision, self.max_batch = precision, max_batch
        self.input_size, self.output_size = network.input_size, network.output_size
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._copies = torch.cuda.Stream(device)
        self._lock = threading.Lock()
        self._network = prepared(network, precision, device)
        self._buffers = Buffers(network, max_batch, device)
        forward: Callable[..., Any] = self._network
        if fuse:
            # Capturing is done here, so torch.compile is asked for fused kernels only.
            forward = torch.compile(forward, mode="max-autotune-no-cudagraphs", dynamic=False)
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        with torch.cuda.device(device), torch.inference_mode():
            for n in capture_order(max_batch):
                self._graphs[n] = self._capture(forward, n)
        self.build_seconds = time.perf_counter() - start

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        n = check_crops(crops, self.input_size, self.max_batch)
        with self._lock, torch.cuda.stream(self._stream):
            if n not in self._graphs:
                raise BackendError(CLOSED)
            self._buffers.upload(crops)
            self._graphs[n].replay()
            return self._buffers.download(n)

    def update(self, network: ToonNetwork) -> None:
        check_same_shape(self._network, network)
        # The slow way over the bus goes beside the frames; only the copy on the device stops them.
        with torch.cuda.stream(self._copies):
            staged = {name: t.to(self._device) for name, t in network.state_dict().items()}
            self._copies.synchronize()
        with self._lock, torch.cuda.stream(self._stream):
            load_weights(self._network, staged)
            self._stream.synchronize()

    def close(self) -> None:
        with self._lock:
            self._graphs.clear()
            torch.cuda.synchronize(self._device)
            torch.cuda.empty_cache()

    def _capture(self, forward: Callable[..., Any], n: int) -> torch.cuda.CUDAGraph:
        with torch.backends.cudnn.flags(enabled=True, benchmark=True):
            self._stream.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(self._stream):
                for _ in range(WARM_UP):
                    self._draw(forward, n)
                self._stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            pool = next(iter(self._graphs.values())).pool() if self._graphs else None
            with torch.cuda.graph(graph, pool=pool, stream=self._stream):
                self._draw(forward, n)
        return graph

    def _draw(self, forward: Callable[..., Any], n: int) -> None:
        outputs: Tensor | tuple[Tensor, ...] = forward(self._buffers.crops[:n])
        toons, masks = split_outputs(outputs)
        self._buffers.toons[:n].copy_(toons)
        if masks is not None and self._buffers.masks is not None:
            self._buffers.masks[:n].copy_(masks)
