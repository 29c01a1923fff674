"""The engine benchmark, end to end on a model of a few thousand parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import pytest
import torch

from benchmarks.report import Report
from benchmarks.runners import random_crops
from benchmarks.suites import engines as suite
from benchmarks.tiers import Tier
from engines.errors import ToonifyError
from engines.networks.cost import macs
from tests.benchmarks.suites.factory import FEW, settings
from tests.engines.factory import tiny_network


@pytest.fixture(scope="module")
def report() -> Report:
    return suite.run(settings(), lambda line: None)


def test_every_engine_is_timed_or_excused(report: Report) -> None:
    names = [result.name for result in report.results]
    for engine in ("torch", "openvino"):
        assert sum(f"tiny {engine}" in name for name in names) == 2
    cuda = [name for name in names if "cuda" in name]
    assert cuda or any("cuda" in skipped.name for skipped in report.skipped)
    assert all(skipped.reason for skipped in report.skipped)


def test_numbers_fit_together(report: Report) -> None:
    for result in report.results:
        latency = result.series["latency"].summary.median.value
        batch = result.labels["batch"]
        assert isinstance(batch, int)
        assert result.metrics["images_per_s"] == pytest.approx(1e3 * batch / latency)
        assert result.metrics["gmac_per_s"] == pytest.approx(
            result.metrics["images_per_s"] * result.metrics["gmac_per_image"]
        )
        assert result.metrics["build_s"] > 0
        assert result.metrics["share_of_ceiling"] > 0
        assert len(result.series["latency"].rounds) == FEW.rounds


def test_work_is_that_of_the_network(report: Report) -> None:
    example = torch.from_numpy(random_crops(64, 1))
    expected = macs(tiny_network(), example) / 1e9
    assert report.results[0].metrics["gmac_per_image"] == pytest.approx(expected)


def test_larger_batches_do_more_work_a_byte(report: Report) -> None:
    by_batch = [r.metrics["intensity"] for r in report.results if r.labels["engine"] == "torch"]
    assert by_batch[0] < by_batch[1]


def test_an_engine_asked_for_twice_is_timed_once() -> None:
    found = suite.run(
        settings(engines=("torch:cpu",), precisions=(None, "fp32"), batches=(1,)), lambda line: None
    )
    assert len(found.results) == 1
    assert "timed already" in found.skipped[0].reason


def test_several_gpus_time_only_what_runs_on_them() -> None:
    found = suite.run(
        settings(engines=("torch:cpu",), batches=(1,)), lambda line: None, only_cuda=True
    )
    assert found.results == []
    assert found.skipped[0].reason == "It does not run on the GPU."


def test_what_takes_too_long_is_left_out() -> None:
    hasty = replace(FEW, seconds=1e-7)
    found = suite.run(settings(engines=("torch:cpu",), batches=(1,), budget=hasty), lambda _: None)
    assert found.results == []
    assert "more than the 1e-07 s allowed" in found.skipped[0].reason


def test_a_model_that_is_not_there_is_excused() -> None:
    def absent() -> NoReturn:
        raise ToonifyError("There is no model.")

    found = suite.run(settings(tiers=(Tier("gone", "", absent),)), lambda line: None)
    assert found.skipped[0].reason == "There is no model."
