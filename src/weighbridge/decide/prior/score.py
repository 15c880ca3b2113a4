"""Scores strategies by published advice: a weighted sum of directions, plus a bonus of the hybrid.

The points of a strategy are its base plus, for each question, weight x slope x (score - 3) / 2. A slope from -1 to 1
is the mean over everything that was read on that question for that strategy. So an answer moves a strategy in one
direction only, the sign of the slope. docs/adr/0026 has the reasons. `advice_score.js` does the same in a browser.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from weighbridge.decide.prior.matrix import MIDDLE, STRATEGIES, TOP, AdviceMatrix, Answer

Slopes = Mapping[str, Mapping[str, float]]
"""By factor, then by strategy."""
PUBLISHED = frozenset({"advice", "measured"})
"""The kinds of sources that may be left out to see if the advice stands without them."""
_EQUAL = 1e-9
"""Points that are no nearer than this differ; below it is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """The points that one answer gives to a strategy, or takes from it."""

    factor: str
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyScore:
    """The points of one strategy, and what they are made of."""

    strategy: str
    points: float
    contributions: tuple[Contribution, ...]
    """One for each question, in the order of the matrix."""
    base: float
    bonus: float
    """Points of the hybrid for both needs at once; 0 for the others."""
    impossible: str
    """Why it cannot be built with these answers; empty if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceFlip:
    """One change after which another strategy leads."""

    leader: str
    """The strategy that leads then."""
    factor: str = ""
    """The question whose score changes by one, or nothing."""
    score: int = 0
    """Its score then."""
    source: str = ""
    """The source that is left out, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorVerdict:
    """The strategy to begin with, and if the sources settle it."""

    leader: str
    """Empty if no strategy can be built."""
    settled: bool
    """Whether nothing is close."""
    close: tuple[str, ...]
    """The strategies within the margin of the leader, or ahead of it without one of the sources; most points first."""
    flips: tuple[AdviceFlip, ...]
    """Every change of one answer by one score, and every source left out, after which another strategy leads."""


def read_slopes(matrix: AdviceMatrix, without: str = "") -> Slopes:
    """Return the slopes: means over all readings, those of one source left out."""
    readings: dict[tuple[str, str], list[float]] = {}
    for cell in matrix.cells:
        for strategy, effect in cell.effect.items() if cell.factor and cell.source != without else ():
            readings.setdefault((cell.factor, strategy), []).append(effect)
    for pair in matrix.claims:
        for strategy in ("rag", "fine-tuning") if pair.factor and pair.source != without else ():
            readings.setdefault((pair.factor, strategy), []).append(pair.effect(strategy))
    for direction in matrix.directions:
        for factor, effect in direction.effect.items() if direction.source != without else ():
            readings.setdefault((factor, direction.strategy), []).append(effect)
    slopes: dict[str, dict[str, float]] = {}
    for factor in matrix.factors:
        slopes[factor] = {}
        for strategy in STRATEGIES:
            read = readings.get((factor, strategy), [0.0])
            slopes[factor][strategy] = sum(read) / len(read)
    return slopes


def score_answers(matrix: AdviceMatrix, answers: Mapping[str, Answer]) -> dict[str, int]:
    """Return the score of each answer, from 1 to 5, in the order of the matrix."""
    return {name: factor.score(answers[name]) for name, factor in matrix.factors.items()}


def score_strategies(matrix: AdviceMatrix, answers: Mapping[str, Answer]) -> tuple[StrategyScore, ...]:
    """Return the scores of all strategies, most points first; those that cannot be built stand last."""
    scores, slopes = score_answers(matrix, answers), read_slopes(matrix)
    rows = []
    for strategy in STRATEGIES:
        contributions = [
            Contribution(factor=name, points=_points(factor.weight, slopes[name][strategy], scores[name]))
            for name, factor in matrix.factors.items()
        ]
        base = matrix.strategies[strategy].base
        bonus = hybrid_bonus(matrix, scores) if strategy == "hybrid" else 0.0
        rows.append(
            StrategyScore(
                strategy=strategy,
                points=_total(matrix, slopes, scores)[strategy],
                contributions=tuple(contributions),
                base=base,
                bonus=bonus,
                impossible=find_obstacle(matrix, strategy, answers),
            )
        )
    rows.sort(key=lambda row: (bool(row.impossible), -row.points))
    return tuple(rows)


def find_obstacle(matrix: AdviceMatrix, strategy: str, answers: Mapping[str, Answer]) -> str:
    """Return why a strategy cannot be built with these answers, or nothing."""
    for requirement in matrix.requirements:
        answer = answers[requirement.factor]
        if strategy in requirement.strategies and not isinstance(answer, str) and answer < requirement.at_least:
            return requirement.why
    return ""


def hybrid_bonus(matrix: AdviceMatrix, scores: Mapping[str, int]) -> float:
    """Return the points that the hybrid earns where needs for knowledge and for behaviour stand together.

    The smaller of the two strongest needs counts, from nothing at the middle to all of the bonus at the top. So a
    higher score never lowers it.
    """
    strongest = {"knowledge": MIDDLE, "behaviour": MIDDLE}
    for name, factor in matrix.factors.items():
        if factor.need:
            strongest[factor.need] = max(strongest[factor.need], scores[name])
    return matrix.hybrid.bonus * (min(strongest.values()) - MIDDLE) / (TOP - MIDDLE)


def judge_prior(matrix: AdviceMatrix, answers: Mapping[str, Answer]) -> PriorVerdict:
    """Find the leader, the strategies that are close to it, and the changes after which another one leads."""
    scores = score_answers(matrix, answers)
    possible = [strategy for strategy in STRATEGIES if not find_obstacle(matrix, strategy, answers)]
    if not possible:
        return PriorVerdict(leader="", settled=False, close=(), flips=())
    slopes = read_slopes(matrix)
    totals = _total(matrix, slopes, scores)
    leader = _leader(totals, possible)
    flips = []
    for name, score in scores.items():
        for step in (score - 1, score + 1):
            if 1 <= step <= TOP:
                ahead = _leader(_total(matrix, slopes, {**scores, name: step}), possible)
                flips += [AdviceFlip(leader=ahead, factor=name, score=step)] if ahead != leader else []
    for source, about in matrix.sources.items():
        if about.kind in PUBLISHED:
            ahead = _leader(_total(matrix, read_slopes(matrix, without=source), scores), possible)
            flips += [AdviceFlip(leader=ahead, source=source)] if ahead != leader else []
    reach = totals[leader] - matrix.margin - _EQUAL
    near = {name for name in possible if totals[name] >= reach or any(f.source and f.leader == name for f in flips)}
    close = sorted(near - {leader}, key=lambda name: (-totals[name], STRATEGIES.index(name)))
    return PriorVerdict(leader=leader, settled=not close, close=tuple(close), flips=tuple(flips))


def _points(weight: float, slope: float, score: int) -> float:
    return weight * slope * (score - MIDDLE) / (TOP - MIDDLE)


def _total(matrix: AdviceMatrix, slopes: Slopes, scores: Mapping[str, int]) -> dict[str, float]:
    """Return the points of each strategy."""
    totals = {}
    for strategy in STRATEGIES:
        points = matrix.strategies[strategy].base
        for name, factor in matrix.factors.items():
            points += _points(factor.weight, slopes[name][strategy], scores[name])
        totals[strategy] = points + (hybrid_bonus(matrix, scores) if strategy == "hybrid" else 0.0)
    return totals


def _leader(totals: Mapping[str, float], possible: list[str]) -> str:
    """Return the strategy with the most points; of equal ones the simplest."""
    best = max(totals[strategy] for strategy in possible)
    return next(strategy for strategy in possible if totals[strategy] > best - _EQUAL)
