from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from benchmarks.plots import draw
from benchmarks.render import markdown
from benchmarks.report import Report
from benchmarks.suites.wire import FORMS, run
from engines.bundle import default_bundle


@pytest.fixture(scope="module")
def report() -> Report:
    return run(2, lambda line: None)


def test_raw_is_every_byte_and_changes_nothing(report: Report) -> None:
    raw = report.results[0]
    assert raw.metrics["sent_kb"] == pytest.approx(256 * 256 * 3 / 1e3)
    outputs = default_bundle().network().outputs
    # Bytes as they are, maps in half precision.
    back = sum(math.prod(one.shape) * (1 if one.dtype == torch.uint8 else 2) for one in outputs)
    assert raw.metrics["returned_kb"] == pytest.approx(back / 1e3)
    assert raw.metrics["mbit_per_s_at_30_fps"] == pytest.approx(
        (256 * 256 * 3 + back) * 8 * 30 / 1e6
    )
    assert raw.metrics["difference"] == 0


def test_lossless_forms_change_nothing_and_others_little(report: Report) -> None:
    for result in report.results:
        if "lossless" in result.name:
            assert result.metrics["difference"] == 0
        assert result.metrics["difference"] < 5
        assert result.metrics["sent_kb"] <= report.results[0].metrics["sent_kb"]


def test_smaller_forms_cost_time(report: Report) -> None:
    raw, *others = (result.series["latency"].summary.median.value for result in report.results)
    assert min(others) > raw


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_pictures_and_masks_keep_their_form(form: object) -> None:
    for shape in ((32, 48, 3), (32, 48)):
        array = np.linspace(0, 255, int(np.prod(shape)), dtype=np.uint8).reshape(shape)
        back = form.decode(form.encode(array), shape)  # type: ignore[attr-defined]
        assert (back.shape, back.dtype) == (shape, np.uint8)


def test_is_shown_as_a_table_and_as_a_picture(report: Report) -> None:
    assert "Mbit/s at 30 fps" in markdown(report)
    assert len(draw(report).axes) == 1
    assert Report.from_dict(report.to_dict()).results == report.results
