"""TensorRT for RTX: plans built ahead of time on any machine, kernels finished on the user's GPU.

A plan is looked up in the cache: first one for this GPU, then, if the GPU is Ampere or newer, the
one for all of those. It is built only if neither is there. The library compiles the last part for
the GPU in use; that result is kept too, in its runtime cache.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.buffers import Buffers, gpu_faults, require_cuda
from engines.backends.cache import EngineCache, EngineLoadError
from engines.backends.keys import EngineKey, model_hash
from engines.backends.onnx_graph import INPUT, export_onnx, without_float_products
from engines.backends.prepare import example_crops
from engines.backends.protocol import BackendError, BackendNameError, EngineOutput
from engines.backends.request import EngineRequest, Prebuilt
from engines.backends.rtx_build import (
    AMPERE,
    TARGETS,
    TURING,
    build_plan,
    load_library,
    target_of,
    targets_of,
)
from engines.backends.swapping import SwappingEngine
from engines.say import Say

if TYPE_CHECKING:
    from engines.networks.toon import ToonNetwork

NAME = "tensorrt-rtx"
PRECISIONS = ("fp16", "fp32")


@gpu_faults(NAME)
def create(request: EngineRequest) -> SwappingEngine:
    """`tensorrt-rtx`, or with a target, such as `tensorrt-rtx:ampere+`."""
    device = require_cuda(NAME)  # first: without a GPU nobody is told to install the library
    load_library()
    precision = request.choose_precision(NAME, PRECISIONS)
    targets = (
        (_target(request.variant),)
        if request.variant
        else targets_of(torch.cuda.get_device_capability(device))
    )

    def build(network: ToonNetwork) -> RtxProgram:
        current = replace(request, network=network)
        first = _key(current, precision, targets[0])
        keys = [replace(first, target=target) for target in targets]
        key = next((key for key in keys if request.cache.holds(key)), keys[0])

        def compiled() -> bytes:
            request.say(f"{NAME}: building an engine for {key.target}, about a minute.")
            return _build(current, precision, key.target)

        def load(plan: bytes) -> RtxProgram:
            return RtxProgram(
                plan,
                key,
                network,
                request.max_batch,
                precision,
                device,
                request.cache,
                request.say,
            )

        # An update builds in its own thread, which would start on the first GPU.
        with torch.cuda.device(device):
            return request.cache.load_or_build(key, compiled, load, request.say)

    return SwappingEngine(NAME, request.network, build, request.max_batch, request.say)


@gpu_faults(NAME)
def prebuild(request: EngineRequest) -> Prebuilt:
    """Builds the plan for `request.variant`, which needs no GPU.

    If that is empty, it is built for the GPU of this machine, and for Ampere and newer where there
    is none.
    """
    load_library()
    precision = request.choose_precision(NAME, PRECISIONS)
    if request.variant:
        target = _target(request.variant)
    elif torch.cuda.is_available():
        target = target_of(torch.cuda.get_device_capability())
    else:
        target = AMPERE
    key = _key(request, precision, target)
    _, built = request.cache.get_or_build(
        key, lambda: _build(request, precision, target), request.say
    )
    return Prebuilt(request.cache.path(key), built)


def _target(name: str) -> str:
    if name not in TARGETS:
        raise BackendNameError(f"{NAME} builds for {', '.join(TARGETS)}, not for {name!r}.")
    return name


def _key(request: EngineRequest, precision: str, target: str) -> EngineKey:
    return EngineKey(
        model=model_hash(request.network),
        backend=NAME,
        version=load_library().__version__,
        target=target,
        shape=request.shape,
        precision=precision,
    )


def _build(request: EngineRequest, precision: str, target: str) -> bytes:
    request.progress("Exporting the network", 0.0)
    model = export_onnx(request.network, precision, request.max_batch)
    if target == TURING:
        model = without_float_products(model)
    size = request.network.input_size
    one, many = (1, size, size, 3), (request.max_batch, size, size, 3)
    return build_plan(
        model.SerializeToString(),
        target,
        (one, one, many),
        request.progress,
        tf32=precision != "fp32",
    )


class RtxProgram:
    """One plan loaded on the GPU, its buffers torch tensors, its launches one CUDA graph."""

    def __init__(
        self,
        plan: bytes,
        key: EngineKey,
        network: ToonNetwork,
        max_batch: int,
        precision: str,
        device: torch.device,
        cache: EngineCache,
        say: Say,
    ) -> None:
        trt = load_library()
        self.device, self.precision = torch.cuda.get_device_name(device), precision
        self._size = network.input_size
        self._stream = torch.cuda.Stream(device)
        self._logger = trt.Logger(trt.Logger.ERROR)
        self._runtime = trt.Runtime(self._logger)
        check_plan(trt, self._runtime, plan, say)
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise EngineLoadError(
                f"{NAME} could not load its engine: update the NVIDIA driver, or choose cuda."
            )
        config = engine.create_runtime_config()
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        config.dynamic_shapes_kernel_specialization_strategy = (
            trt.DynamicShapesKernelSpecializationStrategy.EAGER
        )
        kernels = config.create_runtime_cache()
        kernels_key = replace(key, backend=f"{NAME}-kernels", target=f"{key.target} {self.device}")
        stored = cache.load(kernels_key)
        warm = stored is not None and kernels.deserialize(stored)
        config.set_runtime_cache(kernels)
        context = engine.create_execution_context(config)
        if context is None:
            raise BackendError(
                f"{NAME} found too little GPU memory for this model: close other programs or lower "
                "max_batch."
            )
        # The context uses all of these for as long as it lives.
        self._engine, self._config, self._kernels = engine, config, kernels
        self._context: Any = context
        self._buffers = Buffers(network, max_batch, device)
        context.set_tensor_address(INPUT, self._buffers.crops.data_ptr())
        for output, memory in zip(network.outputs, self._buffers.outputs, strict=True):
            context.set_tensor_address(output.name, memory.data_ptr())
        # Run every batch size now: the first use compiles its kernels and captures its graph.
        for n in range(1, max_batch + 1):
            self.run(example_crops(network, n).numpy())
        if not warm:
            try:
                cache.store(kernels_key, bytes(kernels.serialize()))
            except BackendError as error:  # another user's cache; the engine runs all the same
                say(f"{NAME}: every start will compile its kernels again: {error}")

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        n = len(crops)
        with torch.cuda.stream(self._stream):
            self._buffers.upload(crops)
            self._context.set_input_shape(INPUT, (n, self._size, self._size, 3))
            if not self._context.execute_async_v3(self._stream.cuda_stream):
                raise BackendError(
                    f"{NAME} failed on the GPU: check `toonify doctor`, or choose cuda."
                )
            return self._buffers.download(n)

    def close(self) -> None:
        self._stream.synchronize()
        # A context must be freed before its engine, and an engine before its runtime.
        self._context = None
        self._engine = self._config = self._kernels = None
        self._runtime = None


def check_plan(trt: Any, runtime: Any, plan: bytes, say: Say) -> None:
    """Ask the library whether `plan` runs on this machine, before any of it is loaded.

    Raises:
        BackendError: when it does not, with every reason that the library gives.
        EngineLoadError: when it does not, but one that is built here now may.
    """
    validity, diagnostics = runtime.get_engine_validity(plan)
    if validity == trt.EngineValidity.VALID:
        return
    kinds = trt.EngineInvalidityDiagnostics
    advice = {
        kinds.VERSION_MISMATCH: "it was built by another version of TensorRT for RTX",
        kinds.UNSUPPORTED_CC: "it was built for another kind of GPU",
        kinds.OLD_CUDA_DRIVER: "the NVIDIA driver is too old",
        kinds.OLD_CUDA_RUNTIME: "the CUDA runtime is too old",
        kinds.INSUFFICIENT_GPU_MEMORY: "the GPU has too little memory",
        kinds.MALFORMED_ENGINE: "the file is damaged",
        kinds.CUDA_ERROR: "the CUDA driver does not answer",
    }
    bits = int(diagnostics)
    reasons = [text for kind, text in advice.items() if bits & int(kind.value)]
    why = " and ".join(reasons) or "the library sees no usable GPU"
    if validity == trt.EngineValidity.SUBOPTIMAL:
        say(f"{NAME}: the engine runs, but slower than it could: {why}.")
        return
    stale = int(kinds.VERSION_MISMATCH.value) | int(kinds.MALFORMED_ENGINE.value)
    raise (EngineLoadError if bits & stale else BackendError)(
        f"The {NAME} engine does not run on this machine because {why}: update the NVIDIA driver, "
        "or choose cuda."
    )
