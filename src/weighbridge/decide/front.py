"""The Pareto front of accuracy, latency and cost: the strategies that none beats in all three.

A strategy dominates another when it is at least as good in every figure that all of them have, and better in one. That
holds for certain when each of its advantages lies beyond the uncertainty: for accuracy by the paired comparison, for
latency and cost where the intervals do not overlap. A figure that both share to the last digit needs no proof.
"""

from collections.abc import Sequence

from weighbridge.decide.leads import find_comparison
from weighbridge.figures import FIGURES
from weighbridge.formatting import join_words
from weighbridge.results import Comparison, Measurement
from weighbridge.verdicts import Domination, FrontPlace

FRONT_FIGURES = ("accuracy", "latency_p50", "cost_per_thousand")


def pareto_front(measurements: Sequence[Measurement], comparisons: Sequence[Comparison]) -> tuple[FrontPlace, ...]:
    """Return the place of each strategy with an accuracy, in the order of their names; limits play no part."""
    placed = sorted((m for m in measurements if "accuracy" in m.figures), key=lambda m: m.strategy)
    figures = [name for name in FRONT_FIGURES if all(name in m.figures for m in placed)]
    return tuple(
        FrontPlace(
            strategy=own.strategy,
            dominated_by=tuple(
                Domination(by=other.strategy, certain=_is_certain(other, own, figures, comparisons))
                for other in placed
                if other is not own and _dominates(other, own, figures)
            ),
        )
        for own in placed
    )


def front_sentence(front: Sequence[FrontPlace]) -> str:
    """Return who is on the front and who is dominated by whom; empty where nobody is dominated."""
    if all(not place.dominated_by for place in front):
        return ""
    on_front = [place.strategy for place in front if not place.dominated_by]
    dominated = []
    for place in front:
        if place.dominated_by:
            sure = [each.by for each in place.dominated_by if each.certain]
            by = sure or [each.by for each in place.dominated_by]
            dominated.append(f"{place.strategy} is dominated by {join_words(by)}{'' if sure else ' as measured'}")
    stands = "stands" if len(on_front) == 1 else "stand"
    return f"By accuracy, latency and cost, {join_words(on_front)} {stands} on the front; {'; '.join(dominated)}."


def _dominates(one: Measurement, other: Measurement, figures: Sequence[str]) -> bool:
    gains = [_gain(one, other, name) for name in figures]
    return min(gains) >= 0 and max(gains) > 0


def _gain(one: Measurement, other: Measurement, figure: str) -> float:
    """Return by how much one strategy is better than another in a figure."""
    apart = one.figures[figure].value - other.figures[figure].value
    return apart if FIGURES[figure].higher_is_better else -apart


def _is_certain(
    one: Measurement, other: Measurement, figures: Sequence[str], comparisons: Sequence[Comparison]
) -> bool:
    """Tell whether each advantage lies beyond the uncertainty."""
    for name in figures:
        own, its = one.figures[name], other.figures[name]
        if name == "accuracy":
            found = find_comparison(name, one.strategy, other.strategy, comparisons)
            if found is None or found.difference.low < 0:
                return False
            continue
        same = (own.value, own.low, own.high) == (its.value, its.low, its.high)
        if not same and (own.open_above or own.high > its.low):
            return False
    return True
