"""Several GPUs: their figures add up, and a process that dies or hangs ends the run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.report import Label, Report, Result, Series, Skipped
from benchmarks.suites import multi_gpu
from engines.errors import ToonifyError
from tests.benchmarks.suites import workers
from tests.benchmarks.suites.factory import settings


def one_gpu(rate: float, complaints: list[str]) -> Report:
    labels: dict[str, Label] = {"tier": "256", "engine": "cuda", "precision": "fp16", "batch": 1}
    latency = Series("ms", "lower", [[1.0, 1.1]])
    result = Result("256 cuda fp16 b1", labels, {"latency": latency}, {"images_per_s": rate})
    return Report("engines", {}, {"complaints": complaints}, [result], machine={})


def test_gpus_add_up() -> None:
    hot = replace(one_gpu(90, ["Hot."]), skipped=[Skipped("256 tensorrt", "Not installed.")])
    merged = multi_gpu.merge({0: one_gpu(100, []), 2: hot})
    names = [result.name for result in merged.results]
    assert names == [
        "GPU 0: 256 cuda fp16 b1", "GPU 2: 256 cuda fp16 b1", "all 2 GPUs: 256 cuda fp16 b1",
    ]  # fmt: skip
    assert merged.results[-1].metrics["images_per_s"] == 190
    assert merged.complaints == ["Hot."]
    assert merged.skipped == [Skipped("GPU 2: 256 tensorrt", "Not installed.")]


def test_gpus_that_are_not_there_are_refused() -> None:
    with pytest.raises(ToonifyError, match="Expected GPUs among"):
        multi_gpu.run_on_gpus(settings(), "977", lambda line: None)
    with pytest.raises(ToonifyError, match="'all' or numbers"):
        multi_gpu.run_on_gpus(settings(), "first", lambda line: None)


def test_a_killed_process_ends_a_run_on_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_gpu, "_work", workers.killed)
    light: Any = workers.LightSettings()
    with pytest.raises(ToonifyError, match="that of GPU 2 ended with code 9"):
        multi_gpu.run_at_once(light, [0, 2], lambda line: None)


def test_a_hanging_process_ends_a_run_on_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_gpu, "_work", workers.hanging)
    monkeypatch.setattr(multi_gpu, "PATIENCE", 2.0)
    light: Any = workers.LightSettings()
    with pytest.raises(ToonifyError, match="that of GPU 3 gave no answer"):
        multi_gpu.run_at_once(light, [3], lambda line: None)
