"""Swing weights: they sum to 1, ignore the scale of the answers, and undo what the present weights imply."""

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weighbridge.decide.elicit.swing import (
    SwingRange,
    asked_priorities,
    implied_worths,
    swing_ranges,
    swing_weights,
)
from weighbridge.decide.points import judged_value
from weighbridge.errors import UserError
from weighbridge.settings.curves import CRITERIA, USUAL, curve_for
from weighbridge.settings.needs import Needs, Priorities

from ..what_if.saved import saved

SPANS = st.floats(0.01, 1)
ANSWERS = st.lists(
    st.tuples(st.sampled_from(list(CRITERIA)), st.floats(0, 50), SPANS), min_size=1, unique_by=lambda t: t[0]
)


def ranges_of(answers):
    return [SwingRange(priority=name, worst=0, best=1, span=span, measured=True) for name, _, span in answers]


@given(answers=ANSWERS, scale=st.floats(0.1, 2))
def test_weights_sum_to_one_and_the_scale_of_the_answers_does_not_matter(answers, scale):
    assume(any(worth > 1e-6 for _, worth, _ in answers))
    ranges = ranges_of(answers)
    weights = swing_weights({name: worth for name, worth, _ in answers}, ranges)
    assert math.isclose(math.fsum(weights.values()), 1)
    scaled = swing_weights({name: worth * scale for name, worth, _ in answers}, ranges)
    for name, weight in weights.items():
        assert math.isclose(scaled[name], weight, rel_tol=1e-9, abs_tol=1e-12)


@given(answers=ANSWERS)
def test_a_weight_times_its_span_is_the_worth(answers):
    """The improvement from the worst to the best moves the points by its share of all worths."""
    assume(any(worth > 1e-6 for _, worth, _ in answers))
    weights = swing_weights({name: worth for name, worth, _ in answers}, ranges_of(answers))
    moves = {name: weights[name] * span for name, _, span in answers}
    most = max(answers, key=lambda answer: answer[1])
    for name, worth, _ in answers:
        assert math.isclose(moves[name] * most[1], moves[most[0]] * worth, rel_tol=1e-9, abs_tol=1e-12)


@given(answers=ANSWERS, place=st.integers(0), more=st.floats(1, 50))
def test_a_larger_worth_never_lowers_its_weight(answers, place, more):
    assume(any(worth > 1e-6 for _, worth, _ in answers))
    worths, ranges = {name: worth for name, worth, _ in answers}, ranges_of(answers)
    name = answers[place % len(answers)][0]
    raised = swing_weights({**worths, name: worths[name] + more}, ranges)
    assert raised[name] >= swing_weights(worths, ranges)[name] - 1e-12


@given(accuracy=st.floats(1, 9), latency=st.floats(1, 9), memory=st.floats(0, 9))
def test_enter_everywhere_gives_the_present_weights(accuracy, latency, memory):
    """The defaults are whole numbers, so they come back to the rounding of one worth."""
    needs = Needs(priorities=Priorities(accuracy=accuracy, latency=latency, memory=memory))
    ranges = swing_ranges(asked_priorities(needs), needs, ())
    usual = implied_worths(ranges, needs)
    weights = swing_weights(usual, ranges)
    given = {one.priority: getattr(needs.priorities, one.priority) for one in ranges}
    for name, weight in given.items():
        assert abs(weights[name] / weights["accuracy"] - weight / given["accuracy"]) <= 0.05 * max(given.values())
    assert max(usual.values()) == 100


def test_a_range_is_that_of_the_measured_strategies():
    needs = Needs()
    found = {one.priority: one for one in swing_ranges(USUAL, needs, saved().measurements)}
    accuracies = [one.figures["accuracy"].value for one in saved().measurements]
    assert (found["accuracy"].worst, found["accuracy"].best) == (min(accuracies), max(accuracies))
    assert math.isclose(found["accuracy"].span, max(accuracies) - min(accuracies))
    wrong = [one.figures["hallucination"].value for one in saved().measurements]
    assert (found["hallucination"].worst, found["hallucination"].best) == pytest.approx((max(wrong), min(wrong)))
    # All of them answer within a second, so nobody can be asked about their latency: the curve's own ends are shown.
    assert not found["latency"].measured
    assert (found["latency"].worst, found["latency"].best, found["latency"].span) == (10.0, 1.0, 1.0)


def test_a_failed_attempt_counts_as_a_wrong_answer_as_in_the_points():
    """The worth of an improvement is divided by the utility that the decision gives it, so both read one value."""
    first, *others = saved().measurements
    failing = replace(first, failures=first.attempts // 2)
    (found,) = swing_ranges(["accuracy"], Needs(), [failing, *others])
    judged = [judged_value("accuracy", one) for one in (failing, *others)]
    assert (found.worst, found.best) == (min(judged), max(judged))


@pytest.mark.parametrize("name", CRITERIA)
def test_without_measurements_the_range_is_that_of_the_curve(name):
    (found,) = swing_ranges((name,), Needs(), ())
    curve = curve_for(name, {})
    assert not found.measured
    assert {found.worst / curve.unit, found.best / curve.unit} == {curve.points[0][0], curve.points[-1][0]}
    assert found.span == 1


def test_the_usual_priorities_and_those_with_a_weight_are_asked_about():
    assert asked_priorities(Needs()) == USUAL
    assert asked_priorities(Needs(priorities=Priorities(memory=1, cost=0))) == (*USUAL, "memory")


@pytest.mark.parametrize(
    ("worths", "problem"),
    [
        ({"accuracy": 100}, "hallucination is missing"),
        ({"accuracy": 100, "hallucination": 101}, "hallucination: 101 is not between 0 and 100"),
        ({"accuracy": 100, "hallucination": -1}, "is not between 0 and 100"),
        ({"accuracy": 100, "hallucination": math.nan}, "is not between 0 and 100"),
        ({"accuracy": 0, "hallucination": 0}, "every improvement is worth 0"),
        ({"accuracy": 1, "hallucination": 0, "speed": 1}, "there is no priority 'speed'; asked are accuracy"),
    ],
)
def test_answers_without_sense_are_refused(worths, problem):
    with pytest.raises(UserError, match=problem):
        swing_weights(worths, ranges_of([("accuracy", 0, 1), ("hallucination", 0, 1)]))
