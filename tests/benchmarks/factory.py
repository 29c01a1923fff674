"""Reports with known figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.quality.metrics import metric_result
from benchmarks.report import Aim, Label, Report, Result, Series, Skipped

MACHINE = {
    "cpu": "A CPU",
    "usable_cores": 2,
    "gpus": [],
    "versions": {"torch": "2"},
    "commit": "abc",
}
CEILING = {"device": "cpu", "precision": "fp32", "gmac_per_s": 100.0, "gb_per_s": 10.0}


def latency(median: float, seed: int = 0) -> Series:
    random = np.random.default_rng(seed)
    rounds = [list(median + 0.05 * median * random.random(10)) for _ in range(6)]
    return Series("ms", "lower", rounds)


def result(name: str, median: float, seed: int = 0) -> Result:
    labels: dict[str, Label] = {"tier": "shipped", "engine": name, "precision": "fp32", "batch": 1}
    metrics = {"images_per_s": 1e3 / median, "gmac_per_s": 2e3 / median, "intensity": 20.0}
    return Result(f"shipped {name} b1", labels, {"latency": latency(median, seed)}, metrics)


def report(**changes: Any) -> Report:
    whole = Report(
        kind="engines",
        settings={"batches": [1]},
        conditions={"complaints": [], "yardstick_ms": [1.0, 1.0]},
        results=[result("torch", 80), result("openvino", 20)],
        skipped=[Skipped("cuda", "No GPU.")],
        aims=[Aim("openvino, ms", 20.0, 25.0, "lower")],
        ceilings=[CEILING],
        machine=MACHINE,
        command="python -m benchmarks engines",
    )
    return replace(whole, **changes)


def people(values: dict[str, list[float]]) -> Report:
    """A quality report on people p0, p1, ..., by metric."""
    results = [
        metric_result(name, [f"p{i}" for i in range(len(samples))], samples)
        for name, samples in values.items()
    ]
    return report(kind="quality", results=results)


def loop(intervals: list[float], latencies: list[float]) -> Report:
    """A loop report of six rounds alike."""
    series = {
        "frame_interval": Series("ms", "lower", [intervals] * 6),
        "latency": Series("ms", "lower", [latencies] * 6),
        "memory": Series("MiB", "neither", [[500.0]] * 6),
    }
    return report(kind="loop", results=[Result("1 face 30 fps", {}, series)])
