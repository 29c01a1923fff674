"""What a set of samples says, and what it does not: quantiles, intervals, changes, verdicts.

A *round* is one visit to a task while several tasks take turns; samples inside a round share
the machine's state of that moment, so intervals come from how far whole rounds disagree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from engines.errors import ToonifyError

Rounds = Sequence[Sequence[float]]

LEAST_FOR_P95 = 20
"""With fewer, the 95th percentile would be the maximum."""
LEAST_FOR_P99 = 100
LEAST_ROUNDS = 6
"""With fewer, one in five intervals of a p95 misses it where the rounds disagree."""
LEAST_PAIRS = 8
"""With fewer pairs, the bootstrap interval of their mean is too narrow."""


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; an end that the samples do not bound is None."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Summary:
    """Median and tail of one series; a percentile too rare for the count is None."""

    count: int
    mean: float
    median: Estimate
    p95: Estimate | None
    p99: Estimate | None


def quantile_ranks(
    count: int, share: float, confidence: float = 0.95
) -> tuple[int | None, int | None]:
    """Zero-based ranks of the order statistics that enclose a quantile.

    Distribution-free (David & Nagaraja, Order Statistics, 7.1): the number of samples below the
    quantile is binomial. A side on which no sample is extreme enough is None.
    """
    tail = (1 - confidence) / 2
    cumulative = np.cumsum([_binomial(count, k, share) for k in range(count + 1)])
    low = int(np.searchsorted(cumulative, tail, side="right")) - 1
    high = int(np.searchsorted(cumulative, 1 - tail, side="left"))
    return (low if low >= 0 else None), (high if high < count else None)


def _binomial(n: int, k: int, p: float) -> float:
    log_choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log_choose + k * math.log(p) + (n - k) * math.log1p(-p))


def estimate_quantile(rounds: Rounds, share: float, confidence: float = 0.95) -> Estimate:
    """A quantile of all samples (linear interpolation) with its interval.

    One round counts as independent samples: the interval is that of `quantile_ranks`. Of several
    rounds the share of samples below the quantile is taken round by round, and the order
    statistics lie as far apart as those shares let it vary (Woodruff, JASA 47, 1952; Student's t
    over rounds), but never nearer than for independent samples. Between one round and
    `LEAST_ROUNDS` there is no interval.
    """
    ordered = np.sort(np.concatenate([np.asarray(one, dtype=np.float64) for one in rounds]))
    value = float(np.quantile(ordered, share))
    if 1 < len(rounds) < LEAST_ROUNDS:
        return Estimate(value)
    low, high = quantile_ranks(len(ordered), share, confidence)
    if len(rounds) > 1:
        reach = student_t(len(rounds) - 1, confidence) * _share_deviation(rounds, value)
        lowest = math.floor((share - reach) * len(ordered)) - 1
        highest = math.ceil((share + reach) * len(ordered))
        low = None if low is None or lowest < 0 else min(low, lowest)
        high = None if high is None or highest >= len(ordered) else max(high, highest)
    return Estimate(
        value,
        None if low is None else float(ordered[low]),
        None if high is None else float(ordered[high]),
    )


def _share_deviation(rounds: Rounds, value: float) -> float:
    """Standard error over rounds of the share of samples at or below `value` (ratio estimator)."""
    sizes = np.array([len(one) for one in rounds])
    below = np.array([np.count_nonzero(np.asarray(one) <= value) for one in rounds])
    off = below - sizes * below.sum() / sizes.sum()
    return float(np.sqrt(len(rounds) / (len(rounds) - 1) * np.square(off).sum()) / sizes.sum())


def student_t(freedom: float, confidence: float = 0.95) -> float:
    """How far to both sides Student's t of `freedom` (at least 1) degrees reaches.

    With t = sqrt(freedom) tan(angle) the density is a power of the cosine, summed up here.
    """
    angles = np.linspace(0, np.pi / 2, 5_001)
    mass = np.cumsum(np.cos((angles[1:] + angles[:-1]) / 2) ** (freedom - 1))
    return float(np.sqrt(freedom) * np.tan(np.interp(confidence, mass / mass[-1], angles[1:])))


def summarise(rounds: Rounds) -> Summary:
    """Median, p95 (from 20 samples on) and p99 (from 100 on) of finite samples."""
    values = np.asarray(pooled(rounds), dtype=np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise ToonifyError(
            f"A summary needs at least one sample and only finite ones, found {values.size} "
            f"with {int((~np.isfinite(values)).sum())} not finite; measure again."
        )
    return Summary(
        count=values.size,
        mean=float(values.mean()),
        median=estimate_quantile(rounds, 0.5),
        p95=estimate_quantile(rounds, 0.95) if values.size >= LEAST_FOR_P95 else None,
        p99=estimate_quantile(rounds, 0.99) if values.size >= LEAST_FOR_P99 else None,
    )


def pooled(rounds: Rounds) -> list[float]:
    """All samples of all rounds, in order."""
    return [sample for one in rounds for sample in one]


def ratio(
    first: Rounds,
    second: Rounds,
    *,
    paired: bool = False,
    confidence: float = 0.95,
    centre: Callable[[Sequence[float]], float] = np.median,
) -> Estimate:
    """How many times as large `second` is as `first`, by the `centre` of each round.

    The geometric mean over rounds, with Student's t interval of the logarithms (Welch's, Biometrika
    34, 1947, when not paired); no interval where a side has one round. Samples are positive.
    `paired` compares round by round: right when the two took turns, so that a slow moment of the
    machine hit both and cancels.
    """
    if paired and len(first) != len(second):
        raise ToonifyError(
            f"Paired samples need as many rounds on both sides, found {len(first)} and "
            f"{len(second)}; compare them unpaired."
        )
    a, b = (np.log([float(centre(one)) for one in rounds]) for rounds in (first, second))
    middle = float(b.mean() - a.mean())
    if min(len(a), len(b)) < 2:
        return Estimate(math.exp(middle))
    errors = np.array([one.var(ddof=1) / len(one) for one in ([b - a] if paired else [a, b])])
    free = np.array([len(a) - 1] if paired else [len(a) - 1, len(b) - 1])
    variance = float(errors.sum())
    freedom = variance**2 / float((errors**2 / free).sum()) if variance > 0 else float(free.min())
    reach = student_t(freedom, confidence) * math.sqrt(variance)
    return Estimate(math.exp(middle), math.exp(middle - reach), math.exp(middle + reach))


def slope(
    times: Sequence[float], values: Sequence[float], *, blocks: int = 12, confidence: float = 0.95
) -> Estimate:
    """By how much `values` change in one unit of `times`, by least squares.

    Neighbouring samples of one process are not independent, so the line goes through the means of
    `blocks` stretches of the samples, and Student's t (blocks - 2 degrees) gives the interval.
    Fewer samples than two a block have no interval.
    """
    x, y = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if len(x) < 2 * blocks:
        return Estimate(float(np.polyfit(x, y, 1)[0]))
    x = np.array([part.mean() for part in np.array_split(x, blocks)])
    y = np.array([part.mean() for part in np.array_split(y, blocks)])
    off = x - x.mean()
    value = float(off @ y / (off @ off))
    rest = y - y.mean() - value * off
    error = math.sqrt(float(rest @ rest) / (blocks - 2) / float(off @ off))
    reach = student_t(blocks - 2, confidence) * error
    return Estimate(value, value - reach, value + reach)


def mean_difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Mean of `second` less that of `first`, whose samples are pairs, with a bootstrap interval.

    Pairs are drawn with replacement (Efron & Tibshirani 1993, 13.3); fewer than `LEAST_PAIRS`
    have no interval.
    """
    off = np.subtract(second, first, dtype=np.float64)
    if len(off) < LEAST_PAIRS:
        return Estimate(float(off.mean()))
    drawn = np.random.default_rng(seed).choice(off, (resamples, len(off))).mean(axis=1)
    low, high = np.quantile(drawn, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Estimate(float(off.mean()), float(low), float(high))


class Verdict(Enum):
    """What can be said of a change with an interval."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNCLEAR = "too noisy to say"


def judge(
    change: Estimate, *, lower_is_better: bool, tolerance: float, unchanged: float = 1.0
) -> Verdict:
    """Verdict on a change: it counts when the whole interval lies beyond `tolerance`.

    `unchanged` is 1 for a ratio and 0 for a difference; what lies within `tolerance` of it is
    called the same even when certain.
    """
    if change.low is None or change.high is None:
        return Verdict.UNCLEAR
    if change.high < unchanged - tolerance:
        return Verdict.BETTER if lower_is_better else Verdict.WORSE
    if change.low > unchanged + tolerance:
        return Verdict.WORSE if lower_is_better else Verdict.BETTER
    if change.low >= unchanged - tolerance and change.high <= unchanged + tolerance:
        return Verdict.SAME
    return Verdict.UNCLEAR
