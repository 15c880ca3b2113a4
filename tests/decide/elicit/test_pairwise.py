"""Pairwise weights: against the eigenvector by numpy, and what consistency means."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weighbridge.decide.elicit.pairwise import PairAnswer, describe_times, nearest_times, pairwise_weights
from weighbridge.errors import UserError

NAMES = ("accuracy", "hallucination", "latency", "cost", "memory")
TURNING = [
    PairAnswer(one, other, times)
    for (one, other), times in zip(combinations(NAMES[:4], 2), (1 / 9, 1, 1 / 9, 1 / 9, 1, 1 / 9), strict=True)
]
"""Answers for which two steps of the power method have the same sum long before it has converged."""
TIMES = st.sampled_from([1 / 9, 1 / 7, 1 / 5, 1 / 3, 1 / 2, 1, 2, 3, 5, 7, 9])


@st.composite
def answered(draw, least=2, most=5):
    """Return some priorities and an answer for each pair."""
    names = NAMES[: draw(st.integers(least, most))]
    return names, [PairAnswer(left, right, draw(TIMES)) for left, right in combinations(names, 2)]


def matrix(names, answers):
    made = np.ones((len(names), len(names)))
    for answer in answers:
        row, column = names.index(answer.more), names.index(answer.less)
        made[row, column], made[column, row] = answer.times, 1 / answer.times
    return made


def by_numpy(names, answers):
    values, vectors = np.linalg.eig(matrix(names, answers))
    place = int(np.argmax(values.real))
    vector = np.abs(vectors[:, place].real)
    return values[place].real, dict(zip(names, vector / vector.sum(), strict=True))


@given(given_answers=answered())
@example(given_answers=(NAMES[:4], TURNING))
def test_weights_are_shares_and_the_ratio_is_that_of_the_largest_eigenvalue(given_answers):
    names, answers = given_answers
    found = pairwise_weights(names, answers)
    assert math.isclose(math.fsum(found.weights.values()), 1)
    index = {2: math.inf, 3: 0.58, 4: 0.90, 5: 1.12}[len(names)]
    largest, _ = by_numpy(names, answers)
    assert math.isclose(found.ratio, max(0.0, (largest - len(names)) / (len(names) - 1) / index), abs_tol=1e-6)


@given(given_answers=answered(most=3))
def test_with_up_to_three_priorities_the_weights_are_the_eigenvector(given_answers):
    """There the geometric mean and the eigenvector agree for any answers (Saaty 1980)."""
    names, answers = given_answers
    _, vector = by_numpy(names, answers)
    for name, weight in pairwise_weights(names, answers).weights.items():
        assert math.isclose(weight, vector[name], rel_tol=1e-6)


@given(weights=st.lists(st.floats(1, 2.9), min_size=2, max_size=5))
def test_consistent_answers_give_their_weights_and_a_ratio_of_zero(weights):
    names = NAMES[: len(weights)]
    answers = [
        PairAnswer(left, right, weights[names.index(left)] / weights[names.index(right)])
        for left, right in combinations(names, 2)
    ]
    found = pairwise_weights(names, answers)
    for name, weight in zip(names, weights, strict=True):
        assert math.isclose(found.weights[name], weight / math.fsum(weights), rel_tol=1e-9)
    assert found.ratio < 1e-9
    assert found.worst is None


@given(given_answers=answered())
def test_an_answer_and_its_reverse_are_the_same(given_answers):
    names, answers = given_answers
    turned = [PairAnswer(one.less, one.more, 1 / one.times) for one in reversed(answers)]
    first, second = pairwise_weights(names, answers), pairwise_weights(names, turned)
    assert first.weights == pytest.approx(second.weights)
    assert first.ratio == pytest.approx(second.ratio, abs=1e-9)


@given(weights=st.lists(st.floats(1, 2.5), min_size=4, max_size=5), data=st.data())
def test_near_consistent_answers_have_nearly_the_eigenvector(weights, data):
    names = NAMES[: len(weights)]
    answers = [
        PairAnswer(
            left, right, weights[names.index(left)] / weights[names.index(right)] * data.draw(st.floats(0.8, 1.25))
        )
        for left, right in combinations(names, 2)
    ]
    found = pairwise_weights(names, answers)
    assert found.ratio < 0.1
    _, vector = by_numpy(names, answers)
    assert all(abs(found.weights[name] - vector[name]) < 0.01 for name in names)


def test_the_answer_that_fits_least_is_named():
    consistent = {("accuracy", "hallucination"): 2, ("accuracy", "latency"): 4, ("accuracy", "cost"): 8,
                  ("hallucination", "latency"): 2, ("hallucination", "cost"): 4, ("latency", "cost"): 2}  # fmt: skip
    for slip in consistent:
        answers = [PairAnswer(*pair, 1 / 9 if pair == slip else times) for pair, times in consistent.items()]
        found = pairwise_weights(NAMES[:4], answers)
        assert found.ratio > 0.1
        assert (found.worst.more, found.worst.less) == slip
        assert found.fitting > 1 / 9


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ([("accuracy", "cost", 3)], "'accuracy over latency' is missing"),
        ([("accuracy", "latency", 3), ("latency", "accuracy", 3)], "latency over accuracy is given twice"),
        ([("accuracy", "latency", 10)], "10 is not between 1/9 and 9"),
        ([("accuracy", "latency", 0)], "0 is not between 1/9 and 9"),
        ([("accuracy", "latency", math.nan)], "nan is not between"),
        ([("accuracy", "speed", 3)], "there is no priority 'speed'; asked are accuracy, latency, cost"),
        ([("accuracy", "accuracy", 3)], "is given twice"),
    ],
)
def test_answers_without_sense_are_refused(answers, problem):
    with pytest.raises(UserError, match=problem):
        pairwise_weights(("accuracy", "latency", "cost"), [PairAnswer(*answer) for answer in answers])


@pytest.mark.parametrize(
    ("times", "words"),
    [(1, "equally"), (1.6, "between equally and somewhat more"), (3, "somewhat more"), (5.2, "clearly more"),
     (8, "between very much more and extremely more"), (40, "extremely more"), (0.3, "equally")],
)  # fmt: skip
def test_a_number_has_its_words(times, words):
    assert describe_times(times) == words


@pytest.mark.parametrize(
    ("more", "less", "times"), [(5, 3, 2), (5, 1, 5), (1, 5, 1 / 5), (3, 3, 1), (0, 0, 1), (4, 0, 9), (0, 4, 1 / 9)]
)
def test_weights_imply_an_answer(more, less, times):
    assert nearest_times(more, less) == times
