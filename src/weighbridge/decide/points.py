"""Ranks strategies by points per priority, weighed.

Accuracy gives its value, hallucination 1 minus its value. Latency gives 1 up to one second, since that does not
interrupt a person's thought, and 0 from ten, the limit of attention (Miller 1968; Nielsen, Usability Engineering, 1993,
chapter 5), in between falling with its logarithm: a difference nobody notices must not decide. Cost gives 1 to the
cheapest of the strategies ranked together and 0 from a hundred times that, likewise. All lie between 0 and 1. Latency
is the median answer; the 95th percentile is for limits, it rests on too few timings to rank by.

A failed attempt earns nothing for accuracy or hallucination, as much as a wrong answer: no strategy may win by failing
where others are wrong. The figures themselves leave failures out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighbridge.errors import SettingsError
from weighbridge.results import Measurement
from weighbridge.settings.needs import Priorities

JUDGED_BY: Mapping[str, str] = {
    "accuracy": "accuracy",
    "hallucination": "hallucination",
    "latency": "latency_p50",
    "cost": "cost_per_thousand",
}
"""The figure behind each priority of the settings."""

UNNOTICED_SECONDS = 1.0
UNBEARABLE_SECONDS = 10.0
"""From the literature above on how long people wait; not measured here."""
WORTHLESS_TIMES = 100.0
"""How many times the cost of the cheapest is worth no points."""

SAME = 1e-9
"""Totals closer than this are equal: they differ by rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One strategy's points per priority, and their weighted mean."""

    strategy: str
    points: Mapping[str, float]
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Strategies ranked together, the best first, and by name where they are equal."""

    rows: tuple[Ranked, ...]
    weights: Mapping[str, float]
    """As given, of the priorities that all of the strategies could be judged by."""
    left_out: tuple[str, ...]
    """Priorities with a weight, but without a figure for some strategy."""

    def share(self, priority: str) -> float:
        """Return the weight of a priority, as a share of all weights."""
        return self.weights.get(priority, 0.0) / sum(self.weights.values())


def rank(measurements: Sequence[Measurement], priorities: Priorities) -> Ranking:
    """Rank strategies by the priorities they can all be judged by. Needs at least one strategy.

    Raises:
        SettingsError: no priority with a weight is left to rank by.
    """
    given = priority_weights(priorities)
    judged = [name for name, figure in JUDGED_BY.items() if all(figure in m.figures for m in measurements)]
    weights = {name: given[name] for name in judged}
    if not any(weights.values()):
        raise SettingsError(
            "weighbridge.yaml: needs.priorities: nothing to rank by: give accuracy, hallucination, latency or cost "
            "a weight above 0, one that was measured for every strategy"
        )
    rows = [earn_points(measurement, weights, best_of=measurements) for measurement in measurements]
    return Ranking(
        rows=tuple(sorted(rows, key=lambda ranked: (-round(ranked.total / SAME), ranked.strategy))),
        weights=weights,
        left_out=tuple(name for name in JUDGED_BY if name not in weights and given[name] > 0),
    )


def priority_weights(priorities: Priorities) -> dict[str, float]:
    """Return the weight of each priority, as given."""
    return {name: float(getattr(priorities, name)) for name in JUDGED_BY}


def earn_points(measurement: Measurement, weights: Mapping[str, float], *, best_of: Sequence[Measurement]) -> Ranked:
    """Return one strategy's points relative to the best of some; a missing figure earns none."""
    points = {name: _points(name, measurement, best_of) for name in weights if JUDGED_BY[name] in measurement.figures}
    total = sum(weights[name] * points[name] for name in points) / (sum(weights.values()) or 1.0)
    return Ranked(strategy=measurement.strategy, points=points, total=total)


def _points(priority: str, measurement: Measurement, best_of: Sequence[Measurement]) -> float:
    figure = JUDGED_BY[priority]
    value = measurement.figures[figure].value
    if priority in {"accuracy", "hallucination"}:
        answered = 1 - measurement.failures / measurement.attempts if measurement.attempts else 1.0
        return answered * (value if priority == "accuracy" else 1 - value)
    if priority == "latency":
        return _log_scale(value, UNNOTICED_SECONDS, UNBEARABLE_SECONDS)
    cheapest = min((other.figures[figure].value for other in best_of if figure in other.figures), default=value)
    return _log_scale(value, cheapest, cheapest * WORTHLESS_TIMES)


def _log_scale(value: float, good: float, bad: float) -> float:
    """Return 1 up to `good`, 0 from `bad`, and falling with the logarithm in between."""
    if value <= good:
        return 1.0
    return 0.0 if value >= bad else 1 - math.log(value / good) / math.log(bad / good)
