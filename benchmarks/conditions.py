"""Whether the machine was fit to be measured: other load, clocks, throttling, a jumping clock."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import psutil

from benchmarks.machine import nvml
from engines.errors import ToonifyError

MAX_OTHER_LOAD = 0.10
"""Share of all cores that other programs (or a hypervisor) may take."""
MAX_YARDSTICK_SPREAD = 1.25
"""p90 over p10 of the time for one fixed piece of work."""
MAX_CLOCK_SPREAD = 1.10
"""Highest over lowest SM clock seen under one and the same load."""
MAX_CLOCK_JUMP = 0.01
"""Share by which wall clock and performance counter may disagree, beyond 50 ms."""

# nvmlClocksEventReason*: hardware slowdown, software and hardware thermal slowdown, power brake.
THROTTLE_REASONS: Mapping[int, str] = {
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}


class UnfitMachineError(ToonifyError):
    """The samples would mislead their readers."""


@dataclass(frozen=True)
class GpuReading:
    """One reading of one GPU through NVML.

    Attributes:
        after: what had just run there; empty where the GPU was idle.
    """

    index: int
    sm_clock_mhz: int
    power_w: float
    temperature_c: int
    throttle: int
    shared: bool
    after: str = ""


@dataclass(frozen=True)
class Conditions:
    """What `Monitor` saw. `complaints` is empty when the samples can be trusted."""

    seconds: float
    other_load: float
    yardstick_ms: tuple[float, ...]
    clock_jump: float
    gpus: tuple[GpuReading, ...] = ()

    @property
    def complaints(self) -> list[str]:
        """One sentence per reason not to trust the samples."""
        found = []
        if self.other_load > MAX_OTHER_LOAD:
            found.append(
                f"Other programs used {self.other_load:.0%} of the processor while measuring "
                f"(at most {MAX_OTHER_LOAD:.0%} is allowed); close them and run again."
            )
        spread = self.yardstick_spread
        if spread > MAX_YARDSTICK_SPREAD:
            found.append(
                f"A fixed piece of work took between 1 and {spread:.2f} times as long during the "
                "run (throttling, or another load); let the machine cool or settle and run again."
            )
        if abs(self.clock_jump) > MAX_CLOCK_JUMP * self.seconds + 0.05:
            found.append(
                f"The system clock jumped by {self.clock_jump:+.2f} s during the run (suspended, "
                "or set); run again."
            )
        return found + self._gpu_complaints()

    def _gpu_complaints(self) -> list[str]:
        found = []
        for index in sorted({reading.index for reading in self.gpus}):
            seen = [reading for reading in self.gpus if reading.index == index]
            throttle = 0
            for reading in seen:
                throttle |= reading.throttle
            if names := [name for bit, name in THROTTLE_REASONS.items() if throttle & bit]:
                found.append(f"GPU {index} slowed itself down ({', '.join(names)}); cool it.")
            if any(reading.shared for reading in seen):
                found.append(f"Another program held GPU {index}; stop it and run again.")
            for load in dict.fromkeys(reading.after for reading in seen if reading.after):
                clocks = [reading.sm_clock_mhz for reading in seen if reading.after == load]
                if max(clocks) > MAX_CLOCK_SPREAD * min(clocks):
                    found.append(
                        f"The clock of GPU {index} moved between {min(clocks)} and {max(clocks)} "
                        f"MHz while {load} ran; lock it (nvidia-smi -lgc) or warm up longer."
                    )
        return found

    @property
    def yardstick_spread(self) -> float:
        """p90 over p10 of the yardstick; 1 without readings."""
        if not self.yardstick_ms:
            return 1.0
        low, high = np.quantile(self.yardstick_ms, (0.1, 0.9))
        return float(high / low)

    def record(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "gpus": [asdict(g) for g in self.gpus]} | {
            "yardstick_ms": list(self.yardstick_ms),
            "complaints": self.complaints,
        }


def require_fit(complaints: Sequence[str], noisy_ok: bool) -> None:
    """Refuse samples with complaints, unless `noisy_ok`.

    Raises:
        UnfitMachineError: with every complaint.
    """
    if complaints and not noisy_ok:
        raise UnfitMachineError(
            "There is no report, because the samples are not reliable: "
            + " ".join(complaints)
            + " (--noisy-ok writes the report anyway, with these complaints in it.)"
        )


class Monitor:
    """Observes the machine while something is measured; call `tick` now and then.

    In a worker of a benchmark the parent and all its workers count as the benchmark itself.
    """

    def __init__(self) -> None:
        parent = multiprocessing.parent_process()
        self._benchmark = psutil.Process(parent.pid if parent else None)
        self._yardstick: list[float] = []
        self._gpus: list[GpuReading] = []
        self._work = np.random.default_rng(0).standard_normal((192, 192)).astype(np.float32)
        self._measure_yardstick()  # the first one pays for pages and thread pools
        self._wall, self._counter = time.time(), time.perf_counter()
        self._busy, self._own = _busy_seconds(), self._own_seconds()

    def tick(self) -> None:
        """Times the yardstick once."""
        self._yardstick.append(self._measure_yardstick())

    def look_at_gpu(self, after: str = "") -> list[GpuReading]:
        """Take a reading of the GPU that CUDA uses here; call it after something ran there.

        Args:
            after: as in `GpuReading`.
        """
        found = read_gpu(after)
        self._gpus += found
        return found

    def finish(self) -> Conditions:
        """What was seen from construction to now."""
        seconds = time.perf_counter() - self._counter
        others = (_busy_seconds() - self._busy) - (self._own_seconds() - self._own)
        return Conditions(
            seconds=seconds,
            # both sides count in ticks of 10 ms, so a short run may overshoot
            other_load=float(np.clip(others / seconds / (psutil.cpu_count() or 1), 0, 1)),
            yardstick_ms=tuple(self._yardstick),
            clock_jump=(time.time() - self._wall) - seconds,
            gpus=tuple(self._gpus),
        )

    def _measure_yardstick(self) -> float:
        """Milliseconds for fixed elementwise work on one core; the best of three."""
        best = float("inf")
        for _ in range(3):
            before = time.perf_counter()
            for _ in range(20):
                np.tanh(self._work)
            best = min(best, time.perf_counter() - before)
        return best * 1e3

    def _own_seconds(self) -> float:
        """Processor seconds of the benchmark's processes, those that have ended included."""
        total = 0.0
        for process in (self._benchmark, *self._benchmark.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total


def _busy_seconds() -> float:
    """Processor seconds used on all cores since boot, including those a hypervisor took."""
    times = psutil.cpu_times()
    # guest time is contained in user time
    idle = ("idle", "iowait", "guest", "guest_nice")
    return sum(value for name, value in times._asdict().items() if name not in idle)


def read_gpu(after: str = "") -> list[GpuReading]:
    """A reading of the GPU that CUDA uses in this process; empty where NVML knows none.

    CUDA and NVML number GPUs differently, so it is found by its UUID.
    """
    import torch

    with nvml() as library:
        if library is None or not torch.cuda.is_available():
            return []
        uuid = torch.cuda.get_device_properties(torch.cuda.current_device()).uuid
        try:
            handle = library.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        except library.NVMLError:  # a slice of a GPU (MIG), whose clock and power are not its own
            return []
        return [
            GpuReading(
                index=library.nvmlDeviceGetIndex(handle),
                sm_clock_mhz=library.nvmlDeviceGetClockInfo(handle, library.NVML_CLOCK_SM),
                power_w=library.nvmlDeviceGetPowerUsage(handle) / 1e3,
                temperature_c=library.nvmlDeviceGetTemperature(
                    handle, library.NVML_TEMPERATURE_GPU
                ),
                throttle=library.nvmlDeviceGetCurrentClocksThrottleReasons(handle),
                # NVML counts processes of other containers too, under pids unknown here
                shared=len(library.nvmlDeviceGetComputeRunningProcesses(handle)) > 1,
                after=after,
            )
        ]
