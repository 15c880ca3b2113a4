"""Points by hand: their anchors, and that no strategy earns more by being slower or dearer."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymcdm.methods import WSM

from weighbridge.decide.points import rank
from weighbridge.results import Estimate, Measurement
from weighbridge.settings.needs import Needs, Priorities

Make = Callable[..., Measurement]
LATENCY = Priorities(accuracy=0, hallucination=0, latency=1, cost=0)
COST = Priorities(accuracy=0, hallucination=0, latency=0, cost=1)
amounts = st.floats(1e-6, 1e6)


def totals(figure: str, values: list[float], priorities: Priorities) -> list[float]:
    """Return the points of strategies that differ in one figure alone, in order."""
    weighed = [
        Measurement(
            strategy=f"arm{place}",
            figures={figure: Estimate(value=value, low=value, high=value, scored=10)},
            outcomes={},
            attempts=10,
            failures=0,
        )
        for place, value in enumerate(values)
    ]
    found = {ranked.strategy: ranked.total for ranked in rank(weighed, Needs(priorities=priorities)).rows}
    return [found[measurement.strategy] for measurement in weighed]


def test_shares_are_their_own_points(measurement: Make):
    (ranked,) = rank([measurement("rag", {"accuracy": 0.7, "hallucination": 0.2})], Needs()).rows
    assert ranked.points == pytest.approx({"accuracy": 0.7, "hallucination": 0.8})
    assert ranked.total == pytest.approx((5 * 0.7 + 3 * 0.8) / 8)


def test_a_failure_earns_no_points(measurement: Make):
    failing = replace(measurement("rag", {"accuracy": 0.7, "hallucination": 0.2}), attempts=100, failures=10)
    (ranked,) = rank([failing], Needs()).rows
    assert ranked.points == pytest.approx({"accuracy": 0.63, "hallucination": 0.72})


@pytest.mark.parametrize(
    ("seconds", "points"),
    [(0.0, 1.0), (0.174, 1.0), (0.709, 1.0), (1.0, 1.0), (10**0.5, 0.5), (2.0, 0.69897), (10.0, 0.0), (60.0, 0.0)],
)
def test_a_second_is_worth_all_points_and_ten_are_worth_none(seconds: float, points: float):
    assert totals("latency_p50", [seconds], LATENCY) == pytest.approx([points], abs=1e-9, rel=1e-5)


def test_the_latency_of_one_does_not_change_the_points_of_another():
    assert totals("latency_p50", [3.0, 0.01], LATENCY)[0] == totals("latency_p50", [3.0, 9.0], LATENCY)[0]


def test_the_cheapest_is_worth_all_points_and_a_hundred_times_that_none():
    found = totals("cost_per_thousand", [0.02, 0.04, 0.2, 2.0, 20.0], COST)
    assert found == pytest.approx([1.0, 1 - 0.30103 / 2, 0.5, 0.0, 0.0], abs=1e-6)


def test_where_something_is_free_all_that_is_not_earns_nothing():
    assert totals("cost_per_thousand", [0.0, 0.0, 0.01], COST) == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(("figure", "priorities"), [("latency_p50", LATENCY), ("cost_per_thousand", COST)])
@given(values=st.lists(amounts, min_size=2, max_size=5))
def test_less_is_never_worth_less(figure: str, priorities: Priorities, values: list[float]):
    found = totals(figure, sorted(values), priorities)
    assert found == sorted(found, reverse=True)
    assert all(0 <= points <= 1 for points in found)


@given(st.lists(amounts, min_size=1, max_size=5), st.integers(-6, 6))
def test_points_for_cost_do_not_depend_on_the_currency(values: list[float], power: int):
    """A power of two changes no digit of a number."""
    found = totals("cost_per_thousand", [value * 2.0**power for value in values], COST)
    assert found == pytest.approx(totals("cost_per_thousand", values, COST), abs=1e-12)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(1, 10)), min_size=2, max_size=6),
    st.tuples(*[st.floats(0.1, 9)] * 3),
)
def test_totals_are_the_weighted_sums_of_another_library(
    rows: list[tuple[float, float, float]], weights: tuple[float, float, float]
):
    weighed = [
        Measurement(
            strategy=f"arm{place}",
            figures={
                name: Estimate(value=value, low=value, high=value, scored=10)
                for name, value in zip(("accuracy", "hallucination", "latency_p50"), row, strict=True)
            },
            outcomes={},
            attempts=10,
            failures=0,
        )
        for place, row in enumerate(rows)
    ]
    accuracy, hallucination, latency = weights
    priorities = Priorities(accuracy=accuracy, hallucination=hallucination, latency=latency, cost=0)
    ours = {row.strategy: row.total for row in rank(weighed, Needs(priorities=priorities)).rows}
    matrix = np.array([(right, wrong, np.log10(seconds)) for right, wrong, seconds in rows])
    model = WSM(normalization_function=lambda column, cost: 1 - column if cost else column)
    theirs = model(matrix, np.array(weights) / sum(weights), np.array([1, -1, -1]), validation=False)
    assert [ours[f"arm{place}"] for place in range(len(rows))] == pytest.approx(list(theirs), abs=1e-6)
