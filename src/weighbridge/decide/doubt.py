"""The doubt about a decision: each strategy's chance of being the best, expected regret, and the weights' part in it.

The chance and the regret are over the draws of `decide.draws`, among the strategies that keep every limit as measured;
the chance that a limit is truly broken stands with the limit. Expected regret is the expected value of perfect
information (Raiffa and Schlaifer 1961): the points by which the truly best one would be ahead of the one chosen.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from weighbridge.decide.draws import PointDraws
from weighbridge.decide.points import SAME, Ranking, order_key
from weighbridge.results import Measurement
from weighbridge.verdicts import ArmDoubt, Doubt, Flip

_SEED = 7
_WEIGHT_DRAWS = 1000
_CONCENTRATION = 20.0
"""Of the Dirichlet distribution of the weights' shares: a share of one half then lies between 0.29 and 0.71 in 19 of 20
draws, one of a tenth between 0.01 and 0.26. Chosen: round weights such as 5, 3, 1 and 1 mean no more than that."""


def doubt_about(
    ranking: Ranking, measurements: Mapping[str, Measurement], drawn: PointDraws, flips: Sequence[Flip]
) -> Doubt:
    """Return the doubt about a ranking; `drawn` are the points of its strategies in each draw."""
    totals = draw_totals(ranking, drawn)
    names = [row.strategy for row in ranking.rows]
    rows = list(zip(*(totals[name] for name in names), strict=True))
    best, regret = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for row in rows:
        highest = max(row)
        winners = [name for name, total in zip(names, row, strict=True) if total >= highest - SAME]
        for name in winners:
            best[name] += 1 / len(winners)
        for name, total in zip(names, row, strict=True):
            regret[name] += highest - total
    return Doubt(
        draws=len(rows),
        arms=tuple(
            ArmDoubt(strategy=name, best=best[name] / len(rows), regret=regret[name] / len(rows)) for name in names
        ),
        without=dict(_firsts_without(ranking, measurements)),
        weights_kept=_weights_kept(ranking),
        flips=tuple(flips),
    )


def draw_totals(ranking: Ranking, drawn: PointDraws) -> dict[str, list[float]]:
    """Return the weighed points of each strategy in each draw; a priority without draws does not count."""
    shares = {name: ranking.share(name) for name in drawn}
    totals = {}
    for row in ranking.rows:
        columns = [[shares[name] * value for value in drawn[name][row.strategy]] for name in drawn]
        totals[row.strategy] = [sum(values) for values in zip(*columns, strict=True)]
    return totals


def _firsts_without(ranking: Ranking, measurements: Mapping[str, Measurement]) -> Iterator[tuple[str, str]]:
    """Yield each priority with a weight, and the first in a ranking by the other ones."""
    weighed = [name for name, weight in ranking.weights.items() if weight > 0]
    for left_out in weighed if len(weighed) > 1 else ():
        rest = [name for name in weighed if name != left_out]
        whole = sum(ranking.weights[name] for name in rest)
        totals = {
            row.strategy: sum(ranking.weights[name] * row.points[name] for name in rest) / whole for row in ranking.rows
        }
        yield left_out, min(totals, key=lambda name: order_key(totals[name], measurements[name]))


def _weights_kept(ranking: Ranking) -> float:
    """Return the share of perturbed weights by which the first stays first; all points are as measured."""
    # A share that is as good as nothing has no gamma distribution: its shape would be rounded to 0.
    weighed = [name for name in ranking.weights if ranking.share(name) > SAME]
    first, *others = [[row.points[name] for name in weighed] for row in ranking.rows]
    ahead = [[own - others_own for own, others_own in zip(first, other, strict=True)] for other in others]
    generator = Random(_SEED)  # noqa: S311 - the same draws for every decision, so that it does not change by itself
    spread = [_CONCENTRATION * ranking.share(name) for name in weighed]
    kept = 0
    for _ in range(_WEIGHT_DRAWS if ahead else 0):
        shares = [generator.gammavariate(shape, 1.0) for shape in spread]
        kept += all(sum(share * gap for share, gap in zip(shares, gaps, strict=True)) >= -SAME for gaps in ahead)
    return kept / _WEIGHT_DRAWS if ahead else 1.0
