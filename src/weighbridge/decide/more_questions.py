"""The number of questions that would settle a decision, given the uncertainty of the measurements.

The number that the measured leads alone would need is too low: leads that look large by chance need few questions,
and then fall back (the winner's curse). So the true leads are drawn from those that the test leaves possible (normal,
with a flat prior), a longer test that includes the present one is drawn for each, and the number is the lowest that
makes the decision between all strategies certain in enough of these draws (their predictive power: Spiegelhalter and
Freedman 1986). How often it keeps its promise is measured by benchmarks/decision_promises.py.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from weighbridge.decide.draws import PointDraws
from weighbridge.decide.leads import Lead, lead_over
from weighbridge.decide.points import Ranking
from weighbridge.intervals import Z
from weighbridge.results import Comparison

_DRAWS = 400
"""Draws of a true state and of a longer test: enough to know a share of 80 % to 2 points."""
_EVEN, _LIKELY, _NEARLY_SURE = 0.5, 0.82, 0.9
"""Shares of the draws that must be decisive. 0.82 gives 80 % for a true lead of half its standard error, and
more for larger ones; the smaller a lead, the more the draws flatter it (docs/adr/0015-statistics.md)."""
_WITHIN_REACH = 100
"""Tests of more than this many times the present questions are out of reach: then no number is given."""
_FACTOR = 1.02
"""Numbers are found to 2 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionsNeeded:
    """Total test questions that make the decision certain; None where no number within reach will do."""

    likely: int | None
    """In four of five cases."""
    even: int | None
    """In one of two."""
    nearly_sure: int | None
    """In nine of ten."""


OUT_OF_REACH = QuestionsNeeded(likely=None, even=None, nearly_sure=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """A true state that the test leaves possible, and the luck of a longer test, as leads of the first over each."""

    truth: Sequence[float]
    luck: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """Strategies in the order of the ranking, by number: the first is 0, and the others follow."""

    measured: Sequence[float]
    """Lead of the first over each other one."""
    spreads: Mapping[tuple[int, int], float]
    """Standard deviation of the difference between two strategies on one question."""
    asked: int
    step: float
    """By how much one question can move a sum of differences."""

    def is_decided(self, draw: _Draw, questions: int) -> bool:
        """Tell whether one strategy is certainly ahead of all others after so many questions, in this draw."""
        old = self.asked / questions
        noise = math.sqrt(questions - self.asked) / questions
        behind = [0.0]
        for measured, truth, luck in zip(self.measured, draw.truth, draw.luck, strict=True):
            behind.append(old * measured + (1 - old) * truth + noise * luck)
        best = min(range(len(behind)), key=behind.__getitem__)
        for other, distance in enumerate(behind):
            if other != best:
                spread = self.spreads[min(best, other), max(best, other)]
                reach = Z * spread / math.sqrt(questions) + self.step / questions
                if distance - behind[best] <= reach:
                    return False
        return True


def questions_needed(
    ranking: Ranking, leads: Sequence[Lead], comparisons: Sequence[Comparison], drawn: PointDraws | None = None
) -> QuestionsNeeded:
    """Return the number of questions that would settle the first place among all ranked strategies."""
    if any(lead.is_tied or not lead.comparable or lead.asked == 0 for lead in leads):
        return OUT_OF_REACH
    spreads: dict[tuple[int, int], float] = {}
    for (left, first), (right, second) in combinations(enumerate(ranking.rows), 2):
        lead = leads[right - 1] if left == 0 else lead_over(first, second, ranking, comparisons, drawn)
        if not lead.comparable:
            return OUT_OF_REACH
        # One question more, on which they differ by all points: what no question has shown may still be.
        spreads[left, right] = math.sqrt((lead.asked * lead.spread**2 + lead.step**2) / (lead.asked + 1))
    field = _Field(
        measured=[lead.value for lead in leads],
        spreads=spreads,
        asked=min(lead.asked for lead in leads),
        step=max(lead.step for lead in leads),
    )
    draws = _draw_tests(field)
    even, likely, nearly_sure = (_fewest(field, draws, share) for share in (_EVEN, _LIKELY, _NEARLY_SURE))
    return QuestionsNeeded(likely=likely, even=even, nearly_sure=nearly_sure)


def _fewest(field: _Field, draws: Sequence[_Draw], share: float) -> int | None:
    """Return the fewest questions that decide a share of the draws."""

    def enough(questions: int) -> bool:
        return sum(field.is_decided(draw, questions) for draw in draws) >= share * len(draws)

    below, above = field.asked, field.asked * _WITHIN_REACH
    if not enough(above):
        return None
    while above > below * _FACTOR and above > below + 1:
        middle = round(math.sqrt(below * above))
        middle = min(max(middle, below + 1), above - 1)
        if enough(middle):
            above = middle
        else:
            below = middle
    return above


def _draw_tests(field: _Field) -> list[_Draw]:
    generator = Random(7)  # noqa: S311 - the same draws for every decision, so that it does not change by itself
    root = _cholesky(_covariance(field))
    scale = 1 / math.sqrt(field.asked)
    draws = []
    for _ in range(_DRAWS):
        doubt, luck = _draw_correlated(root, generator), _draw_correlated(root, generator)
        truth = [value + scale * off for value, off in zip(field.measured, doubt, strict=True)]
        draws.append(_Draw(truth=truth, luck=luck))
    return draws


def _covariance(field: _Field) -> list[list[float]]:
    """Return the covariance of the first's leads on one question, from the spreads of all pairs."""
    others = range(1, len(field.measured) + 1)
    square = {pair: spread**2 for pair, spread in field.spreads.items()}

    def covariance_of(left: int, right: int) -> float:
        between = 0.0 if left == right else square[min(left, right), max(left, right)]
        return (square[0, left] + square[0, right] - between) / 2

    return [[covariance_of(left, right) for right in others] for left in others]


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the lower root of a covariance; directions that rounding made impossible have no width."""
    root: list[list[float]] = []
    for row, wanted in enumerate(matrix):
        line: list[float] = []
        for column in range(row):
            done = math.fsum(line[k] * root[column][k] for k in range(column))
            pivot = root[column][column]
            line.append((wanted[column] - done) / pivot if pivot > 0 else 0.0)
        line.append(math.sqrt(max(0.0, wanted[row] - math.fsum(value**2 for value in line))))
        root.append(line)
    return root


def _draw_correlated(root: Sequence[Sequence[float]], generator: Random) -> list[float]:
    white = [generator.gauss(0.0, 1.0) for _ in root]
    return [math.fsum(weight * white[place] for place, weight in enumerate(line)) for line in root]
