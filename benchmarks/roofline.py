"""The machine's own ceilings, measured in the same run, and where a network stands below them.

Roofline model: Williams, Waterman & Patterson, CACM 52(4), 2009. A network cannot run faster than
its multiply-accumulates at the best matmul rate, nor than its memory traffic at the best copy rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.report import Result
from engines.say import Say

MATMUL_SIDE = {"cpu": 1024, "cuda": 8192}
COPY_BYTES = {"cpu": 256 << 20, "cuda": 2 << 30}
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Ceiling:
    """Best rates of one device: multiply-accumulates and copied bytes a second.

    `bytes_per_second` counts what is read plus what is written.
    """

    device: str
    precision: str
    macs_per_second: float
    bytes_per_second: float

    def attainable(self, intensity: float) -> float:
        """Highest MAC rate at `intensity` multiply-accumulates a byte."""
        return min(self.macs_per_second, intensity * self.bytes_per_second)

    @property
    def ridge(self) -> float:
        """Intensity (MAC a byte) from which on arithmetic, not memory, is the limit."""
        return self.macs_per_second / self.bytes_per_second

    def record(self) -> dict[str, Any]:
        """JSON-ready, in GMAC/s and GB/s."""
        return {
            "device": self.device,
            "precision": self.precision,
            "gmac_per_s": self.macs_per_second / 1e9,
            "gb_per_s": self.bytes_per_second / 1e9,
        }


def measure_ceiling(device: str, precision: str, seconds: float = 0.5) -> Ceiling:
    """Best of a matrix product and of a copy within `seconds` each (`device`: cpu or cuda)."""
    side = MATMUL_SIDE[device]
    dtype = DTYPES[precision]
    a = torch.randn(side, side, device=device).to(dtype)
    b = torch.randn(side, side, device=device).to(dtype)
    out = torch.empty_like(a)
    source = torch.ones(COPY_BYTES[device], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    product = _best(lambda: torch.mm(a, b, out=out), device, seconds)
    copy = _best(lambda: target.copy_(source), device, seconds)
    return Ceiling(device, precision, side**3 / product, 2 * source.numel() / copy)


def measure_ceilings(results: Sequence[Result], say: Say) -> list[Ceiling]:
    """The ceilings of processor and CUDA device in every float precision that was timed there."""
    wanted = dict.fromkeys(
        (str(result.labels["kind"]), str(result.labels["precision"]))
        for result in results
        if result.labels["kind"] != "other" and result.labels["precision"] in DTYPES
    )
    say("measuring the machine's own ceilings")
    return [measure_ceiling(kind, precision) for kind, precision in wanted]


def with_share(result: Result, ceilings: Sequence[Ceiling]) -> Result:
    """Adds the share of what the roofline allows, where its ceiling was measured."""
    for ceiling in ceilings:
        if (ceiling.device, ceiling.precision) == (
            result.labels["kind"],
            result.labels["precision"],
        ):
            attainable = ceiling.attainable(result.metrics["intensity"])
            result.metrics["share_of_ceiling"] = result.metrics["gmac_per_s"] * 1e9 / attainable
    return result


def _best(run: Callable[[], object], device: str, seconds: float) -> float:
    """Shortest time of one run, in seconds."""
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    run()
    wait()
    best, end = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < end:
        before = time.perf_counter()
        run()
        wait()
        best = min(best, time.perf_counter() - before)
    return best


def element_bytes(precision: str) -> int:
    """Bytes of one number."""
    return 1 if precision == "int8" else DTYPES[precision].itemsize


class _Traffic(TorchDispatchMode):
    """Adds up the bytes that convolutions and matrix products read and write, once each."""

    COUNTED = ("convolution", "mm", "addmm", "bmm", "baddbmm")

    def __init__(self, element_bytes: int) -> None:
        super().__init__()
        self.element_bytes = element_bytes
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket.__name__ in self.COUNTED:
            tensors = [t for t in (*args, result) if isinstance(t, Tensor)]
            self.bytes += sum(t.numel() for t in tensors) * self.element_bytes
        return result


def traffic(module: nn.Module, *inputs: Tensor, precision: str = "fp32") -> int:
    """Bytes to and from memory of one forward pass if every layer stores its output once.

    Element-wise work counts as fused into its neighbour, which is what compilers do.
    """
    with torch.no_grad(), _Traffic(element_bytes(precision)) as mode:
        module(*inputs)
    return mode.bytes
