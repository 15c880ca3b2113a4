"""The total cost: its rows, its units, and its agreement with others' arithmetic."""

import math
from dataclasses import replace

import numpy_financial
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from weighbridge.decide.money.ledger import (
    ANSWERING,
    WAITING,
    ArmPlan,
    Band,
    CostInput,
    CostLine,
    cost_rows,
    cumulative_costs,
    likely_values,
    make_timeline,
    total_cost,
    volume_curve,
)
from weighbridge.errors import UserError

from .plans import given, machine_plan

MONEY = ("once", "month", "answer", "price")
amounts = st.floats(0, 1e5)
rates = st.floats(0, 1)


@st.composite
def cases(draw: st.DrawFn) -> tuple[ArmPlan, dict[str, CostInput]]:
    """Return a plan with a line of every timing and a machine, and its inputs."""
    inputs = {name: given(draw(amounts)) for name in ("once", "month", "answer")}
    inputs |= {"volume": given(draw(st.floats(1, 1e6))), "growth": given(draw(rates))}
    plan = machine_plan("own", inputs, price=draw(amounts), capacity=draw(st.floats(100, 1e7)), idle_floor=draw(rates))
    inputs |= {"own.utilisation": given(draw(st.floats(0.05, 1)))}
    lines = (
        CostLine(label="people", timing="once", factors=("once",), month=draw(st.sampled_from([0, 1, 12]))),
        CostLine(label="people", timing="month", factors=("month",)),
        CostLine(label="tokens", timing="answer", factors=("answer",)),
    )
    return replace(plan, lines=(*plan.lines, *lines)), inputs


@for_all(cases(), rates)
def test_the_rows_add_up_to_the_total_exactly(case, discount):
    plan, inputs = case
    values = likely_values(inputs)
    timeline = make_timeline(36, growth=values["growth"], discount=discount)
    rows = cost_rows(plan, values, timeline)
    assert math.fsum(row.amount for row in rows) == total_cost(plan, values, timeline)
    assert len({row.label for row in rows}) == len(rows)
    assert all(row.amount >= 0 for row in rows)


@for_all(cases(), rates)
def test_months_and_volumes_end_at_the_same_total(case, discount):
    plan, inputs = case
    values = likely_values(inputs)
    timeline = make_timeline(24, growth=values["growth"], discount=discount)
    total = total_cost(plan, values, timeline)
    assert cumulative_costs(plan, values, timeline)[-1] == pytest.approx(total)
    assert volume_curve(plan, values, timeline).at(values["volume"]) == pytest.approx(total)


@for_all(cases(), st.floats(1, 100))
def test_more_answers_never_cost_less(case, factor):
    plan, inputs = case
    values = likely_values(inputs)
    timeline = make_timeline(12, growth=values["growth"])
    more = values | {"volume": values["volume"] * factor}
    assert total_cost(plan, more, timeline) >= total_cost(plan, values, timeline) * (1 - 1e-12)


@for_all(cases(), st.floats(0.01, 100))
def test_all_prices_times_a_factor_make_the_cost_times_the_factor(case, factor):
    plan, inputs = case
    values = likely_values(inputs)
    timeline = make_timeline(36, growth=values["growth"], discount=0.1)
    dearer = {name: value * factor if name.split(".")[-1] in MONEY else value for name, value in values.items()}
    assert total_cost(plan, dearer, timeline) == pytest.approx(total_cost(plan, values, timeline) * factor)


def test_seconds_and_hours_cost_the_same():
    inputs = {"seconds": given(7200.0), "hours": given(2.0), "price": given(30.0)}
    inputs |= {"volume": given(1.0), "growth": given(0.0)}
    by_second = CostLine(label="training", timing="once", factors=("seconds", "price"), scale=1 / 3600)
    by_hour = CostLine(label="training", timing="once", factors=("hours", "price"))
    totals = [
        total_cost(ArmPlan(name="a", lines=(line,)), likely_values(inputs), make_timeline(12))
        for line in (by_second, by_hour)
    ]
    assert totals == [60.0, 60.0]


@for_all(cases(), st.floats(0.001, 1))
def test_a_financial_library_discounts_the_same(case, discount):
    """numpy-financial discounts a list of monthly payments that begins with today."""
    plan, inputs = case
    values = likely_values(inputs)
    undiscounted = cumulative_costs(plan, values, make_timeline(36, growth=values["growth"]))
    payments = [after - before for before, after in zip((0.0, *undiscounted), undiscounted, strict=False)]
    monthly = (1 + discount) ** (1 / 12) - 1
    ours = total_cost(plan, values, make_timeline(36, growth=values["growth"], discount=discount))
    assert ours == pytest.approx(numpy_financial.npv(monthly, payments), rel=1e-6, abs=1e-6)


def test_a_machine_that_is_always_on_is_paid_for_every_hour():
    inputs = {"volume": given(1000.0), "growth": given(0.0)}
    plan = machine_plan("own", inputs, price=2.0, capacity=10_000)
    rows = {row.label: row.amount for row in cost_rows(plan, likely_values(inputs), make_timeline(12))}
    assert rows[ANSWERING] == pytest.approx(2 * 730 * 12 / 10)
    assert rows[ANSWERING] + rows[WAITING] == pytest.approx(2 * 730 * 12)


def test_a_machine_that_is_off_between_answers_is_paid_by_its_utilisation():
    inputs = {"volume": given(1000.0), "growth": given(0.0)}
    plan = machine_plan("own", inputs, price=2.0, capacity=10_000, idle_floor=0.0)
    values = likely_values(inputs) | {"own.utilisation": 0.5}
    rows = {row.label: row.amount for row in cost_rows(plan, values, make_timeline(12))}
    assert rows[ANSWERING] == rows[WAITING] == pytest.approx(2 * 730 * 12 / 10)


def test_a_full_machine_does_not_need_a_second_one():
    inputs = {"volume": given(10_000.0), "growth": given(0.0)}
    plan = machine_plan("own", inputs, price=1.0, capacity=10_000)
    full, more = likely_values(inputs), likely_values(inputs) | {"volume": 10_000.1}
    assert total_cost(plan, full, make_timeline(1)) == pytest.approx(730)
    assert total_cost(plan, more, make_timeline(1)) == pytest.approx(1460)


def test_volume_grows_to_a_year_later():
    timeline = make_timeline(13, growth=0.5)
    assert timeline.volumes[0] == 1.0
    assert timeline.volumes[12] == pytest.approx(1.5)
    assert make_timeline(12, discount=0.1).discounts[12] == pytest.approx(1 / 1.1)


@pytest.mark.parametrize("ends", [(2, 1, 3), (1, 3, 2), (-1, 0, 1), (0, 0, math.inf), (math.nan, 1, 1)])
def test_a_band_out_of_order_is_refused(ends):
    with pytest.raises(UserError, match="rising order"):
        Band(*ends)


def values_of(inputs: dict[str, CostInput]) -> dict[str, float]:
    return likely_values(inputs)
