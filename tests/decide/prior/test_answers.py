"""Answers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.prior.answers import check_answers, complete_answers, read_answer

from .situations import MATRIX


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("labels", "1,500", 1500.0),
        ("labels", "1 500", 1500.0),
        ("labels", "1_500", 1500.0),
        ("labels", "2.5k", 2500.0),
        ("scale", "3m", 3e6),
        ("scale", "1bn", 1e9),
        ("labels", 300, 300.0),
        ("accuracy", "85 %", 85.0),
        ("accuracy", "85%", 85.0),
        ("latency", "0.5", 0.5),
        ("latency", ".5", 0.5),
        ("documents", "1e3", 1000.0),
        ("change", "Daily", "daily"),
        ("change", " daily ", "daily"),
        ("change", "5", "daily"),
        ("change", 5, "daily"),
        ("sources", "no", "no"),
        ("sources", False, "no"),
    ],
)
def test_an_answer_is_read_as_people_write_it(name: str, given: object, read: object) -> None:
    assert read_answer(MATRIX.factors[name], given) == read


@pytest.mark.parametrize(
    ("name", "given", "problem"),
    [
        ("labels", "many", "'many' is not a number; give examples as a number, like 1000"),
        ("labels", "1,5", "is not a number"),
        ("labels", "1.2.3", "is not a number"),
        ("labels", "", "is not a number"),
        ("labels", True, "True is not a number"),
        ("labels", -1, "-1 is not between 0 and 1e+10 examples"),
        ("labels", float("nan"), "nan is not a number"),
        ("labels", [3], "is not a number"),
        ("accuracy", 101, "101 is not between 1 and 100 %"),
        ("accuracy", 0.9, "0.9 is not between 1 and 100 %"),
        ("latency", 0, "0 is not between 0.01 and 86400 s"),
        ("change", "dayly", "'dayly' is not one of never, yearly, monthly, weekly or daily; did you mean 'daily'?"),
        ("change", 6, "6 is not one of never, yearly"),
        ("sources", True, "True is not one of"),
        ("change", None, "None is not one of"),
    ],
)
def test_a_wrong_answer_is_refused_with_what_to_give(name: str, given: object, problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_answer(MATRIX.factors[name], given)
    assert problem in str(caught.value)


@given(st.sampled_from(sorted(MATRIX.factors)), st.text() | st.floats() | st.integers() | st.none() | st.booleans())
def test_anything_is_read_or_refused_in_a_sentence(name: str, given: object) -> None:
    factor = MATRIX.factors[name]
    problem = check_answers(MATRIX, {name: given}).get(name)
    if problem:
        assert " is not " in problem
    else:
        read = read_answer(factor, given)
        assert 1 <= factor.score(read) <= 5
        assert read_answer(factor, read) == read


def test_the_bounds_of_labelled_examples_are_those_that_were_published() -> None:
    score = MATRIX.factors["labels"].score
    limits = (0, 99, 100, 499, 500, 1999, 2000, 9999, 10_000, 10**9)
    assert [score(float(number)) for number in limits] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_demand_rises_where_its_number_falls() -> None:
    for name in ("latency", "deployment"):
        factor = MATRIX.factors[name]
        assert factor.score(factor.bounds[0] / 2) == 5
        assert factor.score(factor.bounds[-1]) == 1


def test_problems_come_all_at_once_and_unknown_keys_with_the_nearest_one() -> None:
    problems = check_answers(MATRIX, {"chnage": "daily", "labels": "many", "change": "daily", "zzz": 1})
    assert list(problems) == ["chnage", "labels", "zzz"]
    assert problems["chnage"] == "unknown key; did you mean 'change'?"
    assert problems["zzz"].startswith("unknown key; the questions are complexity, budget")
    with pytest.raises(ValueError, match=r"chnage: unknown key.*\nlabels: 'many'"):
        complete_answers(MATRIX, {"chnage": "daily", "labels": "many"})


def test_what_is_not_answered_has_its_default() -> None:
    answers = complete_answers(MATRIX, {"labels": "50"})
    assert answers["labels"] == 50
    assert answers["change"] == "monthly"
    assert list(answers) == list(MATRIX.factors)
