"""Would more data help? Trainings on parts of the examples, asked the same dev questions.

The score is taken to rise by the same amount with each doubling of the examples, a line over the logarithm of their
number, fitted by least squares. As that is linear in the scores, each dev question has a slope of its own, and the
bootstrap over the questions shows the variation over other questions. Each size is trained once: the distance of the
trainings from the line, where there are three or more, stands for the variation over seeds. The interval is the wider
of the two at either end. Limits: it does not know where the line ends, and takes a bend of it for chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from weighbridge.adapters import Guard
from weighbridge.checks.likelihood import Branches, log_likelihoods
from weighbridge.checks.shares import SEED, change, nats, questions
from weighbridge.evaluate.statistics import SHARE, Bounds, mean_interval
from weighbridge.intervals import CONFIDENCE
from weighbridge.results import Estimate
from weighbridge.train.data.tokens import Encoded

WORTHWHILE = 0.02
"""Score that a doubling must add to be worth it."""
_FEWEST = 2
"""Sizes that make a line."""
_ONCE = (
    "Each size was trained once, with one seed; the intervals include the variation over seeds, judged by the "
    "distance of the trainings from a line"
)
_TWICE = "Each size was trained once, with one seed; the intervals leave out the variation over seeds"
_NOTHING = "Whether more data would help was not measured: it takes trainings on two sizes and a dev question"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One training on a share of the examples, with its scores on the same dev questions."""

    share: float
    examples: int
    """At least 1."""
    scores: tuple[float | None, ...]
    """From 0 to 1, one a dev question, in the same order at every point; None: could not be scored."""
    losses: tuple[float, ...]
    """Mean nats per token of each dev question's answer, in the same order."""


def dev_losses(network: Any, encoded: Sequence[Encoded]) -> tuple[float, ...]:
    """Return each conversation's loss: mean nats per token of its answer, stop token included, as in training."""
    asked = [Branches(one.tokens[: one.start], (one.tokens[one.start :],)) for one in encoded]
    return tuple(-answers[0] for answers in log_likelihoods(network, asked))


def learning_curve(points: Sequence[CurvePoint]) -> Guard:
    """Estimate the gain from doubling the examples. Nothing is required of it, so it neither passes nor fails."""
    ordered = sorted(points, key=lambda point: point.examples)
    weights = _slope_weights([point.examples for point in ordered])
    scored = [row for row in zip(*(point.scores for point in ordered), strict=True) if None not in row]
    if not weights or not scored:
        return Guard(name="learning curve", passed=None, summary=_NOTHING, figures={})
    rows = [[float(value or 0) for value in row] for row in scored]
    losses = list(zip(*(point.losses for point in ordered), strict=True))
    missing = len(ordered[0].scores) - len(rows)
    steepest = Bounds(sum(w for w in weights if w < 0), sum(w for w in weights if w > 0))
    over_questions = mean_interval(_slopes(weights, rows), SEED, bounds=steepest, unscored=missing)
    figures = {
        **_at("score", ordered, rows, SHARE, missing),
        **_at("loss", ordered, losses, None, 0),
        "doubling": _widen(over_questions, _scatter(ordered, weights, rows)),
        "doubling, loss": _widen(mean_interval(_slopes(weights, losses), SEED), _scatter(ordered, weights, losses)),
    }
    return Guard(name="learning curve", passed=None, summary=_sentence(ordered, figures), figures=figures)


def _slope_weights(sizes: Sequence[int]) -> list[float]:
    """Return the weight of each point's score in the least-squares slope over log2(examples); empty if undefined."""
    if len(set(sizes)) < _FEWEST:
        return []
    places = [math.log2(size) for size in sizes]
    middle = sum(places) / len(places)
    spread = sum((place - middle) ** 2 for place in places)
    return [(place - middle) / spread for place in places]


def _slopes(weights: Sequence[float], rows: Sequence[Sequence[float]]) -> list[float]:
    return [math.fsum(w * value for w, value in zip(weights, row, strict=True)) for row in rows]


def _at(
    name: str, points: Sequence[CurvePoint], rows: Sequence[Sequence[float]], bounds: Bounds | None, missing: int
) -> Mapping[str, Estimate]:
    columns = zip(*rows, strict=True)
    return {
        f"{name} at {point.examples}": mean_interval(column, SEED, bounds=bounds, unscored=missing)
        for point, column in zip(points, columns, strict=True)
    }


def _scatter(points: Sequence[CurvePoint], weights: Sequence[float], rows: Sequence[Sequence[float]]) -> float:
    """Return how far the slope may be off because each point is one training; 0 where two points leave no scatter.

    Half the classical interval of a least-squares slope: Student's t at points - 2 degrees of freedom, times the
    slope's standard error by the residuals (Draper and Smith 1998, section 1.4).
    """
    from scipy.stats import t

    free = len(points) - 2
    if free < 1:
        return 0.0
    means = [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
    places = [math.log2(point.examples) for point in points]
    slope = math.fsum(w * mean for w, mean in zip(weights, means, strict=True))
    middle, level = math.fsum(places) / len(places), math.fsum(means) / len(means)
    off = math.fsum((m - level - slope * (x - middle)) ** 2 for x, m in zip(places, means, strict=True))
    return float(t.ppf((1 + CONFIDENCE) / 2, free)) * math.sqrt(off / free * math.fsum(w * w for w in weights))


def _widen(slope: Estimate, half: float) -> Estimate:
    return replace(slope, low=min(slope.low, slope.value - half), high=max(slope.high, slope.value + half))


def _sentence(points: Sequence[CurvePoint], figures: Mapping[str, Estimate]) -> str:
    gain, loss = figures["doubling"], figures["doubling, loss"]
    most = points[-1].examples
    measured = (
        f"each doubling from {points[0].examples:,} to {most:,} examples changed the dev score by {change(gain)} "
        f"and the loss of its answers by {nats(loss)}"
    )
    if gain.low > 0:
        said = f"More data would help: {measured}; another {most:,} examples may add as much again"
    elif gain.high < WORTHWHILE:
        said = f"More data would hardly help: {measured}"
    else:
        asked = f"{questions(gain.scored)} and {len(points)} trainings"
        said = f"Whether more data would help cannot be told with {asked}: {measured}"
    hint = "; the loss still falls, so more data may help all the same" if gain.low <= 0 and loss.high < 0 else ""
    return f"{said}{hint}. {_ONCE if len(points) > _FEWEST else _TWICE}"
