"""OpenVINO: the fast back end without an NVIDIA GPU, on CPUs and on Intel GPUs and NPUs.

One program for one crop, run once per face: on a CPU a batch of N takes N times as long as a batch
of one (measured), a free batch dimension makes every size slower, and an NPU takes fixed shapes
only. The compiled program is kept on disk and loads in a fraction of a second.
"""

from __future__ import annotations

import io
import math
import platform
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from engines.backends.cache import EngineLoadError
from engines.backends.devices.cpu import instruction_set, is_cpu
from engines.backends.devices.fastest import fastest
from engines.backends.devices.intel import accelerators, driver, failed, full_name, shared_core
from engines.backends.int8 import calibrated, hash_of, nncf_version
from engines.backends.keys import EngineKey, model_hash
from engines.backends.outputs import HostOutputs
from engines.backends.prepare import example_crops, prepared
from engines.backends.protocol import BackendError, EngineOutput, one_line
from engines.backends.request import EngineRequest, Prebuilt
from engines.backends.swapping import SwappingEngine

if TYPE_CHECKING:
    import openvino as ov

    from engines.networks.toon import ToonNetwork

NAME = "openvino"
AUTO = "auto"
"""The variant that means the fastest device."""
TYPES = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
"""Precision -> OpenVINO's name of the type."""


def create(request: EngineRequest) -> SwappingEngine:
    """`openvino` on the CPU, on another device (`openvino:gpu`, `openvino:npu`), or on the fastest.

    That one is `openvino:auto`, which is what `auto` asks for.
    """
    if request.variant == AUTO:
        return _on_the_fastest(request)
    core, device = _core_and_device(request)
    try:
        return _create(request, core, device)
    except RuntimeError as error:
        raise BackendError(failed(device, error)) from error


def _on_the_fastest(request: EngineRequest) -> SwappingEngine:
    core = shared_core()
    if not (others := accelerators(core)):
        return create(replace(request, variant=""))
    import openvino as ov

    about = {
        name.lower(): f"{full_name(core, name)} {driver(core, name)}" for name in (*others, "CPU")
    }
    return fastest(request, NAME, ov.get_version(), about, create)


def _create(request: EngineRequest, core: ov.Core, device: str) -> SwappingEngine:
    precision = _choose_precision(request, core, device)
    options = _options(precision, core, device)

    def build(network: ToonNetwork) -> OpenVinoProgram:
        current = replace(request, network=network)
        program = request.cache.load_or_build(
            _key(current, core, device, precision),
            lambda: _build(current, core, device, precision, options),
            load,
            request.say,
        )
        return OpenVinoProgram(program, core, device, precision, network, request.max_batch)

    def load(blob: bytes) -> ov.CompiledModel:
        try:
            return core.import_model(io.BytesIO(blob), device, options)
        except RuntimeError as error:
            raise EngineLoadError(
                f"OpenVINO could not load its engine on {device}: update the device's driver, or "
                f"choose torch ({one_line(error)})."
            ) from error

    engine = SwappingEngine(NAME, request.network, build, request.max_batch, request.say)
    if engine.precision != precision:
        request.say(f"{NAME}: asked for {precision}, but {device} runs {engine.precision}.")
    return engine


def prebuild(request: EngineRequest) -> Prebuilt:
    """Compiles for the device of `request.variant` (the CPU if empty) and keeps the program."""
    core, device = _core_and_device(request)
    precision = _choose_precision(request, core, device)
    options = _options(precision, core, device)
    key = _key(request, core, device, precision)
    _, built = request.cache.get_or_build(
        key, lambda: _build(request, core, device, precision, options), request.say
    )
    return Prebuilt(request.cache.path(key), built)


def _core_and_device(request: EngineRequest) -> tuple[ov.Core, str]:
    core = shared_core()
    device = (request.variant or "cpu").upper()
    if not any(name == device or name.startswith(f"{device}.") for name in core.available_devices):
        here = ", ".join(name.lower() for name in core.available_devices)
        raise BackendError(f"OpenVINO finds no device {device.lower()!r}: choose one of {here}.")
    return core, device


def _choose_precision(request: EngineRequest, core: ov.Core, device: str) -> str:
    """The device's own choice (bf16 where the CPU has it) unless the user names one."""
    offered = _floats(core, device)
    if "INT8" in core.get_property(device, "OPTIMIZATION_CAPABILITIES"):
        offered.append("int8")
    precision = request.choose_precision(f"{NAME} on {device}", tuple(offered))
    if precision == "int8" and (request.calibration is None or not len(request.calibration)):
        raise BackendError(
            "INT8 is calibrated on aligned face crops, but none were given: pass `calibration`, or "
            "choose bf16 or fp32."
        )
    return precision


def _floats(core: ov.Core, device: str) -> list[str]:
    """The precisions that really run there, the device's own choice first."""
    able = core.get_property(device, "OPTIMIZATION_CAPABILITIES")
    floats = [name for name in TYPES if name.upper() in able]
    if is_cpu(device):
        floats = [name for name in floats if instruction_set(core, TYPES[name]) is not None]
    own = core.get_property(device, "INFERENCE_PRECISION_HINT").to_string()
    return sorted(floats, key=lambda name: TYPES[name] != own)


def _options(precision: str, core: ov.Core, device: str) -> dict[str, str]:
    options = {"PERFORMANCE_HINT": "LATENCY"}
    if is_cpu(device):
        # A thread tied to a core waits for whatever else runs there, mostly the tracker, and all
        # threads of a layer wait with it: free threads lose a third as many frames on two cores.
        options["ENABLE_CPU_PINNING"] = "NO"
    # int8 is in the graph; the rest runs in the device's own choice
    floats = [precision] if precision in TYPES else _floats(core, device)
    if floats:
        options["INFERENCE_PRECISION_HINT"] = TYPES[floats[0]]
    return options


def _key(request: EngineRequest, core: ov.Core, device: str, precision: str) -> EngineKey:
    import openvino as ov

    name = full_name(core, device)
    able = " ".join(sorted(core.get_property(device, "OPTIMIZATION_CAPABILITIES")))
    version = ov.get_version()
    if precision == "int8" and request.calibration is not None:
        # Other calibration faces give another program.
        precision = f"int8 of {hash_of(request.calibration)}"
        version = f"{version}, nncf {nncf_version()}"
    size = request.network.input_size
    return EngineKey(
        model=model_hash(request.network),
        backend=NAME,
        version=version,
        target=f"{device} {name} {platform.machine()} {able} {_code(core, device)}",
        shape=f"1x{size}x{size}x3",
        precision=precision,
    )


def _code(core: ov.Core, device: str) -> str:
    """What compiled programs are for beside the device: its instructions, or its driver."""
    if is_cpu(device):
        return instruction_set(core, TYPES["fp32"]) or ""
    return driver(core, device)


def _build(
    request: EngineRequest, core: ov.Core, device: str, precision: str, options: dict[str, str]
) -> bytes:
    request.progress("Converting the network", 0.0)
    model = convert(request.network)
    if precision == "int8" and request.calibration is not None:
        request.progress("Calibrating", 0.3)
        measured = _options(precision, core, "CPU")
        model = calibrated(model, request.calibration, core, measured, request.say)
    request.progress("Compiling", 0.7)
    try:
        program = core.compile_model(model, device, options)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise BackendError(
            f"OpenVINO could not compile this model for {device} in {precision}: update the "
            f"device's driver, or choose openvino:cpu ({reason})."
        ) from error
    return bytes(program.export_model().getvalue())


def convert(network: ToonNetwork) -> ov.Model:
    """The network as an OpenVINO model for one crop: uint8 [1, S, S, 3] -> toons (and masks)."""
    import openvino as ov

    twin, example = prepared(network, "fp32"), example_crops(network, 1)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Tracing here, unchecked, takes a quarter of the time of letting OpenVINO trace and check.
        traced = torch.jit.trace(twin, example, check_trace=False)
        return ov.convert_model(traced, example_input=example, input=[tuple(example.shape)])


class OpenVinoProgram:
    """One compiled program and its output memory."""

    def __init__(
        self,
        program: ov.CompiledModel,
        core: ov.Core,
        device: str,
        precision: str,
        network: ToonNetwork,
        max_batch: int,
    ) -> None:
        import openvino as ov

        self.device = f"{device}, {full_name(core, device)}"
        self.precision = running_precision(program) or precision
        self._results = HostOutputs(network, max_batch)
        self._slots = [
            [ov.Tensor(array[i : i + 1], shared_memory=True) for array in self._results.arrays]
            for i in range(max_batch)
        ]
        self._tensor = ov.Tensor
        self._request = program.create_infer_request()
        self.run(example_crops(network, 1).numpy())

    def run(self, crops: NDArray[np.uint8]) -> EngineOutput:
        n, crops = len(crops), np.ascontiguousarray(crops)
        for i in range(n):
            self._request.set_input_tensor(self._tensor(crops[i : i + 1], shared_memory=True))
            for k, slot in enumerate(self._slots[i]):
                self._request.set_output_tensor(k, slot)
            try:
                self._request.infer()
            except RuntimeError as error:  # a GPU's driver was reset, or its memory is full
                raise BackendError(failed(self.device, error)) from error
        return self._results.engine_output(n)

    def close(self) -> None:
        del self._request


def running_precision(program: ov.CompiledModel) -> str:
    """What the convolutions of a compiled program really run in: the type that does most of their
    multiplications.

    Empty where the device does not tell, as NPUs do not.
    """
    names = {"f32": "fp32", "f16": "fp16", "bf16": "bf16", "i8": "int8", "u8": "int8"}
    work: dict[str, int] = {}
    try:
        nodes = program.get_runtime_model().get_ops()
    except RuntimeError:
        return ""
    for node in nodes:
        info = node.get_rt_info()
        kind = info["layerType"].astype(str) if "layerType" in info else ""
        if kind.startswith(("Convolution", "Deconvolution")) and node.get_input_size() > 1:
            name = names.get(info["runtimePrecision"].astype(str), "fp32")
            work[name] = work.get(name, 0) + _multiplications(node)
    return max(work, key=lambda name: work[name], default="")


def _multiplications(node: ov.Node) -> int:
    """Of a convolution: each weight meets each place of the smaller of its input and output."""
    places = min(
        math.prod(list(shape)[2:]) for shape in (node.get_input_shape(0), node.get_output_shape(0))
    )
    return math.prod(node.get_input_shape(1)) * places
