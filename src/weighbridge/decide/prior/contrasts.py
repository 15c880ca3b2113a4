"""How far two strategies are apart on a figure, with its interval: a difference of shares, or a ratio of the rest.

Accuracy and hallucination are compared in pairs, over the questions put to both; a failed attempt counts as a wrong
answer, as in the decision. Everything else is compared by the two intervals: for a difference and, on logarithms, for a
ratio, the method of variance estimates recovery (Zou and Donner 2008). It takes the two for independent, so for
strategies that answered the same questions its interval is rather too wide than too narrow.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

from weighbridge.decide.leads import find_comparison
from weighbridge.figures import FIGURES, FigureKind
from weighbridge.intervals import Z, score_interval, sign_flip, tally_mean
from weighbridge.results import Comparison, Estimate, JointOutcomes, Measurement

FEWEST_QUESTIONS = 10
"""Below it no verdict is tried: a sign-flip test of nine questions finds nothing but unanimity, among many claims."""
_LARGEST = 700.0
"""The logarithm of a ratio beyond all measure, and the largest that a float can still be raised from."""
_PAIRED: tuple[Literal["accuracy"], Literal["hallucination"]] = ("accuracy", "hallucination")
DERIVED_FIGURES: Mapping[str, FigureKind] = {
    kind.name: kind
    for kind in (
        FigureKind(
            name="setup_cost",
            label="cost of setting up",
            unit="money",
            higher_is_better=False,
            meaning="money before the first answer: indexing and training, without people's time",
        ),
        FigureKind(
            name="running_cost",
            label="running cost per 1,000",
            unit="money",
            higher_is_better=False,
            meaning="money for a thousand answers, without setting up",
        ),
        FigureKind(
            name="update",
            label="time to take in new knowledge",
            unit="seconds",
            higher_is_better=False,
            meaning="indexing all documents again, or training again for a strategy that reads none",
        ),
    )
}
"""Figures that are computed from a measurement, and test what the published tables say of cost and updates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureContrast:
    """Left against right: minus for shares, divided by for everything else."""

    kind: Literal["difference", "ratio"]
    estimate: Estimate
    """Its `scored` is the number of questions. One that was measured once has no interval."""
    is_paired: bool = False
    is_single: bool = False
    """Whether both were measured once."""
    sign_flip: float = 0.0
    """Two-sided p-value of the exact sign-flip test of no difference; 0 where there is none to take."""


@dataclass(frozen=True, slots=True)
class Untestable:
    """Why there is nothing to test with, as the end of a sentence."""

    reason: str


def figure_words(name: str) -> FigureKind:
    """Return how a figure of a claim is to be read."""
    return FIGURES.get(name) or DERIVED_FIGURES[name]


def claimed_figure(measurement: Measurement, name: str) -> Estimate | None:
    """Return a figure of a strategy, or one derived from it; None where it was not taken.

    A strategy that reads no passages can show no answer in one: its share of citations is 0 by its make.
    """
    cost, usage = measurement.cost, measurement.usage
    if name == "setup_cost":
        return _once(cost.upfront) if cost else None
    if name == "running_cost":
        whole = measurement.figures.get("cost_per_thousand")
        if cost is None or whole is None:
            return None
        # The set-up that is spread over the answers has no interval, so that of the whole is that of the rest.
        spread = whole.value - cost.per_thousand_answers
        return replace(whole, value=whole.value - spread, low=whole.low - spread, high=whole.high - spread)
    if name == "update":
        return _once(usage.indexing_seconds or usage.training_seconds) if usage else None
    if name == "citation" and not measurement.cites:
        return replace(_once(0.0), scored=measurement.attempts)
    return measurement.figures.get(name)


def _once(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value, scored=1)


def contrast_pair(
    name: str, left: Measurement, right: Measurement, joint: JointOutcomes, comparisons: Sequence[Comparison]
) -> FigureContrast | Untestable:
    """Return the contrast of two strategies on a figure, or the reason that there is none.

    The comparisons are used where the joint outcomes of the two were not saved.
    """
    for paired in _PAIRED:
        if name == paired:
            compared = find_comparison(name, left.strategy, right.strategy, comparisons)
            return _contrast_outcomes(paired, left.strategy, right.strategy, joint, compared)
    found = [claimed_figure(measurement, name) for measurement in (left, right)]
    missing = [one.strategy for one, estimate in zip((left, right), found, strict=True) if estimate is None]
    if missing or found[0] is None or found[1] is None:
        return Untestable(f"{figure_words(name).label} of {missing[0]} was not measured")
    if name == "citation" and not (left.cites or right.cites):
        return Untestable("neither of the two can cite in this task")
    one, other = found[0], found[1]
    is_single = all(estimate.scored == 1 and estimate.low == estimate.high for estimate in (one, other))
    if figure_words(name).unit != "share":
        return _ratio(one, other, is_single=is_single)
    if min(one.scored, other.scored) < FEWEST_QUESTIONS:
        return _too_few(min(one.scored, other.scored))
    low = math.hypot(one.value - one.low, other.high - other.value)
    high = math.hypot(one.high - one.value, other.value - other.low)
    value = one.value - other.value
    estimate = Estimate(value=value, low=value - low, high=value + high, scored=min(one.scored, other.scored))
    return FigureContrast(kind="difference", estimate=estimate)


def _contrast_outcomes(
    name: Literal["accuracy", "hallucination"],
    left: str,
    right: str,
    joint: JointOutcomes,
    compared: Comparison | None,
) -> FigureContrast | Untestable:
    seen: Counter[float] = Counter()
    if left in joint.strategies and right in joint.strategies:
        first, second = joint.strategies.index(left), joint.strategies.index(right)
        for row in joint.rows:
            values = row.accuracy if name == "accuracy" else row.hallucination
            one, other = values[first], values[second]
            if one is not None and other is not None:
                seen[one - other] += row.questions
    if not seen and compared is not None and compared.difference.scored >= FEWEST_QUESTIONS:
        return FigureContrast(
            kind="difference", estimate=compared.difference, is_paired=True, sign_flip=compared.p_value
        )
    if seen.total() < FEWEST_QUESTIONS:
        return _too_few(seen.total() or (compared.difference.scored if compared else 0))
    value = tally_mean(seen)
    low, high = score_interval(seen, -1.0, 1.0)
    estimate = Estimate(value=value, low=min(low, value), high=max(high, value), scored=seen.total())
    return FigureContrast(kind="difference", estimate=estimate, is_paired=True, sign_flip=sign_flip(seen))


def _too_few(questions: int) -> Untestable:
    return Untestable(f"{questions} questions that both answered are too few; {FEWEST_QUESTIONS} are needed")


def _ratio(left: Estimate, right: Estimate, *, is_single: bool) -> FigureContrast | Untestable:
    if min(left.value, right.value) <= 0:
        return Untestable("one of the two is 0, and there is no ratio to nothing")
    one, other = math.log(left.value), math.log(right.value)
    above = math.inf if right.open_above else _log(right.high) - other
    low = one - other - math.hypot(one - _log(left.low), above)
    high = one - other + math.hypot(_log(left.high) - one, other - _log(right.low))
    estimate = Estimate(
        value=math.exp(one - other),
        low=math.exp(low),
        high=math.exp(min(high, _LARGEST)),
        scored=min(left.scored, right.scored),
        open_above=left.open_above or high > _LARGEST,
    )
    return FigureContrast(kind="ratio", estimate=estimate, is_single=is_single)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


@dataclass(frozen=True, slots=True)
class ClaimedSpan:
    """The values that a claim holds for, its ends left out."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Location:
    """Whether a value lies in a span, and the two-sided p-value of its only seeming to lie on that side."""

    is_inside: bool
    p_value: float


def locate_in_span(estimate: Estimate, span: ClaimedSpan, *, in_logs: bool) -> Location:
    """Find on which side of the ends of a span a value lies, by its interval (Altman and Bland 2011).

    The interval is taken for that of a normal distribution on each side of the value, on logarithms for what can only
    be above 0. So the p-value is at most 5 % where the 95 % interval reaches over no end, and a wider interval never
    has a smaller one.
    """
    value, low, high = estimate.value, estimate.low, math.inf if estimate.open_above else estimate.high
    ends = (span.low, span.high)
    if in_logs:
        value, low, high = _log(value), _log(low), _log(high) if high < math.inf else math.inf
        ends = (_log(span.low), _log(span.high) if span.high < math.inf else math.inf)
    is_inside = ends[0] < value < ends[1]
    below = _distance(value - ends[0], value - low) if value >= ends[0] else math.inf
    above = _distance(ends[1] - value, high - value) if value <= ends[1] else math.inf
    if not is_inside:
        below = _distance(ends[0] - value, high - value) if value <= ends[0] else math.inf
        above = _distance(value - ends[1], value - low) if value >= ends[1] else math.inf
    return Location(is_inside, min(1.0, 2 * NormalDist().cdf(-min(below, above))))


def _distance(room: float, half_width: float) -> float:
    """Return how far an end is away, in standard deviations."""
    if room == 0:
        return 0.0
    if math.isinf(half_width):
        return 0.0 if math.isfinite(room) else math.inf
    return math.inf if half_width == 0 or math.isinf(room) else room / half_width * Z
