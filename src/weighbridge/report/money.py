"""Where the costs of two strategies cross, in sentences."""

from collections.abc import Iterator

from weighbridge.decide.money.cost import break_even
from weighbridge.formatting import NB, money_scale
from weighbridge.report.findings import leader
from weighbridge.report.safe_text import count_noun, one_line
from weighbridge.results import Cost, Weighing

_NEVER = 1e9
"""A volume that is not worth telling of."""


def break_evens(weighing: Weighing) -> Iterator[str]:
    """Yield, for each strategy with costs that cross the leader's, the number of answers at the crossing."""
    costs = {measurement.strategy: measurement.cost for measurement in weighing.measurements}
    name = leader(weighing.decision)
    first = costs.get(name or "")
    if name is None or first is None:
        return
    for other, cost in costs.items():
        answers = None if cost is None or other == name else break_even(first, cost)
        if cost is not None and answers is not None and round(answers) < _NEVER:
            few, many = (name, other) if first.per_thousand_answers > cost.per_thousand_answers else (other, name)
            upto = count_noun(max(1, round(answers)), "answer")
            yield (
                f"{one_line(name)} costs {_terms(first)}; {one_line(other)} {_terms(cost)}. Up to {upto} in all "
                f"{one_line(few)} is cheaper, beyond it {one_line(many)}."
            )


def _terms(cost: Cost) -> str:
    once, running = cost.upfront, cost.per_thousand_answers
    written = [money_scale(abs(value), cost.currency).write(value) for value in (once, running)]
    return f"{written[0]} once and {written[1]} per{NB}1,000"
