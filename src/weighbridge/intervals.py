"""Score intervals and exact tests for values that lie between bounds, in plain Python.

A decision is taken again from a saved file on any machine, so these need no arrays. Values are given as a tally: how
often each value was seen. All intervals are 95 %.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
Tally = Mapping[float, int]

_PRECISION = 1e-10
"""Of the distance between the bounds: the ends of an interval are found as nearly as this."""
_MOST_STEPS = 100
_CONTINUITY = 0.25
"""Of one question: how much nearer to zero a difference is taken to be. Tango's interval covers 93.2 % at its worst
without it (200 questions, 2 points apart), 94.5 % with it; see benchmarks/interval_coverage.py."""
_FINEST_GRID = 64
"""Values that are whole multiples of their largest, divided by a number up to this, are summed without rounding."""
_SAME = 1e-9
_BITS = 1 << 22
"""Size of the integer that counts all other sums, and so the fineness of their grid: some 10 ms."""
_EXACT_UP_TO = 1000
"""All sign flips of up to so many nonzero values are counted; beyond, the normal distribution is as good."""


def tally(values: Iterable[float]) -> Tally:
    """Count how often each value occurs."""
    return Counter(values)


def tally_mean(seen: Tally) -> float:
    """Return the mean of tallied values."""
    return math.fsum(value * count for value, count in seen.items()) / sum(seen.values())


def sign_flip(seen: Tally) -> float:
    """Return the two-sided p-value of the hypothesis that differences are symmetric about 0 (Fisher 1935).

    It is the share of all ways to flip their signs that move the sum as far from 0. For differences of right or wrong
    this is the exact McNemar test. The sums of all flips are counted as the coefficients of a polynomial, held in one
    large integer. Values without a common unit are rounded to a grid first: the test stays exact for those.
    """
    moved = {value: count for value, count in seen.items() if value != 0}
    number = sum(moved.values())
    if not moved:
        return 1.0
    if number > _EXACT_UP_TO:
        total = math.fsum(value * count for value, count in moved.items())
        spread = math.sqrt(math.fsum(value**2 * count for value, count in moved.items()))
        return min(1.0, 2 * NormalDist().cdf(-abs(total) / spread))
    steps = _on_grid(moved)
    width = number + 1
    sums = 1
    for step, count in steps:
        for _ in range(count):
            sums += sums << (abs(step) * width)
    observed = abs(sum(step * count for step, count in steps))
    largest = sum(abs(step) * count for step, count in steps)
    upper_tail = sums >> ((largest + observed) // 2 * width)
    as_far = upper_tail % ((1 << width) - 1)
    return min(1.0, 2 * as_far / (1 << number))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values corrected for being tested together, in the order given (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return tuple(adjusted)


def _on_grid(moved: Tally) -> list[tuple[int, int]]:
    """Return values as whole steps of one grid, each with its count."""
    largest = max(map(abs, moved))
    for parts in range(1, _FINEST_GRID + 1):
        scaled = [value / largest * parts for value in moved]
        if all(abs(value - round(value)) < _SAME for value in scaled):
            break
    else:
        unit = _BITS / sum(moved.values()) / math.fsum(abs(value) * count for value, count in moved.items())
        scaled = [value * unit for value in moved]
    return [(round(value), count) for value, count in zip(scaled, moved.values(), strict=True)]


def score_interval(seen: Tally, lowest: float, highest: float) -> tuple[float, float]:
    """Return the 95 % score interval of the mean of values that lie between two bounds.

    Every mean is kept that a score test does not reject, with the variance of the most likely distribution of that
    mean (over the values seen and the two bounds). For right or wrong this is Wilson's interval (1927), for
    differences of right or wrong Tango's (1998) with a slight continuity correction; for graded values it is the same
    idea, with the empirical likelihood of Owen (1988).

    Raises:
        ValueError: there are no values.
    """
    if not seen:
        raise ValueError("an interval needs at least one value")
    slack = _CONTINUITY * (highest - lowest) / 2 if lowest < 0 < highest else 0.0
    mirrored = {-value: count for value, count in seen.items()}
    precision = _PRECISION * (highest - lowest)
    return _low_end(seen, lowest, slack, precision), -_low_end(mirrored, -highest, slack, precision)


def _low_end(seen: Tally, lowest: float, slack: float, precision: float) -> float:
    """Return the smallest mean that is not rejected."""
    total, mean = sum(seen.values()), tally_mean(seen)
    rejected, kept = lowest, mean
    while kept - rejected > precision:
        middle = (rejected + kept) / 2
        apart = max(0.0, total * (mean - middle) - slack)
        if apart**2 > Z**2 * total * _variance_at(seen, middle, lowest):
            rejected = middle
        else:
            kept = middle
    return kept if kept - lowest > precision else lowest


def _variance_at(seen: Tally, mean: float, lowest: float) -> float:
    """Return the variance of the most likely distribution with a mean below the one seen.

    Its shares are f / (1 + tilt (v - mean)) of the shares seen, f. The rest to 1 lies on the bound, where the tilt
    can grow no further.
    """
    total = sum(seen.values())
    shares = [(value - mean, count / total) for value, count in seen.items()]
    tilt = _tilt(shares, 1 / (mean - lowest))
    tilted = [(off, share / (1 + tilt * off)) for off, share in shares]
    left = max(0.0, 1 - math.fsum(share for _, share in tilted))
    return math.fsum(share * off**2 for off, share in tilted) + left * (mean - lowest) ** 2


def _tilt(shares: Sequence[tuple[float, float]], steepest: float) -> float:
    """Return the tilt with a mean offset of zero, by Newton's method within a bracket; at most the steepest."""
    above, below = 0.0, steepest * (1 - 1e-12)
    if _offset(shares, below)[0] >= 0:
        return below
    tilt = 0.0
    for _ in range(_MOST_STEPS):
        offset, slope = _offset(shares, tilt)
        above, below = (tilt, below) if offset > 0 else (above, tilt)
        step = tilt - offset / slope
        following = step if above < step < below else (above + below) / 2
        if abs(following - tilt) <= _PRECISION * steepest:
            return following
        tilt = following
    return tilt


def _offset(shares: Sequence[tuple[float, float]], tilt: float) -> tuple[float, float]:
    """Return the mean offset of tilted shares, and its slope in the tilt; the slope is below zero."""
    offset = slope = 0.0
    for off, share in shares:
        tilted = off / (1 + tilt * off)
        offset += share * tilted
        slope -= share * tilted * tilted
    return offset, slope
