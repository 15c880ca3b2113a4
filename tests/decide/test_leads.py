"""Leads: paired, turned either way, over common questions, and the least certain of them told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from weighbridge.decide.decide import decide
from weighbridge.decide.leads import leads
from weighbridge.decide.points import rank
from weighbridge.results import Comparison, Measurement, PairedDifference
from weighbridge.settings.needs import Needs, Priorities

Make = Callable[..., Measurement]
Compare = Callable[..., tuple[Comparison, ...]]
ACCURACY = Priorities(accuracy=1, hallucination=0, latency=0, cost=0)
QUALITY = Priorities(accuracy=5, hallucination=3, latency=0, cost=0)


def pair(accuracy: float, hallucination: float, questions: int) -> PairedDifference:
    return PairedDifference(accuracy=accuracy, hallucination=hallucination, questions=questions)


@pytest.fixture
def two(measurement: Make) -> list[Measurement]:
    return [
        measurement("rag", {"accuracy": 0.7, "hallucination": 0.2}),
        measurement("raft", {"accuracy": 0.6, "hallucination": 0.3}),
    ]


def test_a_lead_is_the_mean_of_the_points_of_each_question(two: list[Measurement], comparisons: Compare):
    pairs = (pair(1.0, -1.0, 12), pair(-1.0, 0.0, 4), pair(0.0, 1.0, 2), pair(0.0, 0.0, 82))
    found = [replace(c, pairs=pairs) if c.figure == "accuracy" else c for c in comparisons(two)]
    (lead,) = leads(rank(two, Needs(priorities=QUALITY)), found)
    assert lead.value == pytest.approx((12 * 8 / 8 - 4 * 5 / 8 - 2 * 3 / 8) / 100)
    assert lead.asked == 100
    turned = [
        replace(
            c,
            left=c.right,
            right=c.left,
            pairs=tuple(pair(-p.accuracy, -p.hallucination, p.questions) for p in c.pairs),
        )
        for c in found
    ]
    (other,) = leads(rank(two, Needs(priorities=QUALITY)), turned)
    assert (other.value, other.low, other.high) == pytest.approx((lead.value, lead.low, lead.high))
    assert other.p_value == lead.p_value


@pytest.mark.parametrize("latency", [1.0, 1.5, 2.0, 3.0])
def test_weights_that_divide_unevenly_do_not_narrow_the_interval(
    measurement: Make, comparisons: Compare, latency: float
):
    """A weight on latency shrinks the interval in proportion, whatever digits the shares of the others have."""
    two = [
        measurement("rag", {"accuracy": 0.7, "hallucination": 0.2, "latency_p50": 2.0}),
        measurement("raft", {"accuracy": 0.6, "hallucination": 0.3, "latency_p50": 2.0}),
    ]
    pairs = (pair(1.0, -1.0, 20), pair(-1.0, 1.0, 10), pair(1.0, 0.0, 27), pair(0.0, 1.0, 20), pair(0.0, 0.0, 39))
    found = [replace(c, pairs=pairs) if c.figure == "accuracy" else c for c in comparisons(two)]

    def width(weight: float) -> float:
        (lead,) = leads(rank(two, Needs(priorities=QUALITY.model_copy(update={"latency": weight}))), found)
        return lead.high - lead.low

    assert width(latency) * (8 + latency) / 8 == pytest.approx(width(0.0), rel=1e-6)


def test_the_interval_alone_is_not_enough(two: list[Measurement], comparisons: Compare):
    """Six wins and no loss: certain by the interval and by the test; five are by the interval only."""

    def certain(wins: int) -> tuple[bool, bool]:
        pairs = (pair(1.0, 0.0, wins), pair(0.0, 0.0, 40 - wins))
        found = [replace(c, pairs=pairs) if c.figure == "accuracy" else c for c in comparisons(two)]
        (lead,) = leads(rank(two, Needs(priorities=ACCURACY)), found)
        return lead.low > 0, lead.certain

    assert certain(6) == (True, True)
    assert certain(5) == (True, False)


def test_without_the_questions_the_smaller_number_is_what_both_answered(two: list[Measurement], comparisons: Compare):
    found = [
        replace(c, difference=replace(c.difference, scored=80 if c.figure == "accuracy" else 100))
        for c in comparisons(two)
    ]
    (lead,) = leads(rank(two, Needs(priorities=QUALITY)), found)
    assert lead.asked == 80


def test_without_the_questions_the_smaller_p_value_counts_double(two: list[Measurement], comparisons: Compare):
    found = [replace(c, p_value=0.03 if c.figure == "accuracy" else 0.5) for c in comparisons(two, half=0.01)]
    (both,) = leads(rank(two, Needs(priorities=QUALITY)), found)
    (one,) = leads(rank(two, Needs(priorities=ACCURACY)), found)
    assert (both.p_value, both.certain) == (0.06, False)
    assert (one.p_value, one.certain) == (0.03, True)


def test_the_least_certain_of_several_certain_leads_is_told(measurement: Make, comparisons: Compare):
    weighed = [
        measurement("a", {"accuracy": 0.9}), measurement("b", {"accuracy": 0.7}), measurement("c", {"accuracy": 0.6})
    ]  # fmt: skip
    found = [
        replace(c, difference=replace(c.difference, low=c.difference.value - 0.28, high=0.9))
        if (c.left, c.right) == ("a", "c")
        else c
        for c in comparisons(weighed)
    ]
    decision = decide(weighed, found, Needs(priorities=ACCURACY))
    assert decision.recommended == "a"
    assert "its lead over c is 30.0 points, at least 2.0 with" in decision.reasons[0].replace("\u00a0", " ")


def test_the_nearest_weight_that_changes_the_first_is_told(measurement: Make, comparisons: Compare):
    """By accuracy a leads; b draws level with it at a weight of 2 for hallucination, c only at 4."""
    weighed = [
        measurement("a", {"accuracy": 0.9, "hallucination": 0.5}),
        measurement("b", {"accuracy": 0.7, "hallucination": 0.4}),
        measurement("c", {"accuracy": 0.5, "hallucination": 0.4}),
    ]
    wanted = Needs(priorities=Priorities(accuracy=1, hallucination=1, latency=0, cost=0))
    lines = decide(weighed, comparisons(weighed, half=0.0), wanted).would_change
    assert "If hallucination weighed more than 2 (now 1), b would be first." in lines
    assert "If accuracy weighed less than 0.5 (now 1), b would be first." in lines
