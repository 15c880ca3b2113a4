"""Whether the first in the ranking is ahead for certain, or only by the chance of which questions were asked.

The total is linear in accuracy and hallucination, so the interval of a lead follows from the intervals of the paired
differences. Their half-widths are added as if both erred to the same side: an answer that turns from wrong to right
moves both, and the sum is never too narrow. Latency and cost enter as measured, for more questions do not change
them. The first must be ahead of each other at 95 %; no correction for their number is due, as all of these must
hold together (an intersection-union test, Berger 1982).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from weighbridge.advise.points import SAME, Ranked, Ranking
from weighbridge.results import Comparison, Estimate

_REACH = (1.959964 + 0.841621) / 1.959964
"""How many half-widths of its interval a lead must measure to be found with 80 % power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """By how much the first is ahead of another, in shares of all points; `low` is minus infinity if not comparable."""

    over: str
    value: float
    low: float
    asked: int
    """Questions that both answered."""
    needed: int | None
    """Questions at which this lead would be certain with 80 % power; None where it is zero or not comparable."""

    @property
    def certain(self) -> bool:
        """Whether the lead survives its uncertainty."""
        return self.low > SAME


def leads(ranking: Ranking, comparisons: Sequence[Comparison]) -> tuple[Lead, ...]:
    """Return the first strategy's lead over each other one, in the order of the ranking."""
    first, *others = ranking.rows
    return tuple(_lead(first, other, ranking, comparisons) for other in others)


def difference(figure: str, left: str, right: str, comparisons: Sequence[Comparison]) -> Comparison | None:
    """Return the comparison of two strategies turned so that it is left minus right; None where there is none."""
    for found in comparisons:
        if found.figure == figure and (found.left, found.right) == (left, right):
            return found
        if found.figure == figure and (found.left, found.right) == (right, left):
            return _turned(found)
    return None


def _lead(first: Ranked, other: Ranked, ranking: Ranking, comparisons: Sequence[Comparison]) -> Lead:
    value = first.total - other.total
    accuracy = difference("accuracy", first.strategy, other.strategy, comparisons)
    hallucination = difference("hallucination", other.strategy, first.strategy, comparisons)
    doubt = sum(
        share * (math.inf if found is None else found.difference.value - found.difference.low)
        for share, found in ((ranking.share("accuracy"), accuracy), (ranking.share("hallucination"), hallucination))
        if share > 0
    )
    asked = min((found.difference.scored for found in (accuracy, hallucination) if found), default=0)
    tellable = value > SAME and math.isfinite(doubt) and asked > 0
    needed = math.ceil(asked * (_REACH * doubt / value) ** 2) if tellable else None
    return Lead(over=other.strategy, value=value, low=value - doubt, asked=asked, needed=needed)


def _turned(comparison: Comparison) -> Comparison:
    was = comparison.difference
    return Comparison(
        figure=comparison.figure,
        left=comparison.right,
        right=comparison.left,
        difference=Estimate(value=-was.value, low=-was.high, high=-was.low, scored=was.scored, unscored=was.unscored),
        p_value=comparison.p_value,
        p_adjusted=comparison.p_adjusted,
        examples_needed=comparison.examples_needed,
    )
