"""Preferences come out of graded attempts, in either form; test questions never get in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import TrainingError
from weighbridge.results import Outcome, Record
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.preferences import (
    PreferencePair,
    Preferences,
    Thumb,
    held_out,
    preferences_from,
    require_both_sides,
)
from weighbridge.types import Answer, Example, Finish, Message, Prompt, Question, Timing, Usage


def record(name: str, text: str, outcome: Outcome | None, *, finish: Finish = "stop") -> Record:
    answer = Answer(
        text=text,
        raw=text,
        prompt=Prompt((Message("user", name),)),
        abstained=outcome == "abstained",
        citations=(),
        usage=Usage(),
        timing=Timing(),
        finish=finish,
    )
    return Record(key=f"{name}{text}", strategy="raft", example_id=name, answer=answer, outcome=outcome)


def example(name: str, split: str = "train") -> Example:
    return Example(id=name, question=Question(name), answers=("A",), split=split)


def reference(name: str) -> Conversation:
    return Conversation(example_id=name, prompt=(Message("user", name),), target="A [1]")


def thumb(name: str, text: str, *, up: bool) -> Thumb:
    return Thumb(example_id=name, prompt=(Message("user", name),), answer=text, up=up)


def pair(name: str, chosen: str, rejected: str) -> PreferencePair:
    return PreferencePair(example_id=name, prompt=(Message("user", name),), chosen=chosen, rejected=rejected)


def test_right_tries_against_wrong_ones():
    records = [
        record("q", "A", "right"),
        record("q", "B", "wrong"),
        record("q", "A", "right"),
        record("q", "a", "right"),
        record("q", "C", "wrong"),
        record("q", "B", "wrong"),
        record("q", "D", "wrong"),
    ]
    told = preferences_from(records, [example("q")], [reference("q")])
    assert told.as_pairs() == (pair("q", "A", "B"), pair("q", "a", "C"), pair("q", "A", "D"))
    assert told.as_thumbs() == (
        thumb("q", "A", up=True),
        thumb("q", "a", up=True),
        thumb("q", "B", up=False),
        thumb("q", "C", up=False),
        thumb("q", "D", up=False),
    )


def test_where_no_try_is_right_the_reference_is_the_better_answer():
    told = preferences_from([record("q", "B", "wrong")], [example("q")], [reference("q")])
    assert told.as_pairs() == (pair("q", "A [1]", "B"),)


def test_abstentions_failures_and_ungraded_answers_say_nothing():
    failed = Record(key="f", strategy="raft", example_id="q", answer=None, error="out of memory")
    records = [record("q", "I don't know.", "abstained"), record("q", "B", None), failed, record("q", "  ", "wrong")]
    told = preferences_from(records, [example("q")], [])
    assert told == Preferences()


def test_a_right_answer_that_was_cut_is_no_model():
    records = [record("q", "A and so on", "right", finish="length"), record("q", "B", "wrong", finish="length")]
    assert preferences_from(records, [example("q")], [reference("q")]).as_pairs() == (pair("q", "A [1]", "B"),)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_attempts_at_other_questions_are_refused(split: str):
    with pytest.raises(ValueError, match="only attempts at training examples may be learnt from: q"):
        preferences_from([record("q", "A", "right")], [example("q", split)], [])
    with pytest.raises(ValueError, match="learnt from: other"):
        preferences_from([record("other", "A", "right")], [example("q")], [])


def test_one_form_becomes_the_other():
    told = Preferences(pairs=(pair("q", "A", "B"), pair("q", "A", "C")), thumbs=(thumb("r", "D", up=True),))
    assert told.as_pairs() == told.pairs
    assert [(one.answer, one.up) for one in told.as_thumbs()] == [("D", True), ("A", True), ("B", False), ("C", False)]
    ranked = Preferences(pairs=(pair("q", "A", "B"), pair("q", "B", "C")))
    assert [(one.answer, one.up) for one in ranked.as_thumbs()] == [("A", True), ("C", False)]


@given(st.lists(st.text("abcde", min_size=1, max_size=2)), st.floats(0, 1), st.integers(0, 9))
def test_some_examples_are_held_out_but_never_all(names: list[str], share: float, seed: int):
    kept_back = held_out(names, share, seed)
    assert kept_back <= set(names)
    assert kept_back == held_out(names[::-1] * 2, share, seed)
    assert bool(kept_back) == (len(set(names)) > 1)
    assert len(kept_back) < max(1, len(set(names)))


def test_nothing_to_learn_from_is_refused():
    require_both_sides([pair("q", "A", "B")], "dpo")
    require_both_sides([thumb("q", "A", up=True), thumb("q", "B", up=False)], "kto")
    with pytest.raises(TrainingError, match=r"dpo learns from better and worse answers, and there is none; raise"):
        require_both_sides([], "dpo")
    with pytest.raises(TrainingError, match="all 1 answers are disliked"):
        require_both_sides([thumb("q", "B", up=False)], "kto")
