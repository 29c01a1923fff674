"""A network on one back end, with what it costs, and how several of them are timed in turns."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from benchmarks.conditions import GpuReading, Monitor
from benchmarks.machine import device_kind
from benchmarks.memory import PeakMemory
from benchmarks.report import Label, Result, Series, Skipped
from benchmarks.roofline import element_bytes, traffic
from benchmarks.timing import Budget, CudaClock, Task, Timing, take_turns
from engines.backends import Engine, create_engine
from engines.faces.calibration import crops_for
from engines.networks.cost import macs


@dataclass
class Runner:
    """A network made ready, and what it costs.

    Attributes:
        macs: multiply-accumulates of one image.
        traffic: bytes to and from memory for one image.
        weights: bytes of all weights.
        held_mib: memory that the engine keeps between runs.
    """

    tier: str
    engine: Engine
    macs: int
    traffic: int
    weights: int
    held_mib: float

    @property
    def kind(self) -> Literal["cuda", "cpu", "other"]:
        return device_kind(self.engine)

    @property
    def on_cuda(self) -> bool:
        return self.kind == "cuda"

    @property
    def label(self) -> str:
        return f"{self.tier} {self.engine.name} {self.engine.precision}"


def build_runner(
    tier: str,
    network: Any,
    name: str,
    precision: str | None,
    max_batch: int,
    *,
    calibration: Path | None = None,
) -> Runner:
    """Build one engine and count its work.

    Raises:
        ToonifyError: when it cannot run here.
    """
    example = torch.from_numpy(random_crops(network.input_size, 1))
    meters = {cuda: PeakMemory(cuda=cuda) for cuda in {False, torch.cuda.is_available()}}
    with tempfile.TemporaryDirectory() as fresh:  # a build time, not that of a cache
        engine = create_engine(
            network,
            name,
            precision=precision,
            max_batch=max_batch,
            cache_dir=Path(fresh),
            say=lambda line: None,
            calibration=_crops(precision, network.input_size, calibration),
        )
    held = {cuda: meter.held() for cuda, meter in meters.items()}
    return Runner(
        tier=tier,
        engine=engine,
        macs=macs(network, example),
        traffic=traffic(network, example, precision=engine.precision),
        weights=sum(p.numel() for p in network.parameters()) * element_bytes(engine.precision),
        held_mib=held[device_kind(engine) == "cuda"],
    )


_crops = lru_cache(maxsize=2)(crops_for)  # the same for every back end


def random_crops(size: int, count: int) -> np.ndarray:
    """uint8 [count, size, size, 3]: noise, so that nothing can be precomputed."""
    return np.random.default_rng(count).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def time_batch(
    runners: Sequence[Runner],
    batch: int,
    budget: Budget,
    monitor: Monitor,
    skipped: list[Skipped],
) -> list[Result]:
    """Times all runners at one batch size, taking turns."""
    tasks: dict[str, tuple[Task, Runner]] = {}
    peaks: dict[str, float] = {}
    for runner in runners:
        task = _task(runner, batch)
        memory = PeakMemory(cuda=runner.on_cuda)
        seconds = _seconds_of_one(task)
        peaks[task.name] = runner.held_mib + memory.read()
        if runner.on_cuda:  # its allocators keep what they took
            runner.held_mib = peaks[task.name]
        if seconds > budget.seconds:
            skipped.append(
                Skipped(
                    task.name,
                    f"One batch takes {seconds:.1f} s, more than the {budget.seconds:g} s allowed.",
                )
            )
            continue
        tasks[task.name] = (task, runner)
    readings: dict[str, list[GpuReading]] = {name: [] for name in tasks}

    def look(task: Task) -> None:
        if tasks[task.name][1].on_cuda:
            readings[task.name] += monitor.look_at_gpu(task.name)

    timings = take_turns(
        [task for task, _ in tasks.values()], budget, between=monitor.tick, after=look
    )
    return [
        engine_result(name, runner, batch, timings[name], readings[name], peaks[name])
        for name, (_, runner) in tasks.items()
    ]


def _task(runner: Runner, batch: int) -> Task:
    crops = random_crops(runner.engine.input_size, batch)
    clock = CudaClock(getattr(runner.engine, "stream", None)) if runner.on_cuda else None
    return Task(f"{runner.label} b{batch}", lambda: runner.engine.run(crops), clock)


def _seconds_of_one(task: Task) -> float:
    """Of two runs the faster one: the very first may still prepare things."""
    times = []
    for _ in range(2):
        before = time.perf_counter()
        task.run()
        times.append(time.perf_counter() - before)
    return min(times)


def engine_result(
    name: str,
    runner: Runner,
    batch: int,
    timing: Timing,
    readings: Sequence[GpuReading],
    peak_memory_mib: float,
) -> Result:
    """What one engine did at one batch size."""
    latency = Series("ms", "lower", timing.best)
    series = {"latency": latency}
    if timing.device:
        series["host_latency"] = Series("ms", "lower", timing.host)
    images_per_s = batch / latency.summary.median.value * 1e3
    metrics = {
        "images_per_s": images_per_s,
        "gmac_per_image": runner.macs / 1e9,
        "gmac_per_s": images_per_s * runner.macs / 1e9,
        "intensity": intensity(runner, batch),
        "peak_memory_mib": peak_memory_mib,
        "build_s": runner.engine.build_seconds,
    }
    if readings:
        metrics["power_w"] = float(np.mean([reading.power_w for reading in readings]))
        metrics["sm_clock_mhz"] = float(np.mean([reading.sm_clock_mhz for reading in readings]))
    labels: dict[str, Label] = {
        "tier": runner.tier,
        "engine": runner.engine.name,
        "device": runner.engine.device,
        "precision": runner.engine.precision,
        "batch": batch,
        "kind": runner.kind,
    }
    return Result(name, labels, series, metrics)


def intensity(runner: Runner, batch: int) -> float:
    """Multiply-accumulates a byte at `batch`: weights are read once for all its images."""
    activations = max(0, runner.traffic - runner.weights)
    return batch * runner.macs / (runner.weights + batch * activations)
