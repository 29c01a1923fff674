"""TensorRT through torch_tensorrt, for data-centre GPUs.

One program for one crop with fixed shapes, which TensorRT tunes best, run once per face as a CUDA
graph. The network is already typed (half convolutions, single styles), and TensorRT keeps to that.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engines.backends.buffers import Buffers, gpu_faults, require_cuda
from engines.backends.cache import EngineLoadError
from engines.backends.keys import EngineKey, model_hash
from engines.backends.prepare import CastFirst, example_crops, prepared
from engines.backends.protocol import BackendError, EngineOutput, one_line
from engines.backends.request import EngineRequest, Prebuilt
from engines.backends.swapping import SwappingEngine
from engines.errors import install

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

NAME = "tensorrt"
PRECISIONS = ("fp16", "fp32")
T = TypeVar("T")


@gpu_faults(NAME)
def create(request: EngineRequest) -> SwappingEngine:
    """`tensorrt` on the current CUDA device."""
    library, device, precision = _requirements(request)

    def build(network: ToonNetwork) -> TensorRtProgram:
        current = replace(request, network=network)
        # An update builds in its own thread, which would start on the first GPU.
        with torch.cuda.device(device):
            program = request.cache.load_or_build(
                _key(current, library, device, precision),
                lambda: _build(current, library, device, precision),
                load,
                request.say,
            )
            library.runtime.set_cudagraphs_mode(True)
            return TensorRtProgram(program.module(), network, device, precision, request.max_batch)

    def load(payload: bytes) -> torch.export.ExportedProgram:
        return _advised(
            "load its engine", lambda: torch.export.load(io.BytesIO(payload)), EngineLoadError
        )

    return SwappingEngine(NAME, request.network, build, request.max_batch, request.say)


@gpu_faults(NAME)
def prebuild(request: EngineRequest) -> Prebuilt:
    """Builds for the GPU of this machine and keeps the program."""
    library, device, precision = _requirements(request)
    key = _key(request, library, device, precision)
    _, built = request.cache.get_or_build(
        key, lambda: _build(request, library, device, precision), request.say
    )
    return Prebuilt(request.cache.path(key), built)


def _requirements(request: EngineRequest) -> tuple[Any, torch.device, str]:
    if request.variant:
        raise BackendError(f"{NAME} has no variants, but was asked for {request.variant!r}.")
    device = require_cuda(NAME)
    try:
        import torch_tensorrt

        import_module("tensorrt")  # only now: torch_tensorrt decides which library that is
    except Exception as error:  # a wheel for another torch or CUDA fails in many ways
        raise BackendError(
            "TensorRT is not installed or does not fit this torch: "
            f"{install('tensorrt')} ({one_line(error)})."
        ) from error
    precision = request.choose_precision(NAME, PRECISIONS)
    return torch_tensorrt, device, precision


def _key(request: EngineRequest, library: Any, device: torch.device, precision: str) -> EngineKey:
    major, minor = torch.cuda.get_device_capability(device)
    size = request.network.input_size
    return EngineKey(
        model=model_hash(request.network),
        backend=NAME,
        version=f"{library.__version__}, TensorRT {import_module('tensorrt').__version__}, "
        f"torch {torch.__version__}",
        target=f"sm{major}{minor} {torch.cuda.get_device_name(device)}",
        shape=f"1x{size}x{size}x3",
        precision=precision,
    )


def _build(request: EngineRequest, library: Any, device: torch.device, precision: str) -> bytes:
    request.progress("Exporting the network", 0.0)
    example = example_crops(request.network, 1).to(device)
    module = CastFirst(prepared(request.network, precision, device), precision)

    def compiled() -> bytes:
        program = torch.export.export(module, (example,))
        request.progress("Compiling", 0.1)
        graph = library.dynamo.compile(
            program,
            inputs=[example],
            use_explicit_typing=True,
            min_block_size=1,
            disable_tf32=precision == "fp32",
        )
        request.progress("Saving", 0.9)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "engine.pt2"
            library.save(graph, str(path), output_format="exported_program", inputs=[example])
            return path.read_bytes()

    return _advised("build an engine", compiled)


def _advised(action: str, call: Callable[[], T], kind: type[BackendError] = BackendError) -> T:
    """`call()`, with its errors in one line, as `kind` unless memory was short."""
    try:
        return call()
    except torch.cuda.OutOfMemoryError as error:
        raise BackendError(
            f"TensorRT could not {action} because the GPU's memory is full: close other programs, "
            "or choose cuda."
        ) from error
    except Exception as error:
        raise kind(
            f"TensorRT could not {action}: update the driver and torch-tensorrt together, or "
            f"choose cuda ({one_line(error)})."
        ) from error


class TensorRtProgram:
    """One loaded program and its buffers."""

    def __init__(
        self,
        program: nn.Module,
        network: ToonNetwork,
        device: torch.device,
        precision: str,
        max_batch: int,
    ) -> None:
        self.device, self.precision = torch.cuda.get_device_name(device), precision
        self._program = program
        self._stream = torch.cuda.Stream(device)
        self._buffers = Buffers(network, max_batch, device)
        for _ in range(2):  # the first run warms up, the second records the CUDA graph
            self.run(example_crops(network, 1).numpy())

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        buffers = self._buffers
        with torch.cuda.stream(self._stream), torch.inference_mode():
            buffers.upload(crops)
            for i in range(len(crops)):
                buffers.fill(self._program(buffers.crops[i : i + 1]), i)
            return buffers.download(len(crops))

    def close(self) -> None:
        self._stream.synchronize()
        del self._program
