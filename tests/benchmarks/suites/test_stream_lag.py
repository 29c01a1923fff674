"""The moment survives the stream, and the measurement says what it must."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.suites.stream_lag import measure, moment_of, stamped
from realtime.frame import as_uint8


@pytest.mark.parametrize("moment", [0.0, 12.345, 4_000_000.999])
def test_a_moment_is_read_from_a_picture(moment: float) -> None:
    image = stamped(np.full((360, 640, 3), 90, np.uint8), moment)
    data = cv2.imencode(".jpg", image)[1]
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None
    assert moment_of(as_uint8(read)) == pytest.approx(moment, abs=1.1e-3)


def test_what_is_measured_is_told() -> None:
    numbers = measure(2.0, lambda line: None)
    assert numbers["taken"] > 2
    assert 0 <= numbers["age_ms_first_fifth"] <= numbers["age_ms_most"]
    assert set(numbers) >= {"age_growth_ms_per_min", "memory_growth_mib_per_min"}
