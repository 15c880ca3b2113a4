"""What costs keep for any prices."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weighbridge.decide.money.cost import Consumption, break_even, cost_of, cost_per_thousand
from weighbridge.results import Cost
from weighbridge.settings.needs import Prices

money = st.floats(0, 1e6)
costs = st.builds(Cost, upfront=money, per_thousand_answers=money)
amounts = st.floats(0, 1e5)
used = st.builds(
    Consumption, setup_seconds=amounts, seconds_per_answer=amounts, input_tokens=amounts, output_tokens=amounts
)
volumes = st.floats(1, 1e9)


@given(costs, costs)
def test_at_break_even_both_cost_the_same_and_beyond_it_the_lower_running_cost_wins(left: Cost, right: Cost):
    answers = break_even(left, right)
    assert answers == pytest.approx(break_even(right, left))
    if answers is None:
        return
    assume(1e-3 < answers < 1e9)
    at = cost_per_thousand(left, answers), cost_per_thousand(right, answers)
    assert at[0] == pytest.approx(at[1], rel=1e-6)
    cheaper, dearer = sorted((left, right), key=lambda cost: cost.per_thousand_answers)
    assert cost_per_thousand(cheaper, 2 * answers) <= cost_per_thousand(dearer, 2 * answers) * (1 + 1e-9)
    assert cost_per_thousand(cheaper, answers / 2) >= cost_per_thousand(dearer, answers / 2) * (1 - 1e-9)


@given(costs, costs, volumes, volumes)
def test_without_break_even_one_is_never_dearer(left: Cost, right: Cost, some: float, many: float):
    assume(break_even(left, right) is None)
    cheaper = [cost_per_thousand(left, n) <= cost_per_thousand(right, n) * (1 + 1e-9) for n in (some, many)]
    dearer = [cost_per_thousand(left, n) >= cost_per_thousand(right, n) * (1 - 1e-9) for n in (some, many)]
    assert all(cheaper) or all(dearer)


@given(costs, volumes, volumes)
def test_more_answers_never_cost_more_each(cost: Cost, some: float, more: float):
    fewer, many = sorted((some, more))
    assert cost_per_thousand(cost, many) <= cost_per_thousand(cost, fewer)
    assert cost_per_thousand(cost, many) >= cost.per_thousand_answers


@given(used, st.floats(0, 100), st.floats(1, 10))
def test_cost_grows_with_the_price_in_proportion(consumption: Consumption, price: float, factor: float):
    once = cost_of(consumption, Prices(machine_per_hour=price))
    dearer = cost_of(consumption, Prices(machine_per_hour=price * factor))
    assert dearer.upfront == pytest.approx(once.upfront * factor)
    assert dearer.per_thousand_answers == pytest.approx(once.per_thousand_answers * factor)


@given(used, st.floats(0, 100), st.floats(0, 100))
def test_seconds_do_not_matter_to_an_endpoints_price(consumption: Consumption, read: float, written: float):
    prices = Prices(input_per_million=read, output_per_million=written)
    slower = Consumption(
        setup_seconds=consumption.setup_seconds,
        seconds_per_answer=consumption.seconds_per_answer + 5,
        input_tokens=consumption.input_tokens,
        output_tokens=consumption.output_tokens,
    )
    assert cost_of(consumption, prices) == cost_of(slower, prices)
