"""Torch on an NVIDIA GPU without its overhead: FP16, channels last, one CUDA graph per batch size.

A captured graph replays every kernel with one launch, on memory that never moves. So a frame
allocates nothing, and new weights are copied over the old ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.buffers import Buffers, gpu_faults, require_cuda
from engines.backends.prepare import load_weights, prepared
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

NAME = "cuda"
WARM_UP = 3
"""Runs before the capture: cuDNN chooses its kernels and workspaces in them."""


@gpu_faults(NAME)
def create(request: EngineRequest) -> CudaGraphEngine:
    """`cuda`, or `cuda:compile` for kernels fused by torch.compile, in fp16 or fp32."""
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


class _Captured(NamedTuple):
    """Everything an engine holds on the GPU.

    Attributes:
        graphs: batch size -> graph.
    """

    network: ToonNetwork
    buffers: Buffers
    graphs: dict[int, torch.cuda.CUDAGraph]
    stream: torch.cuda.Stream
    copies: torch.cuda.Stream


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
        self._lock = threading.Lock()
        captured = _Captured(
            prepared(network, precision, device),
            Buffers(network, max_batch, device),
            {},
            torch.cuda.Stream(device),
            torch.cuda.Stream(device),
        )
        forward: Callable[..., Any] = captured.network
        if fuse:
            # Capturing is done here, so torch.compile is asked for fused kernels only.
            forward = torch.compile(forward, mode="max-autotune-no-cudagraphs", dynamic=False)
        # What is called fp32 is not rounded to TF32, which torch allows for convolutions.
        tf32 = precision != "fp32"
        with (
            torch.cuda.device(device),
            torch.inference_mode(),
            torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=tf32),
        ):
            for n in capture_order(max_batch):
                captured.graphs[n] = _capture(captured, forward, n)
        self._captured: _Captured | None = captured
        self.build_seconds = time.perf_counter() - start

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        n = check_crops(crops, self.input_size, self.max_batch)
        with self._lock:
            captured = self._running()
            with torch.cuda.stream(captured.stream):
                captured.buffers.upload(crops)
                captured.graphs[n].replay()
                return captured.buffers.download(n)

    def update(self, network: ToonNetwork) -> None:
        captured = self._running()
        check_same_shape(captured.network, network)
        # The slow copy over the bus runs beside the frames; only the copy on the device stops them.
        with torch.cuda.stream(captured.copies):
            staged = {name: t.to(self._device) for name, t in network.state_dict().items()}
            captured.copies.synchronize()
        with self._lock:
            captured = self._running()  # it may have been closed during the copy
            with torch.cuda.stream(captured.stream):
                load_weights(captured.network, staged)
                captured.stream.synchronize()
            captured.buffers.follow(network)

    def close(self) -> None:
        with self._lock:
            torch.cuda.synchronize(self._device)
            self._captured = None
            torch.cuda.empty_cache()

    def _running(self) -> _Captured:
        if self._captured is None:
            raise BackendError(CLOSED)
        return self._captured


def _capture(captured: _Captured, forward: Callable[..., Any], n: int) -> torch.cuda.CUDAGraph:
    stream, graphs = captured.stream, captured.graphs
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            _draw(captured.buffers, forward, n)
        stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    pool = next(iter(graphs.values())).pool() if graphs else None
    with torch.cuda.graph(graph, pool=pool, stream=stream):
        _draw(captured.buffers, forward, n)
    return graph


def _draw(buffers: Buffers, forward: Callable[..., Any], n: int) -> None:
    buffers.fill(forward(buffers.crops[:n]))
