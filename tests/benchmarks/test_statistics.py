"""Quantiles, intervals and verdicts against samples whose answer is known."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from benchmarks.statistics import (
    Estimate,
    Verdict,
    estimate_quantile,
    judge,
    mean_difference,
    quantile_ranks,
    ratio,
    slope,
    student_t,
    summarise,
)
from engines.errors import ToonifyError


def rounds(
    median: float, count: int = 8, size: int = 20, *, seed: int = 0, drift: float = 0.0
) -> list[list[float]]:
    random = np.random.default_rng(seed)
    return [
        list(median * (1 + drift * k) * (1 + 0.01 * random.standard_normal(size)))
        for k in range(count)
    ]


def test_percentiles_of_one_to_a_thousand() -> None:
    found = summarise([[float(i) for i in range(1, 1001)]])
    assert found.count == 1000
    assert found.mean == pytest.approx(500.5)
    assert found.median.value == pytest.approx(500.5)
    assert found.p95 is not None
    assert found.p95.value == pytest.approx(950.05)
    assert found.p99 is not None
    assert found.p99.value == pytest.approx(990.01)


def test_ranks_agree_with_the_published_table() -> None:
    # 95 % ranks for the median: Conover, Practical Nonparametric Statistics (1-based 6 and 15).
    assert quantile_ranks(20, 0.5) == (5, 14)
    assert quantile_ranks(100, 0.5) == (39, 60)


def test_a_tail_that_the_samples_do_not_bound_is_open() -> None:
    # 0.99^200 = 13 %: even the largest of 200 samples may lie below the 99th percentile
    assert quantile_ranks(200, 0.99)[1] is None
    assert estimate_quantile([[float(i) for i in range(200)]], 0.99).high is None


def test_intervals_cover_the_true_median_as_often_as_they_say() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        found = estimate_quantile([list(random.exponential(size=41))], 0.5)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= np.log(2) <= found.high
    assert hits / 400 >= 0.93


@pytest.mark.parametrize(
    ("count", "size", "share"), [(10, 20, 0.5), (6, 10, 0.5), (10, 20, 0.95), (6, 20, 0.95)]
)
@pytest.mark.parametrize("effect", [0.0, 0.03])
def test_intervals_cover_where_rounds_differ(
    count: int, size: int, share: float, effect: float
) -> None:
    random = np.random.default_rng(11)
    truth = 1 + NormalDist().inv_cdf(share) * math.hypot(effect, 0.01)
    hits = 0
    for _ in range(200):
        levels = 1 + effect * random.standard_normal(count)
        found = estimate_quantile(
            [list(level + 0.01 * random.standard_normal(size)) for level in levels], share
        )
        above = found.low is None or found.low <= truth
        hits += above and (found.high is None or truth <= found.high)
    assert hits / 200 >= 0.9


def test_rounds_that_differ_widen_the_interval_and_few_bound_nothing() -> None:
    steady, moved = (summarise(rounds(10, count=10, drift=drift)) for drift in (0.0, 0.03))
    width = [(s.median.high or 0) - (s.median.low or 0) for s in (steady, moved)]
    assert 0 < width[0] < width[1] / 5
    few = summarise(rounds(10, count=5)).median
    assert (few.low, few.high) == (None, None)
    assert few.value == pytest.approx(10, rel=0.01)
    alone = [sample for one in rounds(10, count=10) for sample in one]
    low, high = quantile_ranks(len(alone), 0.5)
    assert summarise([alone]).median.low == sorted(alone)[low or 0]
    assert summarise([alone]).median.high == sorted(alone)[high or 0]


def test_students_t_is_that_of_the_tables() -> None:
    reaches = {1: 12.706, 2: 4.303, 5: 2.571, 9: 2.262, 30: 2.042}
    for freedom, reach in reaches.items():
        assert student_t(freedom) == pytest.approx(reach, abs=0.001)
    assert student_t(4, 0.90) == pytest.approx(2.132, abs=0.001)


def test_rare_percentiles_are_not_made_up() -> None:
    assert summarise([[1.0] * 19]).p95 is None
    assert summarise([[1.0] * 99]).p99 is None
    assert summarise([[1.0] * 100]).p99 is not None


def test_meaningless_samples_are_refused() -> None:
    with pytest.raises(ToonifyError, match="at least one sample"):
        summarise([])
    with pytest.raises(ToonifyError, match="1 not finite"):
        summarise([[1.0, float("nan")]])


def test_a_ratio_is_found_with_its_interval() -> None:
    found = ratio(rounds(10, seed=1), rounds(12, seed=2))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1.2 < found.high
    assert found.high - found.low < 0.05


@pytest.mark.parametrize("count", [2, 3, 6])
def test_ratios_cover_where_rounds_differ(count: int) -> None:
    random = np.random.default_rng(7)
    hits = 0
    for _ in range(200):
        first, second = (
            [list(level * (1 + 0.01 * random.standard_normal(10))) for level in levels]
            for levels in 10 * (1 + 0.03 * random.standard_normal((2, count)))
        )
        found = ratio(first, second)
        hits += (found.low or 0) <= 1 <= (found.high or 0)
    assert hits / 200 >= 0.9


def test_one_round_has_no_interval_of_its_ratio() -> None:
    found = ratio(rounds(10, count=1), rounds(12, count=8))
    assert found.value == pytest.approx(1.2, rel=0.01)
    assert (found.low, found.high) == (None, None)
    same = ratio([[3.0], [3.0]], [[3.0], [3.0]])
    assert (same.low, same.high) == (1.0, 1.0)


def test_mean_differences_are_bounded_by_pairs() -> None:
    random = np.random.default_rng(2)
    people = random.random(60)
    found = mean_difference(list(people), list(people + 0.1 + 0.01 * random.standard_normal(60)))
    assert found.low is not None
    assert found.high is not None
    assert 0.09 < found.low < found.value < found.high < 0.11
    assert mean_difference(list(people[:7]), list(people[:7])) == Estimate(0.0)


def test_pairing_cancels_a_drift_that_hits_both() -> None:
    first, second = rounds(10, seed=1, drift=0.1), rounds(11, seed=2, drift=0.1)
    paired, apart = ratio(first, second, paired=True), ratio(first, second)
    width = [(e.high or 0) - (e.low or 0) for e in (paired, apart)]
    assert paired.low is not None
    assert paired.low > 1.05
    assert width[0] < width[1] / 3


def test_pairing_needs_as_many_rounds() -> None:
    with pytest.raises(ToonifyError, match="found 2 and 3"):
        ratio(rounds(1, 2), rounds(1, 3), paired=True)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.80, 0.90, Verdict.BETTER),
        (1.10, 1.20, Verdict.WORSE),
        (0.99, 1.01, Verdict.SAME),
        (0.97, 1.30, Verdict.UNCLEAR),
        (None, 1.0, Verdict.UNCLEAR),
    ],
)
def test_verdicts(low: float | None, high: float, verdict: Verdict) -> None:
    assert judge(Estimate(1.0, low, high), lower_is_better=True, tolerance=0.02) is verdict


def test_verdicts_turn_round_where_more_is_better() -> None:
    more = Estimate(1.2, 1.1, 1.3)
    assert judge(more, lower_is_better=False, tolerance=0.02) is Verdict.BETTER


def test_verdicts_on_differences_are_around_zero() -> None:
    verdicts = [
        judge(Estimate(middle, middle - 0.01, middle + 0.01), lower_is_better=False, tolerance=0.02,
              unchanged=0.0)
        for middle in (-0.1, 0.0, 0.02, 0.1)
    ]  # fmt: skip
    assert verdicts == [Verdict.WORSE, Verdict.SAME, Verdict.UNCLEAR, Verdict.BETTER]


class TestSlope:
    def test_a_line_is_found_exactly(self) -> None:
        found = slope(range(100), [3 * x + 7 for x in range(100)])
        assert found.value == pytest.approx(3)
        assert found.low == pytest.approx(3)
        assert found.high == pytest.approx(3)

    def test_the_interval_covers_the_truth_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(0)
        times = np.linspace(0, 2, 300)
        covered = 0
        for _ in range(400):
            found = slope(list(times), list(5 * times + rng.normal(0, 1, 300)))
            assert found.low is not None
            assert found.high is not None
            covered += found.low <= 5 <= found.high
        assert 0.92 <= covered / 400 <= 0.98

    def test_few_samples_have_no_interval(self) -> None:
        found = slope([0, 1, 2], [0, 1, 2])
        assert (found.value, found.low, found.high) == (pytest.approx(1), None, None)
