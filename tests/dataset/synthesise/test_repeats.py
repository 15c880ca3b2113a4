"""What was asked before is found: among the made ones, in training, and above all in dev and test."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from weighbridge.adapters import Span
from weighbridge.dataset.split import Embed
from weighbridge.dataset.synthesise.nouns import Filter, SyntheticExample
from weighbridge.dataset.synthesise.repeats import (
    cache_vectors,
    drop_changed_meaning,
    drop_near_each_other,
    drop_near_examples,
    drop_near_held_out,
)
from weighbridge.types import Example, Question


def one(question: str, answer: str = "07:30", *, family: str = "", document: str = "desk") -> SyntheticExample:
    return SyntheticExample(
        id=question, question=question, answers=(answer,) if answer else (), spans=(Span(document, 0, 9),),
        made_by="rule: when", family=family or question, answerable=bool(answer),
    )  # fmt: skip


def example(text: str, answer: str = "07:30", *, family: str = "", evidence: Sequence[str] = ("desk",)) -> Example:
    return Example(id=f"e-{text}", question=Question(text), answers=(answer,), evidence=tuple(evidence), family=family)


def left(made: Sequence[SyntheticExample], one_filter: Filter) -> list[str]:
    lost = set(one_filter.positions(made))
    return [each.question for at, each in enumerate(made) if at not in lost]


def test_only_the_first_of_near_duplicates_is_kept(embed: Embed):
    made = [
        one("When does the travel desk open?"),
        one("When does the travel desk open up?"),
        one("Who is the cook?", "B"),
    ]
    assert left(made, drop_near_each_other(embed, 0.9)) == ["When does the travel desk open?", "Who is the cook?"]


def test_questions_with_other_answers_are_others_however_alike(embed: Embed):
    made = [one("When was the old Marrowby built?", "2009"), one("Where was the old Marrowby built?", "Lindgate")]
    assert len(left(made, drop_near_each_other(embed, 0.9))) == 2


def test_wordings_of_one_question_may_be_close_but_not_the_same(embed: Embed):
    asked = "When does the travel desk open?"
    made = [one(asked), one("When does the travel desk open up?", family=asked), one(f"{asked}?", family=asked)]
    assert left(made, drop_near_each_other(embed, 0.9)) == [asked, "When does the travel desk open up?"]


def test_a_question_of_the_test_is_a_leak_in_any_spelling(embed: Embed):
    held_out = [example("When does the travel desk open?", evidence=())]
    made = [one("when does THE travel desk open"), one("When does the travel desk open up?"), one("Who is the cook?")]
    assert left(made, drop_near_held_out(held_out, embed, 0.9)) == ["Who is the cook?"]


def test_a_wording_of_a_held_out_family_is_a_leak_however_it_reads(embed: Embed):
    held_out = [example("When does the travel desk open?", family="hours")]
    assert left([one("Desk hours pls", family="hours")], drop_near_held_out(held_out, embed, 0.9)) == []


@pytest.mark.parametrize(
    ("answer", "document", "kept"), [("07:30", "desk", 0), ("08:00", "desk", 1), ("07:30", "x", 1)]
)
def test_the_same_fact_in_like_words_is_a_leak(answer, document, kept):
    def close(texts: Sequence[str]) -> np.ndarray:
        return np.array([[1, 0] if "desk" in text else [0.85, np.sqrt(1 - 0.85**2)] for text in texts], np.float32)

    held_out = [example("When does the desk open?")]
    made = [one("Opening time of where trips are booked?", answer, document=document)]
    assert len(left(made, drop_near_held_out(held_out, close, 0.9))) == kept


def test_a_training_question_is_not_made_again_but_may_be_reworded(embed: Embed):
    train = [example("When does the travel desk open?", family="hours")]
    made = [
        one("When does the travel desk open up?"),
        one("When does the travel desk open up?", family="hours"),
        one("When does the travel desk open", family="hours"),
    ]
    assert drop_near_examples(train, embed, 0.9).positions(made) == {0, 2}


def test_nothing_is_near_nothing(embed: Embed):
    assert not drop_near_held_out([], embed, 0.9).positions([one("Who is the cook?")])
    assert not drop_near_examples([], embed, 0.9).positions([one("Who is the cook?")])


def test_a_text_is_embedded_once(embed: Embed):
    asked: list[str] = []

    def counting(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return embed(texts)

    vectors = cache_vectors(counting)
    first = vectors(["a b", "c d", "a b"])
    assert np.array_equal(vectors(["c d", "a b"]), first[[1, 0]])
    assert asked == ["a b", "c d"]


def test_a_wording_by_a_model_must_mean_the_same(embed: Embed) -> None:
    firsts = {"made-1": "When does the travel desk open?"}
    by_model = "model: paraphrase of made-1"
    made = [
        replace(one("When does the travel desk open up?"), made_by=by_model),
        replace(one("Who sells hats?"), made_by=by_model),
        replace(one("Who sells caps?"), made_by="rule: paraphrase of made-1"),
        replace(one("Who sells coats?"), made_by="model: paraphrase of made-9"),
    ]
    assert drop_changed_meaning(firsts, embed).positions(made) == {1}
    assert not drop_changed_meaning(firsts, embed).positions([one("Who sells hats?")])
