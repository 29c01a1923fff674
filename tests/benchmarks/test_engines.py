"""The engine and peer benchmarks, end to end on a model of a few thousand parameters."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from benchmarks.machine import device_kind
from benchmarks.report import Report, Result, Series, Skipped
from benchmarks.suites import engines as suite
from benchmarks.suites import multi_gpu
from benchmarks.suites import peers as peer_suite
from benchmarks.tiers import TIERS, Tier, random_network
from benchmarks.timing import Budget
from engines.errors import ToonifyError, UsageError
from engines.networks.cost import macs
from tests.engines.factory import tiny_network

TINY = Tier("tiny", "64 px, random", tiny_network)
FEW = Budget(runs=6, seconds=5, rounds=2, warmup_runs=1, warmup_seconds=0)


def settings(**changes) -> suite.EngineSettings:
    whole = suite.EngineSettings((TINY,), (1, 2), ("torch", "openvino", "cuda"), (None,), FEW)
    return replace(whole, **changes)


@pytest.fixture(scope="module", autouse=True)
def small_ceilings():
    patch = pytest.MonkeyPatch()
    patch.setattr("benchmarks.roofline.MATMUL_SIDE", {"cpu": 128, "cuda": 256})
    patch.setattr("benchmarks.roofline.COPY_BYTES", {"cpu": 1 << 20, "cuda": 1 << 20})
    patch.setattr("benchmarks.roofline.measure_ceiling.__defaults__", (0.02,))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def report() -> Report:
    return suite.run(settings(), lambda line: None)


def test_every_engine_is_timed_or_excused(report):
    names = [result.name for result in report.results]
    for engine in ("torch", "openvino"):
        assert sum(f"tiny {engine}" in name for name in names) == 2
    cuda = [name for name in names if "cuda" in name]
    assert cuda or any("cuda" in skipped.name for skipped in report.skipped)
    assert all(skipped.reason for skipped in report.skipped)


def test_numbers_fit_together(report):
    for result in report.results:
        latency = result.series["latency"].summary.median.value
        batch = result.labels["batch"]
        assert result.metrics["images_per_s"] == pytest.approx(1e3 * batch / latency)
        assert result.metrics["gmac_per_s"] == pytest.approx(
            result.metrics["images_per_s"] * result.metrics["gmac_per_image"]
        )
        assert result.metrics["build_s"] > 0
        assert result.metrics["share_of_ceiling"] > 0
        assert len(result.series["latency"].rounds) == FEW.rounds


def test_work_is_that_of_the_network(report):
    example = suite.torch.from_numpy(suite.random_crops(64, 1))
    expected = macs(tiny_network(), example) / 1e9
    assert report.results[0].metrics["gmac_per_image"] == pytest.approx(expected)


def test_larger_batches_do_more_work_a_byte(report):
    by_batch = [r.metrics["intensity"] for r in report.results if r.labels["engine"] == "torch"]
    assert by_batch[0] < by_batch[1]


def test_an_engine_asked_for_twice_is_timed_once():
    found = suite.run(
        settings(engines=("torch:cpu",), precisions=(None, "fp32"), batches=(1,)), lambda line: None
    )
    assert len(found.results) == 1
    assert "timed already" in found.skipped[0].reason


@pytest.mark.parametrize(
    ("device", "kind"),
    [("CPU, x86_64", "cpu"), ("A card", "cuda"), ("GPU.0, Intel(R) Graphics", "other")],
)
def test_the_device_decides_what_an_engine_runs_on(monkeypatch, device, kind):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "A card")
    assert device_kind(SimpleNamespace(name="torch", device=device)) == kind


def test_memory_of_an_engine_on_the_processor_is_the_hosts(monkeypatch):
    meter = SimpleNamespace
    monkeypatch.setattr(suite, "PeakMemory", lambda cuda: meter(held=lambda: 7.0 if cuda else 3.0))
    network = tiny_network()
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "A card")
    runner = suite.build_runner("tiny", network, "torch:cpu", None, 1)
    assert (runner.kind, runner.held_mib) == ("cpu", 3.0)


@pytest.mark.parametrize(("kind", "looks"), [("cpu", 0), ("cuda", FEW.rounds)])
def test_a_gpu_is_looked_at_only_after_what_ran_on_it(monkeypatch, kind, looks):
    runner = suite.build_runner("tiny", tiny_network(), "torch:cpu", None, 1)
    monkeypatch.setattr(suite, "device_kind", lambda engine: kind)
    monkeypatch.setattr(suite, "CudaClock", lambda stream: None)
    monkeypatch.setattr(suite, "PeakMemory", lambda cuda: SimpleNamespace(read=lambda: 1.0))
    seen: list[str] = []
    watch = SimpleNamespace(tick=lambda: None, look_at_gpu=lambda after: seen.append(after) or [])
    suite.time_batch([runner], 1, FEW, watch, [])
    assert seen == ["tiny torch fp32 b1"] * looks


def test_several_gpus_time_only_what_runs_on_them():
    found = suite.run(
        settings(engines=("torch:cpu",), batches=(1,)), lambda line: None, only_cuda=True
    )
    assert found.results == []
    assert found.skipped[0].reason == "It does not run on the GPU."


def test_what_takes_too_long_is_left_out():
    hasty = replace(FEW, seconds=1e-7)
    found = suite.run(settings(engines=("torch:cpu",), batches=(1,), budget=hasty), lambda _: None)
    assert found.results == []
    assert "more than the 1e-07 s allowed" in found.skipped[0].reason


def test_a_model_that_is_not_there_is_excused():
    def absent():
        raise ToonifyError("There is no model.")

    found = suite.run(settings(tiers=(Tier("gone", "", absent),)), lambda line: None)
    assert found.skipped[0].reason == "There is no model."


@pytest.mark.parametrize(("name", "least", "most"), [("256", 14, 18), ("512", 50, 75)])
def test_tiers_have_their_size(name, least, most):
    import torch

    resolution, base = {"256": (256, 16384), "512": (512, 32768)}[name]
    with torch.device("meta"):
        network = random_network(resolution, base)
        work = macs(network, torch.zeros(1, 256, 256, 3, dtype=torch.uint8)) / 1e9
    assert least < work < most
    assert name in TIERS


def test_peers_take_turns_with_ours():
    found = peer_suite.run(
        peer_suite.PeerSettings((TINY,), ("torch:cpu",), FEW, 64, (64,), floor_seconds=0),
        lambda line: None,
    )
    by_tier = {result.labels["tier"]: result for result in found.results}
    assert set(by_tier) == {
        "ours tiny", "textbook tiny", "AnimeGANv2-size 64", "MobileStyleGAN-size 64",
    }  # fmt: skip
    for tier, result in by_tier.items():
        if tier == "ours tiny":
            assert "times_ours" not in result.metrics
        else:
            low, high = result.metrics["times_ours_low"], result.metrics["times_ours_high"]
            assert low <= result.metrics["times_ours"] <= high
            assert result.labels["against"] == by_tier["ours tiny"].name


def one_gpu(rate: float, complaints: list[str]) -> Report:
    labels = {"tier": "256", "engine": "cuda", "precision": "fp16", "batch": 1}
    latency = Series("ms", "lower", [[1.0, 1.1]])
    result = Result("256 cuda fp16 b1", labels, {"latency": latency}, {"images_per_s": rate})
    return Report("engines", {}, {"complaints": complaints}, [result], machine={})


def test_gpus_add_up():
    hot = replace(one_gpu(90, ["Hot."]), skipped=[Skipped("256 tensorrt", "Not installed.")])
    merged = multi_gpu.merge({0: one_gpu(100, []), 2: hot})
    names = [result.name for result in merged.results]
    assert names == [
        "GPU 0: 256 cuda fp16 b1", "GPU 2: 256 cuda fp16 b1", "all 2 GPUs: 256 cuda fp16 b1",
    ]  # fmt: skip
    assert merged.results[-1].metrics["images_per_s"] == 190
    assert merged.complaints == ["Hot."]
    assert merged.skipped == [Skipped("GPU 2: 256 tensorrt", "Not installed.")]


def test_gpus_that_are_not_there_are_refused():
    with pytest.raises(ToonifyError, match="Expected GPUs among"):
        multi_gpu.run_on_gpus(settings(), "977", lambda line: None)
    with pytest.raises(ToonifyError, match="'all' or numbers"):
        multi_gpu.run_on_gpus(settings(), "first", lambda line: None)


def killed(settings: object, tiers: object, number: int, *rest: object) -> None:
    """In place of a GPU's process: the second one dies without a word."""
    barrier = rest[0]
    if number == 2:
        os._exit(9)
    try:
        barrier.wait(60)  # type: ignore[attr-defined]
    except threading.BrokenBarrierError:
        os._exit(3)


def test_a_killed_process_ends_a_run_on_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_gpu, "_work", killed)
    with pytest.raises(ToonifyError, match="that of GPU 2 ended with code 9"):
        multi_gpu.run_at_once(settings(), [0, 2], lambda line: None)


def hanging(*rest: object) -> None:
    """In place of a GPU's process: its driver never answers."""
    time.sleep(600)


def test_a_hanging_process_ends_a_run_on_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_gpu, "_work", hanging)
    monkeypatch.setattr(multi_gpu, "PATIENCE", 2.0)
    with pytest.raises(ToonifyError, match="that of GPU 3 gave no answer"):
        multi_gpu.run_at_once(settings(), [3], lambda line: None)


@pytest.mark.parametrize(
    "wrong",
    [
        ("engines", "--engine", "foo"),
        ("engines", "--precision", "fp99"),
        ("engines", "--tier", "64k"),
        ("peers", "--engine", "foo"),
    ],
)
def test_what_there_is_none_of_is_wrong_use(wrong: tuple[str, ...]) -> None:
    from benchmarks.cli import app

    with pytest.raises(UsageError, match="There is no"):
        app(list(wrong), standalone_mode=False)
