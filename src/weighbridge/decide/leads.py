"""Tells a certain lead of the first in the ranking from one by chance of the questions asked.

A lead is taken on the questions put to both strategies: the mean of the differences of their points, question by
question, plus their difference in latency and cost as measured (more questions do not change these). A failed attempt
earns no points, as if it were wrong. A lead is certain when two things hold: its 95 % score interval
lies above zero, and the exact sign-flip test rejects that it is zero at 5 %. The first must be ahead of each other one;
no correction for their number is due, as all of these must hold together (an intersection-union test, Berger 1982).

The exact test needs points that are linear in accuracy and hallucination. With a curve that bends, the points are those
of the mean and not the mean of the points, so the interval and the p-value come from the draws (`decide.draws`).

A lead that is not certain may be certainly small: its whole interval lies within the margin of indifference. That is an
equivalence test (two one-sided tests, Schuirmann 1987), here at 2.5 %, because the interval is of 95 %.

A comparison saved without the differences of each question gives a wider interval: the half-widths of accuracy and
hallucination are added, and the smaller p-value is doubled (Bonferroni).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from weighbridge.decide.draws import QUALITY, PointDraws
from weighbridge.decide.points import SAME, Ranked, Ranking
from weighbridge.intervals import CONFIDENCE, Tally, Z, score_interval, sign_flip, tally_mean
from weighbridge.results import Comparison, PairedDifference
from weighbridge.verdicts import LeadVerdict

LEVEL = 0.05
"""p-values up to this are called a difference; the same level as the intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The first strategy's lead over another, in shares of all points; without bounds if they cannot be compared."""

    over: str
    value: float
    low: float
    high: float
    p_value: float
    asked: int
    """Questions put to both."""
    spread: float = math.inf
    """Standard deviation of the difference of their points on one question."""
    step: float = 0.0
    """By how much one question can move the sum of these differences."""

    @property
    def certain(self) -> bool:
        """Whether the lead survives its uncertainty."""
        return self.low > SAME and self.p_value <= LEVEL

    @property
    def comparable(self) -> bool:
        """Whether the two strategies share a question."""
        return math.isfinite(self.low)

    @property
    def is_tied(self) -> bool:
        """Whether nothing at all sets the two apart: no question, no time and no cost."""
        return abs(self.value) <= SAME and self.spread <= SAME

    def is_within(self, margin: float) -> bool:
        """Tell whether the lead is certainly smaller than a margin, in either direction."""
        return -margin < self.low and self.high < margin

    def verdict(self, margin: float) -> LeadVerdict:
        """Return the lead as reports write it, with a margin of indifference."""
        return LeadVerdict(
            over=self.over,
            value=self.value,
            low=max(-1.0, self.low),
            high=min(1.0, self.high),
            p_value=self.p_value,
            questions=self.asked,
            certain=self.certain,
            equal=self.is_within(margin),
        )


def leads(ranking: Ranking, comparisons: Sequence[Comparison], drawn: PointDraws | None = None) -> tuple[Lead, ...]:
    """Return the first strategy's lead over each other one, in the order of the ranking."""
    first, *others = ranking.rows
    return tuple(lead_over(first, other, ranking, comparisons, drawn) for other in others)


def lead_over(
    first: Ranked,
    other: Ranked,
    ranking: Ranking,
    comparisons: Sequence[Comparison],
    drawn: PointDraws | None = None,
) -> Lead:
    """Return the lead of one strategy over another by the weights of a ranking.

    `drawn` are the points in each draw; they are used where a curve of accuracy or hallucination bends.
    """
    constant = math.fsum(
        ranking.share(name) * (first.points.get(name, 0.0) - other.points.get(name, 0.0))
        for name in ranking.weights
        if name not in QUALITY
    )
    if not any(ranking.share(name) > 0 for name in QUALITY):
        # Latency and cost enter as measured, so this lead has no uncertainty of its own.
        p_value = 0.0 if abs(constant) > SAME else 1.0
        return Lead(
            over=other.strategy, value=constant, low=constant, high=constant, p_value=p_value, asked=0, spread=0.0
        )
    compared = {name: find_comparison(name, first.strategy, other.strategy, comparisons) for name in QUALITY}
    accuracy = compared["accuracy"]
    weighed = [name for name in QUALITY if ranking.share(name) > 0]
    if drawn and any(ranking.curves[name].slope is None for name in weighed):
        return _drawn_lead(first, other, ranking, drawn, compared)
    if accuracy is not None and accuracy.pairs:
        seen = _points_apart(accuracy.pairs, ranking)
        return _paired_lead(other.strategy, seen, constant, most=sum(abs(_slope(name, ranking)) for name in weighed))
    return _lead_of_figures(other.strategy, compared, constant, ranking)


def find_comparison(figure: str, left: str, right: str, comparisons: Sequence[Comparison]) -> Comparison | None:
    """Return the comparison of two strategies turned so that it is left minus right; None where there is none."""
    for found in comparisons:
        if found.figure == figure and (found.left, found.right) == (left, right):
            return found
        if found.figure == figure and (found.left, found.right) == (right, left):
            return swap_sides(found)
    return None


def swap_sides(comparison: Comparison) -> Comparison:
    """Return a comparison with its two sides exchanged."""
    was = comparison.difference
    pairs = (replace(pair, accuracy=-pair.accuracy, hallucination=-pair.hallucination) for pair in comparison.pairs)
    return replace(
        comparison,
        left=comparison.right,
        right=comparison.left,
        difference=replace(was, value=-was.value, low=-was.high, high=-was.low),
        pairs=tuple(pairs),
    )


def _slope(priority: str, ranking: Ranking) -> float:
    """Return the points of all priorities together that one more of a share earns, of a curve that is a line."""
    share = ranking.share(priority)
    return share * (ranking.curves[priority].slope or 0.0) if share else 0.0


def _points_apart(pairs: Sequence[PairedDifference], ranking: Ranking) -> Tally:
    """Return the differences of two strategies' points on a question, with the number of questions of each."""
    seen: dict[float, int] = {}
    accuracy, hallucination = _slope("accuracy", ranking), _slope("hallucination", ranking)
    for pair in pairs:
        apart = accuracy * pair.accuracy + hallucination * pair.hallucination
        apart = round(apart / SAME) * SAME
        seen[apart] = seen.get(apart, 0) + pair.questions
    return seen


def _paired_lead(over: str, seen: Tally, constant: float, *, most: float) -> Lead:
    asked, mean = sum(seen.values()), tally_mean(seen)
    # Rounded differences may lie a little beyond the most there can be, where the interval has no meaning.
    bound = max(most, *map(abs, seen))
    low, high = score_interval(seen, -bound, bound)
    variance = math.fsum(count * (value - mean) ** 2 for value, count in seen.items()) / asked
    return Lead(
        over=over,
        value=mean + constant,
        low=min(low, mean) + constant,
        high=max(high, mean) + constant,
        p_value=sign_flip({value + constant: count for value, count in seen.items()}),
        asked=asked,
        spread=math.sqrt(variance),
        step=most,
    )


def _drawn_lead(
    first: Ranked, other: Ranked, ranking: Ranking, drawn: PointDraws, compared: Mapping[str, Comparison | None]
) -> Lead:
    """Return a lead by the draws of accuracy and hallucination; the other figures are as measured."""
    known = [found.difference.scored for found in compared.values() if found is not None]
    value = first.total - other.total
    if not known or min(known) == 0:
        return Lead(over=other.strategy, value=value, low=-math.inf, high=math.inf, p_value=1.0, asked=0)
    apart = [value] * len(next(iter(drawn.values()))[first.strategy])
    for name in QUALITY:
        share = ranking.share(name)
        if share > 0:
            measured = first.points[name] - other.points[name]
            pairs = zip(drawn[name][first.strategy], drawn[name][other.strategy], strict=True)
            apart = [gap + share * (own - its - measured) for gap, (own, its) in zip(apart, pairs, strict=True)]
    ordered = sorted(apart)
    draws = len(ordered)
    tail = round((1 - CONFIDENCE) / 2 * draws)
    low, high = ordered[tail], ordered[-1 - tail]
    behind = min(sum(gap <= SAME for gap in apart), sum(gap >= -SAME for gap in apart))
    return Lead(
        over=other.strategy,
        value=value,
        low=min(low, value),
        high=max(high, value),
        p_value=min(1.0, 2 * (behind + 1) / (draws + 1)),
        asked=min(known),
        spread=(high - low) / (2 * Z) * math.sqrt(min(known)),
        step=sum(ranking.share(name) for name in QUALITY),
    )


def _lead_of_figures(over: str, compared: Mapping[str, Comparison | None], constant: float, ranking: Ranking) -> Lead:
    """Return a lead by the differences of the figures, where those of each question were not saved."""
    weighed = {name: found for name, found in compared.items() if ranking.share(name) > 0}
    known = [found for found in weighed.values() if found is not None and found.difference.scored > 0]
    if len(known) < len(weighed):
        return Lead(over=over, value=constant, low=-math.inf, high=math.inf, p_value=1.0, asked=0)
    value, below, above = constant, 0.0, 0.0
    for found in known:
        sign, gap = (1 if found.figure == "accuracy" else -1), found.difference
        share = abs(_slope(found.figure, ranking))
        value += sign * share * gap.value
        down, up = gap.value - gap.low, gap.high - gap.value
        below += share * (down if sign > 0 else up)
        above += share * (up if sign > 0 else down)
    asked = min(found.difference.scored for found in known)
    return Lead(
        over=over,
        value=value,
        low=value - below,
        high=value + above,
        p_value=min(1.0, len(known) * min(found.p_value for found in known)),
        asked=asked,
        spread=max(below, above) / Z * math.sqrt(asked),
    )
