"""What a set of timings says, and what it does not: quantiles, intervals, ratios, verdicts.

A *round* is one visit to a task while several tasks take turns; samples inside a round share
the machine's state of that moment, so intervals resample rounds, not single samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from engines.errors import ToonifyError

Rounds = Sequence[Sequence[float]]

LEAST_FOR_P95 = 20
"""Below it the 95th percentile is the maximum under another name."""
LEAST_FOR_P99 = 100


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


def estimate_quantile(samples: Sequence[float], share: float, confidence: float = 0.95) -> Estimate:
    """A quantile (linear interpolation) with its distribution-free interval."""
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    low, high = quantile_ranks(len(ordered), share, confidence)
    return Estimate(
        float(np.quantile(ordered, share)),
        None if low is None else float(ordered[low]),
        None if high is None else float(ordered[high]),
    )


def summarise(samples: Sequence[float]) -> Summary:
    """Median, p95 (from 20 samples on) and p99 (from 100 on) of finite samples."""
    values = np.asarray(samples, dtype=np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise ToonifyError(
            f"A summary needs at least one sample and only finite ones, found {values.size} "
            f"with {int((~np.isfinite(values)).sum())} not finite; measure again."
        )
    return Summary(
        count=values.size,
        mean=float(values.mean()),
        median=estimate_quantile(samples, 0.5),
        p95=estimate_quantile(samples, 0.95) if values.size >= LEAST_FOR_P95 else None,
        p99=estimate_quantile(samples, 0.99) if values.size >= LEAST_FOR_P99 else None,
    )


def pooled(rounds: Rounds) -> list[float]:
    """All samples of all rounds, in order."""
    return [sample for one in rounds for sample in one]


def round_spread(rounds: Rounds) -> float:
    """How far the rounds disagree: interdecile range of their medians over their median."""
    medians = [float(np.median(one)) for one in rounds]
    low, high = np.quantile(medians, (0.1, 0.9))
    return float((high - low) / np.median(medians))


def ratio(
    first: Rounds,
    second: Rounds,
    *,
    paired: bool = False,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Median of `second` over median of `first`, with a two-stage bootstrap interval.

    Rounds are drawn with replacement, then samples inside each (cluster bootstrap, Davison &
    Hinkley 1997, 3.8). `paired` draws the same rounds of both: right when the two took turns, so
    that a slow moment of the machine hit both and cancels.
    """
    if paired and len(first) != len(second):
        raise ToonifyError(
            f"Paired samples need as many rounds on both sides, found {len(first)} and "
            f"{len(second)}; compare them unpaired."
        )
    random = np.random.default_rng(seed)
    a = [np.asarray(one, dtype=np.float64) for one in first]
    b = [np.asarray(one, dtype=np.float64) for one in second]
    drawn = np.empty(resamples)
    for i in range(resamples):
        picks = random.integers(len(a), size=len(a))
        others = picks if paired else random.integers(len(b), size=len(b))
        drawn[i] = _redraw_median(b, others, random) / _redraw_median(a, picks, random)
    low, high = np.quantile(drawn, ((1 - confidence) / 2, (1 + confidence) / 2))
    value = float(np.median(np.concatenate(b)) / np.median(np.concatenate(a)))
    return Estimate(value, float(low), float(high))


def _redraw_median(
    rounds: list[np.ndarray], picks: np.ndarray, random: np.random.Generator
) -> float:
    return float(
        np.median(
            np.concatenate([rounds[k][random.integers(len(rounds[k]), size=len(rounds[k]))]
                            for k in picks])
        )
    )  # fmt: skip


class Verdict(Enum):
    """What a ratio with an interval lets one say."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    UNCLEAR = "too noisy to say"


def judge(change: Estimate, *, lower_is_better: bool, tolerance: float) -> Verdict:
    """Verdict on new/old: a difference counts when the whole interval lies beyond `tolerance`.

    `tolerance` is a share, e.g. 0.02: smaller changes are called the same even when certain.
    """
    if change.low is None or change.high is None:
        return Verdict.UNCLEAR
    if change.high < 1 - tolerance:
        return Verdict.BETTER if lower_is_better else Verdict.WORSE
    if change.low > 1 + tolerance:
        return Verdict.WORSE if lower_is_better else Verdict.BETTER
    if change.low >= 1 - tolerance and change.high <= 1 + tolerance:
        return Verdict.SAME
    return Verdict.UNCLEAR
