"""An unfit machine is reported, and its samples refused."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.queues import Queue
from types import SimpleNamespace

import pytest

from benchmarks import conditions as conditions_module
from benchmarks.conditions import Conditions, GpuReading, Monitor, UnfitMachineError, require_fit

FIT = Conditions(seconds=10, other_load=0.01, yardstick_ms=(1.0, 1.01, 1.02), clock_jump=0.0)
COOL = GpuReading(0, 1980, 300.0, 50, 0, False, "x")


def test_a_fit_machine_has_no_complaints() -> None:
    assert replace(FIT, gpus=(COOL,) * 4).complaints == []
    require_fit([], noisy_ok=False)


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        (replace(FIT, other_load=0.4), "Other programs used 40%"),
        (replace(FIT, yardstick_ms=(1.0, 1.0, 1.5, 1.6)), "times as long"),
        (replace(FIT, clock_jump=3.0), "clock jumped by \\+3.00 s"),
        (replace(FIT, gpus=(COOL, replace(COOL, throttle=0x40))), "hardware thermal slowdown"),
        (replace(FIT, gpus=(COOL, replace(COOL, shared=True))), "held GPU 0"),
        (
            replace(FIT, gpus=(COOL, COOL, replace(COOL, sm_clock_mhz=1200), COOL)),
            "between 1200 and 1980 MHz",
        ),
    ],
)
def test_meaningless_samples_are_refused(conditions: Conditions, words: str) -> None:
    with pytest.raises(UnfitMachineError, match=words):
        require_fit(conditions.complaints, noisy_ok=False)
    require_fit(conditions.complaints, noisy_ok=True)


def test_the_clock_counts_only_under_one_and_the_same_load() -> None:
    slow = replace(COOL, sm_clock_mhz=345)
    idle, other = replace(slow, after=""), replace(slow, after="y")
    assert replace(FIT, gpus=(idle, COOL, other, COOL, other, idle)).complaints == []


class FakeNvml:
    """Two GPUs; one UUID is known."""

    NVMLError = RuntimeError
    NVML_CLOCK_SM = NVML_TEMPERATURE_GPU = 0

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802
        if uuid != "GPU-used":
            raise RuntimeError
        return 1

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[str]:  # noqa: N802
        return ["ours"]

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda handle, *_: handle * 1000


def test_only_the_gpu_in_use_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    uuids = iter(["used", "slice"])
    monkeypatch.setattr(conditions_module, "nvml", lambda: contextlib.nullcontext(FakeNvml()))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 0)
    monkeypatch.setattr(
        "torch.cuda.get_device_properties", lambda index: SimpleNamespace(uuid=next(uuids))
    )
    monitor = Monitor()
    monitor.tick()
    (seen,) = monitor.look_at_gpu("x")
    assert (seen.sm_clock_mhz, seen.shared, seen.after) == (1000, False, "x")
    assert monitor.look_at_gpu("x") == []
    assert monitor.finish().gpus == (seen,)


def _watched_process(answers: Queue[int]) -> None:
    answers.put(Monitor()._benchmark.pid)


def test_a_worker_counts_the_whole_benchmark_as_its_own() -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    worker = context.Process(target=_watched_process, args=(answers,))
    worker.start()
    assert answers.get(timeout=600) == os.getpid() == Monitor()._benchmark.pid
    worker.join()


def test_the_watch_reads_this_machine() -> None:
    monitor = Monitor()
    monitor.tick()
    monitor.tick()
    seen = monitor.finish()
    assert len(seen.yardstick_ms) == 2
    assert all(ms > 0 for ms in seen.yardstick_ms)
    assert 0 <= seen.other_load <= 1
    assert abs(seen.clock_jump) < 0.5
    assert seen.record()["complaints"] == seen.complaints
