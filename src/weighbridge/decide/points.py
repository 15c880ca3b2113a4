"""Ranks strategies by points per priority, weighed.

The points of a priority are the utility of its figure, by the curve of `settings.curves`: from 0 to 1, and the same
curve for every strategy. A curve of times the cheapest is of the strategies ranked together.

A failed attempt earns nothing for accuracy or hallucination, as much as a wrong answer: no strategy may win by failing
where others are wrong. The figures themselves leave failures out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighbridge.errors import SettingsError
from weighbridge.results import Measurement
from weighbridge.settings.curves import CRITERIA, USUAL, Curve, curve_for
from weighbridge.settings.needs import Needs, Priorities

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
    """Strategies ranked together, the best first."""

    rows: tuple[Ranked, ...]
    weights: Mapping[str, float]
    """As given, of the priorities that all of the strategies could be judged by."""
    left_out: tuple[str, ...]
    """Priorities with a weight, but without a figure for some strategy."""
    curves: Mapping[str, Curve]

    def share(self, priority: str) -> float:
        """Return the weight of a priority, as a share of all weights."""
        return self.weights.get(priority, 0.0) / sum(self.weights.values())


def rank(measurements: Sequence[Measurement], needs: Needs) -> Ranking:
    """Rank strategies by the priorities they can all be judged by. Needs at least one strategy.

    Equal totals are ordered by accuracy, then cost, then latency, so that a strategy never stands behind one that it
    dominates in these; then by name.

    Raises:
        SettingsError: no priority with a weight is left to rank by.
    """
    given = priority_weights(needs.priorities)
    judged = [name for name in given if all(judged_value(name, m) is not None for m in measurements)]
    weights = {name: given[name] for name in judged}
    if not any(weights.values()):
        raise SettingsError(
            "weighbridge.yaml: needs.priorities: nothing to rank by: give accuracy, hallucination, latency or cost "
            "a weight above 0, one that was measured for every strategy"
        )
    curves = {name: curve_for(name, needs.curves) for name in weights}
    rows = [earn_points(measurement, weights, curves, best_of=measurements) for measurement in measurements]
    by_name = {measurement.strategy: measurement for measurement in measurements}
    return Ranking(
        rows=tuple(sorted(rows, key=lambda row: order_key(row.total, by_name[row.strategy]))),
        weights=weights,
        left_out=tuple(name for name in given if name not in weights and given[name] > 0),
        curves=curves,
    )


def order_key(total: float, measurement: Measurement) -> tuple[float, float, float, float, str]:
    """Return the sort key of a strategy with a total: the best is the least."""
    accuracy, cost, latency = (judged_value(name, measurement) for name in ("accuracy", "cost", "latency"))
    return (
        -round(total / SAME),
        -(accuracy or 0.0),
        math.inf if cost is None else cost,
        math.inf if latency is None else latency,
        measurement.strategy,
    )


def priority_weights(priorities: Priorities) -> dict[str, float]:
    """Return the weight of each priority, as given; of the unusual ones, those with a weight."""
    weights = {name: float(getattr(priorities, name)) for name in CRITERIA}
    return {name: weight for name, weight in weights.items() if weight > 0 or name in USUAL}


def judged_value(priority: str, measurement: Measurement) -> float | None:
    """Return the value that a priority is judged by; None where the figure was not taken.

    A failed attempt counts as a wrong answer. A strategy that reads no passages has no citations.
    """
    estimate = measurement.figures.get(CRITERIA[priority].figure)
    if estimate is None:
        return 0.0 if priority == "citation" and not measurement.cites else None
    if priority in {"accuracy", "hallucination"}:
        answered = answered_share(measurement)
        return answered * estimate.value if priority == "accuracy" else 1 - answered * (1 - estimate.value)
    return estimate.value


def answered_share(measurement: Measurement) -> float:
    """Return the share of the attempts that did not fail."""
    return 1 - measurement.failures / measurement.attempts if measurement.attempts else 1.0


def earn_points(
    measurement: Measurement,
    weights: Mapping[str, float],
    curves: Mapping[str, Curve],
    *,
    best_of: Sequence[Measurement],
) -> Ranked:
    """Return one strategy's points relative to the best of some; a missing figure earns none."""
    points = {}
    for name in weights:
        value = judged_value(name, measurement)
        if value is not None:
            points[name] = curves[name].utility(value, least_value(name, best_of))
    total = sum(weights[name] * points[name] for name in points) / (sum(weights.values()) or 1.0)
    return Ranked(strategy=measurement.strategy, points=points, total=total)


def least_value(priority: str, measurements: Sequence[Measurement]) -> float:
    """Return the least value of a priority's figure; 0 where no strategy has it."""
    values = (judged_value(priority, measurement) for measurement in measurements)
    return min((value for value in values if value is not None), default=0.0)
