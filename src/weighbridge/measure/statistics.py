"""Intervals and tests for means over examples. Pure numpy, and the same numbers for the same seed.

All intervals are 95 %. What this does not know: examples are taken to be independent, so where many of them ask
about one document the true uncertainty is larger than stated.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from weighbridge.results import Estimate

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 4000
PERMUTATIONS = 9999
EXACT_UP_TO = 14
"""Non-zero differences up to which all 2^n sign flips are counted instead of sampled."""
_BLOCK = 1 << 21
_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what any value must lie."""

    low: float
    high: float


SHARE = Bounds(0.0, 1.0)
DIFFERENCE = Bounds(-1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Left minus right over pairs: the mean with its interval, and the two-sided p-value of a sign-flip test."""

    difference: Estimate
    p_value: float


def mean_interval(values: Sequence[float], seed: int, *, bounds: Bounds | None = None, unscored: int = 0) -> Estimate:
    """Return the mean of some values with its interval.

    Bounded values that are all the low or the high bound, such as right or wrong, get Wilson's score interval
    (Wilson 1927; recommended for proportions by Brown, Cai and DasGupta 2001). Bounded values that are all the same,
    a single one included, get `_constant`: their bootstrap would claim certainty. All others get the BCa bootstrap
    (Efron 1987). Unbounded values that are all the same have an interval of no width: there is nothing to go by.

    Raises:
        ValueError: there are no values.
    """
    sample = _sample(values)
    value = float(sample.mean())
    if bounds is not None and np.isin(sample, (bounds.low, bounds.high)).all():
        interval = _wilson(sample, bounds)
    elif (sample == sample[0]).all():
        interval = Bounds(value, value) if bounds is None else _constant(value, sample.size, bounds)
    else:
        interval = _bca(sample, seed)
    return _estimate(value, interval, sample.size, unscored)


def quantile_interval(values: Sequence[float], q: float, seed: int, *, unscored: int = 0) -> Estimate:
    """Return a quantile of some values with its percentile bootstrap interval.

    No resample exceeds the largest value seen, so the high end of an extreme quantile of few values is too low.

    Raises:
        ValueError: there are no values.
    """
    sample = _sample(values)
    draws = np.random.default_rng(seed).integers(0, sample.size, size=(RESAMPLES, sample.size))
    tail = (1 - CONFIDENCE) / 2
    value = float(np.quantile(sample, q))
    low, high = np.quantile(np.quantile(sample[draws], q, axis=1), (tail, 1 - tail))
    return _estimate(value, Bounds(float(low), float(high)), sample.size, unscored)


def paired(left: Sequence[float], right: Sequence[float], seed: int, *, bounds: Bounds | None = DIFFERENCE) -> Paired:
    """Compare two strategies over the examples both answered; `bounds` are those of a difference.

    Raises:
        ValueError: there are no pairs, or the two are not of one length.
    """
    differences = [a - b for a, b in zip(left, right, strict=True)]
    return Paired(difference=mean_interval(differences, seed, bounds=bounds), p_value=sign_flip(differences, seed))


def sign_flip(differences: Sequence[float], seed: int) -> float:
    """Return the two-sided p-value of the hypothesis that the differences are symmetric about 0 (Fisher 1935).

    Exact for few non-zero differences; else from `PERMUTATIONS` random flips, the observed one included
    (Phipson and Smyth 2010), so that it is never 0.
    """
    moved = _sample(differences)
    moved = moved[moved != 0]
    observed = abs(float(moved.sum())) * (1 - 1e-9)
    if moved.size <= EXACT_UP_TO:
        flips = (np.arange(1 << moved.size)[:, None] >> np.arange(moved.size)) & 1
        return float(np.mean(np.abs(moved.sum() - 2 * (flips @ moved)) >= observed))
    generator = np.random.default_rng(seed)
    rows = max(1, _BLOCK // moved.size)
    extreme = 0
    for start in range(0, PERMUTATIONS, rows):
        flips = generator.integers(0, 2, size=(min(rows, PERMUTATIONS - start), moved.size), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs(moved.sum() - 2 * (flips @ moved)) >= observed))
    return (extreme + 1) / (PERMUTATIONS + 1)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values corrected for being tested together, in the order given (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return tuple(adjusted)


def examples_needed(differences: Sequence[float], *, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """Return the pairs at which a mean difference like this one would be found, two-sided; None where it is zero.

    Normal approximation for paired means, n = ((z[1-alpha/2] + z[power]) sd / mean)^2 (Cohen 1988, section 2.3), and
    at least the pairs from which a sign-flip test can reach alpha at all.
    """
    sample = _sample(differences)
    mean = float(sample.mean())
    if mean == 0:
        return None
    deviation = float(sample.std(ddof=1)) if sample.size > 1 else 0.0
    reach = _NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(power)
    fewest = 1 + math.ceil(-math.log2(alpha))
    return max(fewest, math.ceil((reach * deviation / mean) ** 2))


def _sample(values: Sequence[float]) -> Floats:
    if not len(values):
        raise ValueError("an interval needs at least one value")
    return np.asarray(values, dtype=np.float64)


def _estimate(value: float, interval: Bounds, scored: int, unscored: int) -> Estimate:
    """Return an estimate whose interval holds its value, whatever rounding or skew made of it."""
    low, high = min(interval.low, value), max(interval.high, value)
    return Estimate(value=value, low=low, high=high, scored=scored, unscored=unscored)


def _wilson(sample: Floats, bounds: Bounds) -> Bounds:
    n = sample.size
    share = float(np.count_nonzero(sample == bounds.high)) / n
    width = bounds.high - bounds.low
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    low, high = bounds.low + width * (middle - half), bounds.low + width * (middle + half)
    return Bounds(max(low, bounds.low), min(high, bounds.high))


def _constant(value: float, n: int, bounds: Bounds) -> Bounds:
    """Return the interval of n equal values: at most a share u of all values differs, and those lie in the bounds.

    u is Wilson's upper end for 0 of n. For shares of 0 or 1 this is Wilson's interval itself.
    """
    u = _Z**2 / (n + _Z**2)
    return Bounds((1 - u) * value + u * bounds.low, (1 - u) * value + u * bounds.high)


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
    tails = [_corrected(z, bias, acceleration) for z in (-_Z, _Z)]
    low, high = np.quantile(means, tails)
    return Bounds(float(low), float(high))


def _corrected(z: float, bias: float, acceleration: float) -> float:
    return _NORMAL.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
