"""Where the costs of strategies cross."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.money.cost import cost_per_thousand
from weighbridge.report.money import break_evens
from weighbridge.results import Cost, Weighing

from .sample import weighing


def priced(**costs: Cost | None) -> Weighing:
    """Return the sample with these costs of its leader, rag, and of another strategy, and no others."""
    made = weighing()
    kept = [m for m in made.measurements if m.strategy in costs]
    return replace(made, measurements=tuple(replace(m, cost=costs[m.strategy]) for m in kept))


def test_the_crossing_is_told_by_hand():
    told = break_evens(
        priced(rag=Cost(upfront=1.0, per_thousand_answers=3.0), prompt=Cost(upfront=61.0, per_thousand_answers=1.0))
    )
    assert "\n".join(told).replace("\N{NO-BREAK SPACE}", " ") == (
        "rag costs $1.00 once and $3.00 per 1,000; prompt $61.00 once and $1.00 per 1,000. Up to 30,000 answers in all "
        "rag is cheaper, beyond it prompt."
    )


def test_nothing_is_told_where_one_is_always_cheaper_or_a_cost_is_not_known():
    dear = Cost(upfront=2.0, per_thousand_answers=3.0)
    assert not list(break_evens(priced(rag=dear, prompt=Cost(upfront=1.0, per_thousand_answers=1.0))))
    assert not list(break_evens(priced(rag=dear, prompt=None)))
    assert not list(break_evens(priced(rag=None, prompt=dear)))
    assert not list(break_evens(replace(weighing(), measurements=())))


money = st.floats(0.01, 1000).map(lambda value: round(value, 2))
cost = st.builds(Cost, upfront=money, per_thousand_answers=money)


@given(cost, cost)
def test_who_is_named_cheaper_is_cheaper(rag: Cost, prompt: Cost):
    for line in break_evens(priced(rag=rag, prompt=prompt)):
        few, many = line.rstrip(".").split(" in all ")[1].split(" is cheaper, beyond it ")
        costs = {"rag": rag, "prompt": prompt}
        assert {few, many} == set(costs)
        assert cost_per_thousand(costs[few], 1e-6) < cost_per_thousand(costs[many], 1e-6)
        assert cost_per_thousand(costs[many], 1e12) < cost_per_thousand(costs[few], 1e12)
