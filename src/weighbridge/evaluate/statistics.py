"""Intervals and tests for means over examples. The same numbers for the same seed.

All intervals are 95 %. Limits: examples are taken to be independent, so where many of them ask about one document the
true uncertainty is larger than stated.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from weighbridge.intervals import CONFIDENCE, Z, score_interval, sign_flip, tally
from weighbridge.results import Estimate

Floats = NDArray[np.float64]

RESAMPLES = 4000
"""Of a bootstrap: the ends of a 95 % interval then rest on a hundred resamples each."""
_BLOCK = 1 << 21
"""Numbers drawn at once, to bound the memory: 16 MiB of indices."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Bounds:
    """The lowest and the highest possible value."""

    low: float
    high: float


SHARE = Bounds(0.0, 1.0)
DIFFERENCE = Bounds(-1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Left minus right over pairs: the mean with its interval, and the two-sided p-value of an exact sign-flip test."""

    difference: Estimate
    p_value: float


def mean_interval(values: Sequence[float], seed: int, *, bounds: Bounds | None = None, unscored: int = 0) -> Estimate:
    """Return the mean of some values with its interval.

    Bounded values get the score interval: Wilson's for right or wrong, Tango's for differences of these, and their
    like for graded values. It covers 94 % and more where few values differ and the bootstrap covers 85 to 93 %
    (benchmarks/interval_coverage.py). Unbounded values get the BCa bootstrap (Efron 1987); those that are all the
    same have an interval of no width, for there is nothing to go by.

    Raises:
        ValueError: there are no values.
    """
    sample = _sample(values)
    value = float(sample.mean())
    if bounds is not None:
        interval = Bounds(*score_interval(tally(sample.tolist()), bounds.low, bounds.high))
    elif (sample == sample[0]).all():
        interval = Bounds(value, value)
    else:
        interval = _bca(sample, seed)
    return _estimate(value, interval, sample.size, unscored)


def quantile_interval(values: Sequence[float], q: float, *, unscored: int = 0) -> Estimate:
    """Return a quantile of some values with the narrowest interval between two of them that covers it.

    How many values lie below a quantile is binomial, so this is exact for any distribution (Hahn and Meeker 1991,
    section 5.2). Where not even the highest value bounds the quantile from above (below 59 values for the 95th
    percentile), the interval is open above.

    Raises:
        ValueError: there are no values.
    """
    sample = np.sort(_sample(values))
    first, last = _order_statistics(sample.size, q)
    high = float(sample[min(last, sample.size) - 1])
    interval = Bounds(float(sample[first - 1]), high)
    estimate = _estimate(float(np.quantile(sample, q)), interval, sample.size, unscored)
    return replace(estimate, open_above=last > sample.size)


def compare_pairs(
    left: Sequence[float], right: Sequence[float], seed: int, *, bounds: Bounds | None = DIFFERENCE
) -> PairedTest:
    """Compare two strategies over the examples both answered; `bounds` are those of a difference.

    Raises:
        ValueError: there are no pairs, or the two are not of one length.
    """
    differences = [a - b for a, b in zip(left, right, strict=True)]
    difference = mean_interval(differences, seed, bounds=bounds)
    return PairedTest(difference=difference, p_value=sign_flip(tally(differences)))


def examples_needed(differences: Sequence[float], *, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """Return the pairs needed to find a mean difference like this one, two-sided; None where it is zero.

    Normal approximation for paired means, n = ((z[1-alpha/2] + z[power]) sd / mean)^2 (Cohen 1988, section 2.3), and
    at least the pairs that a sign-flip test needs to reach alpha at all.
    """
    sample = _sample(differences)
    mean = float(sample.mean())
    if mean == 0:
        return None
    deviation = float(sample.std(ddof=1)) if sample.size > 1 else 0.0
    reach = _NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)
    fewest = 1 + math.ceil(-math.log2(alpha))
    return max(fewest, math.ceil((reach * deviation / mean) ** 2))


_DIFFERING = 1 / 3
"""Share of the questions on which two strategies part, before any is asked: an assumption, for a test that is planned.
Pairs that part less often need fewer questions."""


def questions_to_find(difference: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the test questions that find a difference in accuracy, if two strategies part on a third of them.

    The formula of `examples_needed`, with the variance of a paired difference of right and wrong: the share of the
    questions that part, less the square of the difference (Connor 1987).
    """
    reach = _NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)
    fewest = 1 + math.ceil(-math.log2(alpha))
    return max(fewest, math.ceil(reach**2 * max(0.0, _DIFFERING - difference**2) / difference**2))


def difference_found(questions: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the least difference in accuracy that so many test questions find: `questions_to_find`, inverted."""
    reach = _NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)
    return math.sqrt(_DIFFERING / (questions / reach**2 + 1))


def _sample(values: Sequence[float]) -> Floats:
    if not len(values):
        raise ValueError("an interval needs at least one value")
    return np.asarray(values, dtype=np.float64)


def _estimate(value: float, interval: Bounds, scored: int, unscored: int) -> Estimate:
    """Return an estimate with an interval widened to hold its value, in spite of rounding or skew."""
    low, high = min(interval.low, value), max(interval.high, value)
    return Estimate(value=value, low=low, high=high, scored=scored, unscored=unscored)


def _order_statistics(n: int, q: float) -> tuple[int, int]:
    """Return the places, from 1, of the two ordered values that cover a quantile; n + 1 where none is high enough.

    Of all pairs that cover it, the two that lie nearest to each other. Where even all values do not, the first and
    n + 1.
    """
    up_to = [0.0, *accumulate(_binomial(n, q))]
    pairs = []
    for first in range(1, n + 1):
        last = bisect_left(up_to, up_to[first] + CONFIDENCE)
        if last <= n:
            pairs.append((last - first, up_to[first] - up_to[last], first, last))
    if pairs:
        _, _, first, last = min(pairs)
        return first, last
    highest_first = max(first for first in range(1, n + 1) if first == 1 or 1 - up_to[first] >= CONFIDENCE)
    return highest_first, n + 1


def _binomial(n: int, q: float) -> list[float]:
    """Return the probabilities of 0 to n of n values lying below a quantile."""
    if q in {0.0, 1.0}:
        return [float(below == q * n) for below in range(n + 1)]
    logs = [
        math.lgamma(n + 1) - math.lgamma(below + 1) - math.lgamma(n - below + 1)
        + below * math.log(q) + (n - below) * math.log(1 - q)
        for below in range(n + 1)
    ]  # fmt: skip
    return [math.exp(log) for log in logs]


def _bca(sample: Floats, seed: int) -> Bounds:
    """Return Efron's bias-corrected and accelerated bootstrap interval of the mean (Efron 1987)."""
    n = sample.size
    generator = np.random.default_rng(seed)
    rows = max(1, _BLOCK // n)
    sizes = [min(rows, RESAMPLES - start) for start in range(0, RESAMPLES, rows)]
    means = np.concatenate([sample[generator.integers(0, n, size=(size, n))].mean(axis=1) for size in sizes])
    below = (np.mean(means < sample.mean()) + np.mean(means <= sample.mean())) / 2
    pull = (sample - sample.mean()) / np.ptp(sample)
    acceleration = float((pull**3).sum() / (6 * (pull**2).sum() ** 1.5))
    bias = _NORMAL.inv_cdf(min(max(float(below), 0.5 / RESAMPLES), 1 - 0.5 / RESAMPLES))
    tails = [_bca_quantile(z, bias, acceleration) for z in (-Z, Z)]
    low, high = np.quantile(means, tails)
    return Bounds(float(low), float(high))


def _bca_quantile(z: float, bias: float, acceleration: float) -> float:
    return _NORMAL.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
