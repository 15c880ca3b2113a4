"""How often the 95 % interval of a paired difference holds the truth: exact for right or wrong, simulated for graded.

For right or wrong the chance is summed over all outcomes, so it has no error of its own: Tango's interval as it is used
and without its continuity correction, for two strategies that are right on p and p + gap of the questions, correlated
by r. Graded differences are drawn, and get the score interval and the BCa bootstrap.
Run: python benchmarks/interval_coverage.py
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from weighbridge.intervals import CONFIDENCE, Z, score_interval, tally

Numbers = NDArray[np.float64]
Ends = tuple[Numbers, Numbers]
SIZES = (60, 80, 100, 120, 150, 200, 300)
SHARES = (0.02, 0.03, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
CORRELATIONS = (0.0, 0.3, 0.6, 0.8, 0.9)
GAPS = (0.0, 0.02, 0.05, 0.1, 0.2)
_SAME = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Two strategies: the first is right on p + gap of n questions, the second on p, correlated by r."""

    n: int
    p: float
    r: float
    gap: float

    @property
    def cells(self) -> tuple[float, float] | None:
        """Return how often only the first, and only the second is right; None where no such pair can be."""
        q = self.p + self.gap
        if q > SHARES[-1] + _SAME:
            return None
        both = self.p * q + self.r * math.sqrt(self.p * (1 - self.p) * q * (1 - q))
        cells = q - both, self.p - both, 1 - self.p - q + both
        return None if min(cells) < -_SAME else (max(cells[0], 0.0), max(cells[1], 0.0))


def tango(won: Numbers, lost: Numbers, n: int, correction: float) -> Ends:
    """Return Tango's intervals, by bisection on his score statistic."""

    def statistic(delta: Numbers) -> Numbers:
        b, c = -won - lost + (2 * n - won + lost) * delta, -lost * delta * (1 - delta)
        losing = (np.sqrt(np.maximum(0, b * b - 8 * n * c)) - b) / (4 * n)
        variance = np.maximum(n * (2 * losing + delta * (1 - delta)), 1e-300)
        off = won - lost - n * delta
        ratio: Numbers = np.sign(off) * np.maximum(np.abs(off) - correction, 0) / np.sqrt(variance)
        return ratio

    middle = (won - lost) / n
    ends = []
    for bound in (-1.0, 1.0):
        outside, inside = np.full_like(middle, bound), middle.copy()
        for _ in range(45):
            between = (outside + inside) / 2
            rejected = np.abs(statistic(between)) > Z
            outside, inside = np.where(rejected, between, outside), np.where(rejected, inside, between)
        ends.append(inside)
    return ends[0], ends[1]


def coverage(case: Case, won: Numbers, lost: Numbers, ends: Ends) -> float:
    """Return the exact chance that the intervals hold the gap."""
    cells = case.cells or (0.0, 0.0)
    first, second = (max(cell, 1e-300) for cell in cells)
    tied = case.n - won - lost
    logs = math.lgamma(case.n + 1) - sum(np.vectorize(math.lgamma)(count + 1) for count in (won, lost, tied))
    logs = logs + won * math.log(first) + lost * math.log(second) + tied * math.log(1 - first - second)
    held = (ends[0] <= case.gap + 1e-9) & (ends[1] >= case.gap - 1e-9)
    return float(np.exp(logs)[held].sum())


def right_or_wrong() -> None:
    """Print the coverage of the two forms of Tango's interval over all cases, and the worst of each."""
    found: dict[str, list[tuple[float, Case]]] = {"as used": [], "without correction": []}
    for n in SIZES:
        won, lost = (grid.ravel().astype(float) for grid in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
        possible = won + lost <= n
        won, lost = won[possible], lost[possible]
        ends = {"as used": tango(won, lost, n, 0.25), "without correction": tango(won, lost, n, 0.0)}
        for case in (Case(n=n, p=p, r=r, gap=gap) for p in SHARES for r in CORRELATIONS for gap in GAPS):
            if case.cells:
                for name, interval in ends.items():
                    found[name].append((coverage(case, won, lost, interval), case))
    print("\n| right or wrong, exact | cases | least | mean | below 94 % | worst case |\n|---|---|---|---|---|---|")
    for name, cases in found.items():
        held = [chance for chance, _ in cases]
        least, worst = min(cases, key=lambda each: each[0])
        told = f"n {worst.n}, p {worst.p}, r {worst.r}, gap {worst.gap}"
        below = np.mean(np.array(held) < CONFIDENCE - 0.01)
        print(f"| Tango, {name} | {len(held):,} | {least:.1%} | {np.mean(held):.1%} | {below:.1%} | {told} |")


def graded(trials: int, seed: int) -> None:
    """Print the coverage for differences in fifths of which few are not zero."""
    print(
        "\n| graded, in fifths | n | differ | to one side | score interval | BCa bootstrap |\n|---|---|---|---|---|---|"
    )
    generator = np.random.default_rng(seed)
    for n in (60, 120, 300):
        for differ in (0.03, 0.08, 0.2, 0.5):
            for side in (0.5, 0.8):
                truth = differ * 0.6 * (2 * side - 1)
                held = [0, 0]
                for _ in range(trials):
                    size = generator.integers(1, 6, n) / 5 * np.where(generator.random(n) < side, 1, -1)
                    drawn = np.where(generator.random(n) < differ, size, 0.0)
                    for place, interval in enumerate((score, bootstrap)):
                        low, high = interval(drawn.tolist())
                        held[place] += low <= truth <= high
                shares = " | ".join(f"{count / trials:.1%}" for count in held)
                print(f"| | {n} | {differ:.0%} | {side:.0%} | {shares} |", flush=True)


def score(values: Sequence[float]) -> tuple[float, float]:
    """Return the score interval of a mean difference."""
    return score_interval(tally(values), -1.0, 1.0)


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """Return the BCa interval of scipy; where nothing differs, the score interval."""
    if len(set(values)) == 1:
        return score(values)
    found = stats.bootstrap((values,), np.mean, n_resamples=2000, method="BCa", rng=1).confidence_interval
    return float(found.low), float(found.high)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500, help="draws of each graded case")
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    right_or_wrong()
    graded(given.trials, given.seed)


if __name__ == "__main__":
    main()
