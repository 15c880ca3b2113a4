"""A decision taken again is the one that was saved, and prices and volume are applied to the measured use."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.decide.what_if.changes import apply_what_if, left_out, parse_change
from weighbridge.decide.what_if.reprice import COST, keep_old_prices, reprice
from weighbridge.decide.what_if.retake import retake
from weighbridge.evaluate.weighing import load_measurements, save_weighing
from weighbridge.results import ResourceUse
from weighbridge.settings.needs import Limits, Needs, Prices, Priorities
from weighbridge.workspace import Workspace

from ...report.sample import weighing
from .saved import EXAMPLES, a_settings, priced, saved

WEIGHTS = st.floats(0.1, 10)
NEEDS = st.builds(
    Needs,
    limits=st.builds(
        Limits,
        maximum_p95_seconds=st.none() | st.floats(0.2, 2),
        minimum_accuracy=st.none() | st.floats(0, 1),
        must_cite=st.booleans(),
    ),
    priorities=st.builds(Priorities, accuracy=WEIGHTS, hallucination=WEIGHTS, latency=WEIGHTS, cost=WEIGHTS),
    answers_per_month=st.integers(1, 10**7),
    months=st.integers(1, 60),
)
PRICES = st.builds(Prices, machine_per_hour=st.floats(0, 20))


@given(needs=NEEDS, prices=PRICES)
@settings(max_examples=EXAMPLES)
def test_the_saved_measurements_give_the_decision_of_the_comparison(tmp_path_factory, needs, prices):
    chosen = a_settings(needs, prices)
    made = priced(chosen)
    place = Workspace(tmp_path_factory.mktemp("saved"))
    save_weighing(place, made)
    taken = retake(load_measurements(place), chosen)
    assert taken.decision == made.decision
    assert taken.measurements.measurements == made.measurements


@given(first=NEEDS, second=NEEDS, prices=PRICES)
@settings(max_examples=EXAMPLES)
def test_only_the_last_needs_count(first, second, prices):
    """Taking it by some needs in between changes nothing: costs are never computed from costs."""
    chosen = a_settings(second, prices)
    through = retake(retake(saved(), a_settings(first, Prices(machine_per_hour=3.0))).measurements, chosen)
    assert through == retake(saved(), chosen)


@given(volume=st.integers(1, 10**8), months=st.integers(1, 100), hour=st.just(0.0) | st.floats(1e-6, 100))
def test_a_cost_is_that_of_the_measured_seconds(volume, months, hour):
    needs, prices = Needs(answers_per_month=volume, months=months), Prices(machine_per_hour=hour)
    for one in saved().measurements:
        again = reprice(one, prices, needs)
        running = 1000 * one.usage.seconds_per_answer.value * hour / 3600
        upfront = one.figures["setup"].value * hour / 3600
        assert math.isclose(again.cost.per_thousand_answers, running, rel_tol=1e-9)
        assert math.isclose(again.figures[COST].value, running + 1000 * upfront / volume / months, rel_tol=1e-9)
        assert again.figures[COST].low <= again.figures[COST].value <= again.figures[COST].high
        assert {name: again.figures[name] for name in one.figures if name != COST} == {
            name: figure for name, figure in one.figures.items() if name != COST
        }


def test_an_endpoint_is_paid_by_the_token_and_unknown_without_its_price():
    one = replace(saved().measurements[2], usage=ResourceUse(by_token=True, training_paid=3.0))
    both = Prices(input_per_million=2.0, output_per_million=8.0, machine_per_hour=0.0)
    again = reprice(one, both, Needs())
    tokens = 412.0 * 2 + 8.4 * 8
    assert math.isclose(again.cost.per_thousand_answers, tokens / 1000)
    assert again.cost.upfront == 3.0
    without = reprice(again, Prices(), Needs())
    assert without.cost is None
    assert COST not in without.figures


def test_token_prices_do_not_touch_a_machine_of_ones_own():
    prices = Prices(input_per_million=2.0, output_per_million=8.0)
    for one in saved().measurements:
        assert reprice(one, prices, Needs()) == reprice(one, Prices(), Needs())


def test_a_file_of_an_earlier_release_keeps_its_prices_and_takes_the_volume():
    old = weighing().measurements
    assert keep_old_prices(old) == tuple(one.strategy for one in old)
    assert keep_old_prices(saved().measurements) == ()
    needs = Needs(answers_per_month=10, months=1)
    for one in old:
        again = reprice(one, Prices(machine_per_hour=99), needs)
        assert again.cost == one.cost
        assert math.isclose(again.figures[COST].value, one.cost.per_thousand_answers + 100 * one.cost.upfront)
        was = one.figures[COST]
        assert math.isclose(again.figures[COST].high - again.figures[COST].low, was.high - was.low, abs_tol=1e-12)


def test_the_words_of_the_report_follow_the_prices():
    taken = retake(saved(), a_settings(Needs(answers_per_month=5), Prices(machine_per_hour=0.5, currency="EUR")))
    assert taken.measurements.settings["prices"] == (
        "0.5 EUR per machine hour, as of 2026-11-20; 5 answers a month for 12 months"
    )


def decision_with(*texts):
    arms = [one.strategy for one in saved().measurements]
    changes = [parse_change(text, arms) for text in texts]
    return retake(saved(), apply_what_if(a_settings(), changes), without=left_out(changes, arms)).decision


def broken(decision):
    return {verdict.strategy: verdict.broken_limits for verdict in decision.verdicts if verdict.broken_limits}


@pytest.mark.parametrize(
    ("text", "setting", "breaks"),
    [
        ("latency.p95=1s", "maximum_p95_seconds", lambda one: one.figures["latency_p95"].value > 1),
        ("memory=1GiB", "maximum_memory_gib", lambda one: one.figures["memory"].value > 2**30),
        ("memory=300MiB", "maximum_memory_gib", lambda one: one.figures["memory"].value > 300 * 2**20),
        ("offline=true", "offline", lambda one: not one.offline),
        ("cost=0.0", "maximum_cost_per_thousand", lambda one: one.figures[COST].value > 0),
        ("accuracy=60%", "minimum_accuracy", lambda one: one.figures["accuracy"].value < 0.6),
        ("hallucination=20%", "maximum_hallucination", lambda one: one.figures["hallucination"].value > 0.2),
        ("must_cite=true", "must_cite", lambda one: not one.cites or one.figures["citation"].value < 0.9),
    ],
)
def test_a_limit_rules_out_just_those_that_break_it(text, setting, breaks):
    decision, before = decision_with(text), decision_with()
    expected = {one.strategy for one in saved().measurements if breaks(one)}
    assert {name for name, why in broken(decision).items() if why != broken(before).get(name)} == expected
    told = {
        verdict.strategy: [limit.broken for limit in verdict.limits if limit.setting == setting]
        for verdict in decision.verdicts
    }
    if any(told.values()):
        assert {name for name, found in told.items() if any(found)} == expected


def test_a_strategy_that_is_left_out_is_in_no_part_of_the_decision():
    decision = decision_with("strategy.rag=without")
    assert "rag" not in {verdict.strategy for verdict in decision.verdicts}
    assert "rag" not in {*decision.contenders, decision.recommended}
    assert not any(sentence.startswith("rag ") for sentence in decision.reasons)


def test_a_weight_moves_the_points():
    by_speed = decision_with("weight.latency=1000", "weight.cost=0")
    assert all(abs(one.total - one.points["latency"]) < 0.01 for one in by_speed.verdicts)
    assert decision_with("weight.accuracy=5") == decision_with()
