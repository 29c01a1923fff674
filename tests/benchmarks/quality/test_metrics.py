"""One metric over many faces."""

from __future__ import annotations

import pytest

from benchmarks.quality.metrics import UNITS, metric_result


@pytest.mark.parametrize(
    ("name", "worst"), [("flicker", 1.5), ("head outline", 0.2), ("detail", 0.2)]
)
def test_the_worst_is_the_farthest_from_what_is_wanted(name: str, worst: float) -> None:
    found = metric_result(name, ["a", "b c", "d"], [0.2, 0.9, 1.5])
    assert found.metrics["worst"] == worst
    assert found.metrics["median"] == 0.9
    assert found.metrics["count"] == 3
    assert found.labels["names"] == "a b_c d"
    assert (found.series["faces"].unit, found.series["faces"].better) == UNITS[name]


def test_a_variant_has_the_unit_of_its_metric() -> None:
    found = metric_result("feature distance, whole crop", ["a"], [0.3])
    assert found.labels["unit"] == UNITS["feature distance"][0]
