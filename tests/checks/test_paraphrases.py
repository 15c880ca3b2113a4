"""Rewordings ask for the same thing, and a strategy that knows only the wording is found out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.checks.paraphrases import paraphrases, reword, worth_rewording
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


def answered(record, dev, made, plain: float, other: float) -> dict:
    """Return what a model makes of some questions, of which it gets each right to so much, and of their rewordings."""
    records = {e.id: record(e, e.answers[0], score=plain) for e in dev}
    return records | {one.example.id: record(one.example, "none", score=other) for one in made}


@pytest.mark.parametrize("score", [1.0, 0.0])
def test_a_lower_score_in_other_words_fails(record, asked, score: float) -> None:
    dev = asked(20)
    made = reword(dev, "answer")
    records = answered(record, dev, made, 1.0, score)
    guard = paraphrases(dev, made, records, {}, metric="accuracy")
    assert guard.passed is (score == 1)
    assert guard.figures["plain"].value == 1
    assert guard.figures["reworded"].value == score
    assert guard.figures["same answer"].value == 0
    assert bool(guard.shown) is (score == 0)
    assert ("add the same questions" in guard.summary) is (score == 0)


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ((1.0, 1.0), "so tuning made it depend on the wording"),
        ((1.0, 0.0), "the difference may be chance"),
        ((0.0, 0.0), "nothing to lose by rewording"),
    ],
)
def test_the_base_tells_whether_tuning_is_to_blame(record, asked, base: tuple[float, float], said: str) -> None:
    dev = asked(20)
    made = reword(dev, "answer")
    before = answered(record, dev, made if base[0] else (), *base)
    guard = paraphrases(dev, made, answered(record, dev, made, 1.0, 0.0), before, metric="accuracy")
    assert guard.passed is False
    assert said in guard.summary
    assert ("base difference" in guard.figures) is bool(base[0])
    assert worth_rewording(dev, before, metric="accuracy") is bool(base[0])


def test_a_strategy_that_loses_less_than_its_base_is_told_so(record, asked) -> None:
    dev = asked(20)
    made = reword(dev, "answer")
    before = answered(record, dev, made, 1.0, 0.0)
    guard = paraphrases(dev, made, answered(record, dev, made, 1.0, 1.0), before, metric="accuracy")
    assert guard.passed
    assert guard.figures["difference less the base's"].value == 1
    assert "so tuning made it depend less on the wording" in guard.summary


def test_a_strategy_that_gets_nothing_right_has_nothing_to_lose(record, asked) -> None:
    dev = asked(20)
    made = reword(dev, "answer")
    guard = paraphrases(dev, made, answered(record, dev, made, 0.0, 0.0), {}, metric="accuracy")
    assert guard.passed is None
    assert "nothing to lose" in guard.summary


def test_a_family_answered_alike_counts(record, asked) -> None:
    dev = tuple(replace(example, answers=("x",)) for example in asked(4, family="f"))
    made = reword(dev, "answer")
    records = {e.id: record(e, "x" if n < 3 else "y") for n, e in enumerate(dev)}
    records |= {one.example.id: record(one.example, "x") for one in made}
    guard = paraphrases(dev, made, records, {}, metric="accuracy")
    assert guard.figures["same within a family"].value == pytest.approx(2 / 3)


def test_no_question_no_verdict() -> None:
    guard = paraphrases([], [], {}, {}, metric="accuracy")
    assert guard.passed is None
    assert not guard.figures
