"""Draws states of the world that the measurements leave possible: the true figures of all strategies, together.

Accuracy and hallucination come from the Bayesian bootstrap (Rubin 1981) over the questions: each question gets a weight
from an exponential distribution, the same for all strategies, so that what they find equally hard stays common to
them. Questions with the same outcomes share one weight, from a gamma distribution. The bootstrap alone takes for
impossible what no question has shown, so that 3 wins and no loss would be certain; therefore a little weight lies on
questions that were not asked (`_UNSEEN`).

Latency, cost and the other amounts vary within their intervals, log-normally. The latency and the cost of one strategy
share their luck, because both come from the same seconds, unless answers are paid by the token.

The draws do not depend on the order of the strategies or of the questions, and are the same each time.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from operator import mul
from random import Random

from weighbridge.decide.points import Ranking, answered_share, judged_value
from weighbridge.figures import FIGURES
from weighbridge.intervals import Z
from weighbridge.results import Estimate, JointOutcomes, Measurement
from weighbridge.settings.curves import CRITERIA

QUALITY = ("accuracy", "hallucination")
"""The priorities with points that differ from question to question."""
_SEED = 7
DRAWS = 1000
"""Enough to know a chance to 1.6 % in the worst case; 8 strategies on 1,000 questions then take some 0.3 s."""
_UNSEEN = 0.5
"""Weight, in questions, of each unseen outcome: that one strategy alone is right, and that it alone is wrong. Any two
strategies then differ on one question either way: the flat prior on who wins a question that divides them. Less makes
the chances too high where strategies are close, more makes them too low where they are not: docs/adr/0029-doubt.md."""

PointDraws = Mapping[str, Mapping[str, Sequence[float]]]
"""By priority and strategy: the points in each draw."""
FigureDraws = Mapping[str, Mapping[str, Sequence[float]]]
"""By priority and strategy: the value of the figure in each draw. A failed attempt counts as a wrong answer."""


def draw_figures(
    measurements: Sequence[Measurement], joint: JointOutcomes | None, priorities: Collection[str] = tuple(CRITERIA)
) -> FigureDraws:
    """Draw the figures of some priorities. Without joint outcomes, shares vary within their intervals."""
    ordered = sorted(measurements, key=lambda measurement: measurement.strategy)
    names = [measurement.strategy for measurement in ordered]
    rows = _joint_rows(joint, names) if joint is not None and set(names) <= set(joint.strategies) else []
    columns = [column for column in _columns(rows, names) if any(column.known) and column.figure in priorities]
    values: dict[str, dict[str, Sequence[float]]] = {name: {} for name in priorities}
    for column, drawn in zip(columns, _bootstrap(rows, columns), strict=True):
        values[column.figure][column.strategy] = drawn
    for measurement in ordered:
        for name in priorities:
            estimate = measurement.figures.get(CRITERIA[name].figure)
            if estimate is not None and measurement.strategy not in values[name]:
                values[name][measurement.strategy] = _draw_estimate(name, estimate, measurement)
    return values


def draw_points(draws: FigureDraws, ranking: Ranking, measurements: Sequence[Measurement]) -> PointDraws:
    """Return the points of ranked strategies in each draw, by priority and strategy."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, curve in ranking.curves.items():
        if ranking.weights[name] == 0:
            continue
        columns = {}
        for measurement in measurements:
            value = judged_value(name, measurement) or 0.0
            columns[measurement.strategy] = draws[name].get(measurement.strategy, [value] * DRAWS)
        if curve.slope is not None:  # a line, several times as fast
            start, slope = curve.points[0][1], curve.slope
            found[name] = {
                strategy: [start + slope * value for value in column] for strategy, column in columns.items()
            }
            continue
        least = [min(row) for row in zip(*columns.values(), strict=True)] if curve.relative else [0.0] * DRAWS
        found[name] = {
            strategy: [curve.utility(value, lowest) for value, lowest in zip(column, least, strict=True)]
            for strategy, column in columns.items()
        }
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One figure of one strategy, row by row; 0 where it is not known."""

    figure: str
    strategy: str
    outcomes: Sequence[float]
    known: Sequence[bool]
    binary: bool
    complete: bool
    """Whether every outcome is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """The outcomes of all strategies on some questions, in the order of their names."""

    accuracy: tuple[float | None, ...]
    hallucination: tuple[float | None, ...]
    weight: float
    """Questions with these outcomes; less than one for outcomes that were not seen."""


def _joint_rows(joint: JointOutcomes, names: Sequence[str]) -> list[_Row]:
    """Return the rows of some strategies, in an order of their own, with the unseen ones."""
    places = [joint.strategies.index(name) for name in names]
    seen: dict[tuple[tuple[float | None, ...], tuple[float | None, ...]], int] = {}
    for row in joint.rows:
        key = tuple(row.accuracy[place] for place in places), tuple(row.hallucination[place] for place in places)
        seen[key] = seen.get(key, 0) + row.questions
    rows = [
        _Row(accuracy=accuracy, hallucination=hallucination, weight=float(seen[accuracy, hallucination]))
        for accuracy, hallucination in sorted(seen, key=str)
    ]
    unjudged = [all(row.hallucination[place] is None for row in rows) for place in range(len(names))]
    for alone in range(len(names)):
        for right in (0.0, 1.0):
            accuracy = tuple(right if place == alone else 1 - right for place in range(len(names)))
            wrong = tuple(None if skip else 1 - value for skip, value in zip(unjudged, accuracy, strict=True))
            rows.append(_Row(accuracy=accuracy, hallucination=wrong, weight=_UNSEEN))
    return rows


def _columns(rows: Sequence[_Row], names: Sequence[str]) -> Iterator[_Column]:
    for place, name in enumerate(names):
        for figure in QUALITY:
            values = [getattr(row, figure)[place] for row in rows]
            yield _Column(
                figure=figure,
                strategy=name,
                outcomes=[value or 0.0 for value in values],
                known=[value is not None for value in values],
                binary=set(values) <= {0.0, 1.0, None},
                complete=None not in values,
            )


def _bootstrap(rows: Sequence[_Row], columns: Sequence[_Column]) -> list[list[float]]:
    """Return the mean of each column in each draw."""
    generator = Random(_SEED)  # noqa: S311 - the same draws for every decision, so that it does not change by itself
    drawn: list[list[float]] = [[] for _ in columns]
    random, gamma, log = generator.random, generator.gammavariate, math.log
    for _ in range(DRAWS if rows else 0):
        weights = [-log(1.0 - random()) if row.weight == 1 else gamma(row.weight, 1.0) for row in rows]
        total = sum(weights)
        for column, means in zip(columns, drawn, strict=True):
            # Most outcomes are right or wrong: picking weights is three times as fast as multiplying them.
            gained = compress(weights, column.outcomes) if column.binary else map(mul, weights, column.outcomes)
            means.append(sum(gained) / (total if column.complete else sum(compress(weights, column.known))))
    return drawn


def _draw_estimate(priority: str, estimate: Estimate, measurement: Measurement) -> list[float]:
    by_token = measurement.usage is not None and measurement.usage.by_token
    source = "seconds" if priority == "latency" or (priority == "cost" and not by_token) else priority
    luck = _luck(f"{source} {measurement.strategy}")
    if FIGURES[CRITERIA[priority].figure].unit != "share":
        return _draw_amount(estimate, luck)
    drawn, answered = _draw_share(estimate, luck), answered_share(measurement)
    if priority == "accuracy":
        return [answered * value for value in drawn]
    return [1 - answered * (1 - value) for value in drawn] if priority == "hallucination" else drawn


@lru_cache(maxsize=256)  # some for each strategy: a decision that is taken again and again draws them once
def _luck(source: str) -> tuple[float, ...]:
    """Return the standard normal luck of a source. Each has its own generator: no other figure changes its luck."""
    generator = Random(f"{_SEED} {source}")  # noqa: S311 - as above
    return tuple(generator.gauss(0.0, 1.0) for _ in range(DRAWS))


def _draw_share(estimate: Estimate, luck: Sequence[float]) -> list[float]:
    """Return normal draws of a share: each side as wide as its part of the interval."""
    below, above = (estimate.value - estimate.low) / Z, (estimate.high - estimate.value) / Z
    return [min(1.0, max(0.0, estimate.value + (above if off > 0 else below) * off)) for off in luck]


def _draw_amount(estimate: Estimate, luck: Sequence[float]) -> list[float]:
    """Return log-normal draws of an amount: each side as wide as its part of the interval."""
    if estimate.value <= 0:
        return [estimate.value] * len(luck)
    below, above = amount_spread(estimate)
    return [estimate.value * math.exp((above if off > 0 else below) * off) for off in luck]


def amount_spread(estimate: Estimate) -> tuple[float, float]:
    """Return the standard deviations of the logarithm of an amount, below and above its value.

    Where nothing bounds it from above, it may be as far above as below.
    """
    below = math.log(estimate.value / estimate.low) / Z if 0 < estimate.low <= estimate.value else 0.0
    above = math.log(estimate.high / estimate.value) / Z if estimate.high >= estimate.value else 0.0
    return below, max(above, below) if estimate.open_above else above
