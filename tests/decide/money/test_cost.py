"""Costs by hand."""

from collections.abc import Callable

import pytest

from weighbridge.decide.money.cost import Consumption, break_even, cost_of, cost_per_thousand, with_cost
from weighbridge.errors import SettingsError
from weighbridge.results import Cost, Estimate, Measurement
from weighbridge.settings.needs import Needs, Prices

USED = Consumption(setup_seconds=1800, seconds_per_answer=0.9, input_tokens=800, output_tokens=20)


def test_own_hardware_is_paid_by_the_second():
    cost = cost_of(USED, Prices(machine_per_hour=4.0, currency="EUR"))
    assert cost.upfront == pytest.approx(2.0)
    assert cost.per_thousand_answers == pytest.approx(1.0)
    assert cost.currency == "EUR"


def test_an_endpoint_is_paid_by_the_token():
    cost = cost_of(USED, Prices(machine_per_hour=4.0, input_per_million=2.5, output_per_million=10.0))
    assert cost.upfront == pytest.approx(2.0)
    assert cost.per_thousand_answers == pytest.approx(800 * 0.0025 + 20 * 0.01)


def test_half_a_price_is_refused():
    with pytest.raises(SettingsError, match="needs both input_per_million and output_per_million"):
        cost_of(USED, Prices(input_per_million=2.5))


def test_set_up_is_spread_over_the_answers():
    assert cost_per_thousand(Cost(upfront=50.0, per_thousand_answers=1.0), 10_000) == pytest.approx(6.0)


def test_break_even_by_hand():
    tuned, rag = Cost(upfront=90.0, per_thousand_answers=1.0), Cost(upfront=0.0, per_thousand_answers=4.0)
    assert break_even(tuned, rag) == pytest.approx(30_000)
    assert break_even(rag, tuned) == pytest.approx(30_000)
    assert break_even(rag, rag) is None
    assert break_even(tuned, Cost(upfront=0.0, per_thousand_answers=1.0)) is None
    assert break_even(tuned, Cost(upfront=100.0, per_thousand_answers=4.0)) is None


def test_a_measurement_gets_its_cost_at_the_users_volume(measurement: Callable[..., Measurement]):
    measured = measurement("rag", {"accuracy": 0.5, "setup": 1800.0})
    seconds = Estimate(value=0.9, low=0.8, high=1.1, scored=11)
    needs = Needs(answers_per_month=1000, months=10)
    priced = with_cost(measured, seconds, Prices(machine_per_hour=4.0), needs)
    figure = priced.figures["cost_per_thousand"]
    assert priced.cost is not None
    assert priced.cost.upfront == pytest.approx(2.0)
    assert figure.value == pytest.approx(1.0 + 0.2)
    assert (figure.low, figure.high) == pytest.approx((0.8 / 0.9 + 0.2, 1.1 / 0.9 + 0.2))
    assert figure.scored == 11
    assert priced.figures["accuracy"] == measured.figures["accuracy"]


def test_tokens_price_a_measurement_without_timings(measurement: Callable[..., Measurement]):
    measured = measurement("rag", {"input_tokens": 800.0, "output_tokens": 20.0})
    priced = with_cost(measured, None, Prices(input_per_million=2.5, output_per_million=10.0), Needs())
    assert priced.figures["cost_per_thousand"].value == pytest.approx(2.2)


def test_what_was_not_measured_is_not_priced(measurement: Callable[..., Measurement]):
    measured = measurement("rag", {"accuracy": 0.5})
    assert with_cost(measured, None, Prices(), Needs()) == measured
    assert with_cost(measured, None, Prices(input_per_million=1.0, output_per_million=1.0), Needs()) == measured
