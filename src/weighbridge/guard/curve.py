"""Would more data help? Trainings on parts of the examples, asked the same dev questions.

The score is taken to rise by the same amount with each doubling of the examples, a line over the logarithm of their
number, fitted by least squares. As that is linear in the scores, each dev question has a slope of its own, and the
interval is the bootstrap's over the questions. What this does not know: how much another seed would change a training,
and where the line ends.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.adapters import Guard
from weighbridge.guard.figures import SEED, change, nats, questions
from weighbridge.guard.likelihood import Branches, log_likelihoods
from weighbridge.measure.statistics import SHARE, Bounds, mean_interval
from weighbridge.results import Estimate
from weighbridge.train.tokens import Encoded

WORTHWHILE = 0.02
"""Score that a doubling must add to be worth it."""
_FEWEST = 2
_NOTHING = "Whether more data would help was not measured: it takes trainings on two sizes and a dev question"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One training on a share of the examples, and what the same dev questions made of it."""

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
    """Say what a doubling of the examples would add: nothing is required of it, so it neither passes nor fails."""
    ordered = sorted(points, key=lambda point: point.examples)
    weights = _weights([point.examples for point in ordered])
    scored = [row for row in zip(*(point.scores for point in ordered), strict=True) if None not in row]
    if not weights or not scored:
        return Guard(name="learning curve", passed=None, summary=f"{_NOTHING}.", figures={})
    rows = [[float(value or 0) for value in row] for row in scored]
    losses = list(zip(*(point.losses for point in ordered), strict=True))
    missing = len(ordered[0].scores) - len(rows)
    steepest = Bounds(sum(w for w in weights if w < 0), sum(w for w in weights if w > 0))
    figures = {
        **_at("score", ordered, rows, SHARE, missing),
        **_at("loss", ordered, losses, None, 0),
        "doubling": mean_interval(_slopes(weights, rows), SEED, bounds=steepest, unscored=missing),
        "doubling, loss": mean_interval(_slopes(weights, losses), SEED),
    }
    return Guard(name="learning curve", passed=None, summary=_sentence(ordered, figures), figures=figures)


def _weights(sizes: Sequence[int]) -> list[float]:
    """Return what each point's score counts for in the least-squares slope over log2(examples); empty if undefined."""
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


def _sentence(points: Sequence[CurvePoint], figures: Mapping[str, Estimate]) -> str:
    gain, loss = figures["doubling"], figures["doubling, loss"]
    most = points[-1].examples
    measured = (
        f"each doubling from {points[0].examples:,} to {most:,} examples changed the dev score by {change(gain)} "
        f"and the loss of its answers by {nats(loss)}"
    )
    if gain.low > 0:
        return f"More data would help: {measured}; another {most:,} examples may add as much again."
    if gain.high < WORTHWHILE:
        return f"More data would hardly help: {measured}."
    hint = "; the loss still falls, so more data may help" if loss.high < 0 else ""
    return f"Whether more data would help cannot be told with {questions(gain.scored)}: {measured}{hint}."
