"""Loops and endless answers are told from ordinary ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.checks.repetition import loops, repetition


@pytest.mark.parametrize(
    "text",
    [
        "no no no no",
        "The port is open. The port is open. The port is open.",
        "it is a code, it is a code, it is a code, it is",
        "Answer: 5\nAnswer: 5\nAnswer: 5",
        "答案是五" * 8,
    ],
)
def test_loops_are_found(text: str) -> None:
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no no",
        "1000000000000000000000000000",
        "--------------------------------",
        "The ferry leaves at 8:00, the bus at 8:10, the train at 8:20 and the tram at 8:30.",
        "https://example.org/a/b/c/d/e/f/g/h/i/j",
        "1 1 1 1 1 1",
        "It is very, very far.",
    ],
)
def test_ordinary_answers_are_not_loops(text: str) -> None:
    assert not loops(text)


@given(st.lists(st.sampled_from(["alpha", "beta", "gamma"]), min_size=2, max_size=5), st.integers(3, 5))
def test_any_phrase_said_again_and_again_is_a_loop(phrase: list[str], times: int) -> None:
    assert loops(" ".join(phrase * times))


def test_endless_answers_fail_beyond_the_margin(record, asked) -> None:
    dev = asked(30)
    base = {e.id: record(e, "fine") for e in dev}
    tuned = {e.id: record(e, "and so on", finish="length" if n < 12 else "stop") for n, e in enumerate(dev)}
    guard = repetition(base, tuned, dev)
    assert guard.passed is False
    assert guard.figures["endless difference"].value == pytest.approx(0.4)
    assert "stop token" in guard.summary
    assert len(guard.shown) == 4
    assert repetition(base, base, dev).passed


def test_answers_that_never_stop_fail_even_where_the_base_is_no_better(record, asked) -> None:
    records = {e.id: record(e, "and so on", finish="length") for e in asked(30)}
    guard = repetition(records, records, asked(30))
    assert guard.passed is False
    assert "has not learnt to stop yet: raise training.epochs, or model.maximum_tokens" in guard.summary
    assert "learning_rate" not in guard.summary


def test_loops_fail_on_their_own(record, asked) -> None:
    dev = asked(30)
    base = {e.id: record(e, "fine") for e in dev}
    tuned = {e.id: record(e, "no no no no") for e in dev}
    guard = repetition(base, tuned, dev)
    assert guard.passed is False
    assert guard.figures["looping tuned"].value == 1
    assert repetition(base, {}, dev).passed is None
