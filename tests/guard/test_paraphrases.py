"""Rewordings ask for the same thing, and a strategy that knows only the wording is found out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.guard.paraphrases import paraphrases, reword
from weighbridge.types import Example, Question


def test_the_rules_take_turns(asked) -> None:
    made = reword(asked(6), "answer")
    assert len(made) == 12
    rules = {"polite", "as a wish", "lower case", "a typo", "no question mark", "a greeting"}
    assert {one.rule for one in made} == rules
    assert len({one.example.id for one in made}) == 12
    texts = {one.example.question.text for one in made}
    assert "Could you tell me: What is the number of harbour 0?" in texts
    assert "what is the number of harbour 1?" in texts


def test_a_message_to_classify_is_not_turned_into_a_question(asked) -> None:
    assert {one.rule for one in reword(asked(8), "label")} == {"lower case", "a typo", "no question mark", "a greeting"}


@given(st.text(max_size=60), st.sampled_from(["answer", "label", "json"]))
def test_any_question_is_reworded_without_losing_what_it_accepts(text: str, task) -> None:
    example = Example(id="e", question=Question(text, groups=frozenset({"g"})), answers=("x",), split="dev")
    for one in reword([example], task):
        assert one.example.question.text != text
        assert replace(one.example, id="e", question=example.question) == example
        assert one.example.question.groups == {"g"}


@pytest.mark.parametrize("score", [1.0, 0.0])
def test_a_lower_score_in_other_words_fails(record, asked, score: float) -> None:
    dev = asked(20)
    made = reword(dev, "answer")
    records = {e.id: record(e, e.answers[0]) for e in dev}
    records |= {one.example.id: record(one.example, "none", score=score) for one in made}
    guard = paraphrases(dev, made, records, metric="accuracy")
    assert guard.passed is (score == 1)
    assert guard.figures["plain"].value == 1
    assert guard.figures["reworded"].value == score
    assert guard.figures["same answer"].value == 0
    assert bool(guard.shown) is (score == 0)


def test_a_family_answered_alike_counts(record, asked) -> None:
    dev = tuple(replace(example, answers=("x",)) for example in asked(4, family="f"))
    made = reword(dev, "answer")
    records = {e.id: record(e, "x" if n < 3 else "y") for n, e in enumerate(dev)}
    records |= {one.example.id: record(one.example, "x") for one in made}
    guard = paraphrases(dev, made, records, metric="accuracy")
    assert guard.figures["same within a family"].value == pytest.approx(2 / 3)


def test_no_question_no_verdict() -> None:
    guard = paraphrases([], [], {}, metric="accuracy")
    assert guard.passed is None
    assert not guard.figures
