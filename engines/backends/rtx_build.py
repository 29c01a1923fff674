"""ONNX -> TensorRT for RTX plan, on the CPU: no GPU is needed or asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engines.backends.onnx_graph import INPUT
from engines.backends.protocol import BackendError, one_line
from engines.backends.request import BuildProgress
from engines.errors import install

if TYPE_CHECKING:
    import tensorrt_rtx as trt

AMPERE = "ampere+"
"""The default target: one plan for Ampere and every later RTX GPU."""
TURING = "sm75"
TARGETS = (AMPERE, TURING, "sm80", "sm86", "sm89", "sm120")


def load_library() -> Any:
    """The module `tensorrt_rtx`.

    Raises:
        BackendError: saying how to install it.
    """
    try:
        import tensorrt_rtx
    except (ImportError, OSError) as error:
        raise BackendError(
            "tensorrt-rtx is not installed, which is for Linux and Windows on x86-64: "
            f"{install('rtx')}, or choose openvino ({type(error).__name__})."
        ) from error
    return tensorrt_rtx


def target_of(capability: tuple[int, int]) -> str:
    """The target that fits a GPU of this compute capability."""
    name = f"sm{capability[0]}{capability[1]}"
    if name in TARGETS:
        return name
    if capability < (7, 5):
        raise BackendError(
            f"TensorRT for RTX needs a GPU of compute capability 7.5 or newer, but this one has "
            f"{capability[0]}.{capability[1]}: choose cuda."
        )
    return AMPERE


def targets_of(capability: tuple[int, int]) -> tuple[str, ...]:
    """The targets whose plans a GPU of this compute capability runs, the best one first."""
    own = target_of(capability)
    return (own, AMPERE) if capability >= (8, 0) else (own,)


def build_plan(
    model: bytes,
    target: str,
    shapes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    progress: BuildProgress,
    *,
    tf32: bool = True,
) -> bytes:
    """Compiles a serialised ONNX model.

    Args:
        model: as `export_onnx` makes it; for `TURING` without float32 products.
        target: one of `TARGETS`.
        shapes: smallest, usual and largest shape of the crops.
        progress: takes the compiler's phases.
        tf32: float32 convolutions may be rounded to TF32.

    Returns:
        The plan, for this version of the library only.

    Raises:
        BackendError: the model cannot be parsed or compiled, with the compiler's first reason.
    """
    trt = load_library()
    messages = _Messages(trt)
    builder = trt.Builder(messages.logger)
    definition = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(definition, messages.logger)
    if not parser.parse(model):
        reason = parser.get_error(0).desc() if parser.num_errors else messages.first()
        raise BackendError(f"TensorRT for RTX cannot read this model: {one_line(reason, 300)}")
    config = builder.create_builder_config()
    if min(shapes) != max(shapes):
        profile = builder.create_optimization_profile()
        profile.set_shape(INPUT, *shapes)
        config.add_optimization_profile(profile)
    if target != AMPERE:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, target.upper()), 0)
    if not tf32:
        config.clear_flag(trt.BuilderFlag.TF32)
    monitor = _progress_monitor(trt, progress)
    config.progress_monitor = monitor
    plan = builder.build_serialized_network(definition, config)
    if plan is None:
        raise BackendError(
            f"TensorRT for RTX cannot build this model for {target}: "
            f"{one_line(messages.first(), 300)}"
        )
    return bytes(plan)


class _Messages:
    """Keeps what the library logs, so that an error can quote it."""

    def __init__(self, trt: Any) -> None:
        errors: list[str] = []

        class Logger(trt.ILogger):
            def __init__(self) -> None:
                trt.ILogger.__init__(self)

            def log(self, severity: trt.ILogger.Severity, message: str) -> None:
                # A missing driver is not the model's fault.
                if severity <= trt.ILogger.Severity.ERROR and "cudaError" not in message:
                    errors.append(message)

        self.errors = errors
        self.logger = Logger()

    def first(self) -> str:
        return self.errors[0] if self.errors else "no reason was given"


def _progress_monitor(trt: Any, progress: BuildProgress) -> Any:
    class Monitor(trt.IProgressMonitor):
        """Phases are nested; the outermost one's steps are the fraction."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.outermost, self.steps, self.fraction = "", 1, 0.0

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            if parent is None:
                self.outermost, self.steps = name, max(steps, 1)
            progress(name, self.fraction)

        def step_complete(self, name: str, step: int) -> bool:
            if name == self.outermost:
                self.fraction = min((step + 1) / self.steps, 1.0)
            return True

        def phase_finish(self, name: str) -> None:
            pass

    return Monitor()
