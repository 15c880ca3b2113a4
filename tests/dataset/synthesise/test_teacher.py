"""What a model is asked for is read tolerantly; what cannot be read is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.adapters import Span
from weighbridge.dataset.synthesise.nouns import OWN, SyntheticExample
from weighbridge.dataset.synthesise.teacher import (
    QUESTIONS,
    Teacher,
    ask_for_near_misses,
    ask_for_questions,
    ask_for_wordings,
    drop_answerable,
    drop_inconsistent,
    parse_pairs,
    parse_wordings,
    wrap_own_example,
)
from weighbridge.generate.scripted import Scripted
from weighbridge.types import Chunk, Document, Example, Passage, Question

CHUNK = Chunk(
    id="desk#0", document_id="desk", text="The desk opens at\n07:30. The fee is £5.", start=10, end=49, title="Desk",
    version="v1",
)  # fmt: skip


def says(text: str) -> Teacher:
    return Teacher(model=Scripted(reply=lambda _: text))


@pytest.mark.parametrize(
    ("reply", "pairs", "unparsed"),
    [
        ("Q: When?\nA: 07:30", [("When?", "07:30")], 0),
        (
            "**Q1:** When?\n**A1:** 07:30.\n\n2. Question: How much?\nAnswer: “£5”",
            [("When?", "07:30"), ("How much?", "£5")],
            0,
        ),
        ('Sure: {"question": "When?", "answer": "07:30"}', [("When?", "07:30")], 0),
        ('[{"Question": "When?", "Answer": 5}, {"q": 1}, {broken}]', [("When?", "5")], 2),
        ("I am sorry.\nQ: When?\nQ: Who?\nA: Ilse\nA: twice", [("Who?", "Ilse")], 3),
        ("Q: When?", [], 1),
        ("", [], 1),
        ("nothing of use", [], 1),
        ("".join(f"Q: {n}?\nA: {n}\n" for n in range(9)), [(f"{n}?", f"{n}") for n in range(QUESTIONS)], 0),
    ],
)
def test_pairs_are_read_from_lines_or_json(reply, pairs, unparsed):
    assert parse_pairs(reply) == (pairs, unparsed)


@given(st.text(alphabet='QqAa:.{}"\n 12*question', max_size=120))
def test_no_reply_breaks_the_reading(reply):
    pairs, unparsed = parse_pairs(reply)
    assert len(pairs) <= QUESTIONS
    assert pairs or unparsed
    assert all(line for line in parse_wordings(reply, "Who?"))


def test_an_answer_is_taken_as_its_chunk_has_it():
    heard = ask_for_questions([CHUNK], says("Q: When does the desk open?\nA: AT 07:30\nQ: What is it?\nA: a desk"))
    first, second = heard.made
    assert (first.answers, second.answers) == (("at\n07:30",), ("a desk",))
    assert first.spans == (Span("desk", 10, 49, "v1"),)
    assert (first.made_by, first.family, heard.unparsed) == ("model: question", first.id, 0)


def test_near_misses_have_no_answers():
    heard = ask_for_near_misses([CHUNK, CHUNK], says("Q: Who built the desk?\nNot one."))
    assert [one.question for one in heard.made] == ["Who built the desk?"] * 2
    assert not any(one.answerable or one.answers or one.evidence for one in heard.made)
    assert ask_for_near_misses([CHUNK], says("hm")).unparsed == 1


def test_wordings_keep_answers_places_and_family():
    first = SyntheticExample(
        id="made-1", question="When does the desk open?", answers=("07:30",), spans=(Span("desk", 10, 49),),
        made_by="rule: when", family="made-1",
    )  # fmt: skip
    document = Document(id="desk", text="The desk opens at 07:30.")
    example = Example(id="t-1", question=Question("desk hours pls"), answers=("half past seven",), evidence=("desk",))
    own = wrap_own_example(example, [document], lambda _: "v2")
    heard = ask_for_wordings([first, own], says("1. At what time does the desk open?\n- When can I come?\n"))
    assert [one.question for one in heard.made[:2]] == ["At what time does the desk open?", "When can I come?"]
    assert {(one.answers, one.family, one.spans) for one in heard.made} == {
        (("07:30",), "made-1", first.spans),
        (("half past seven",), "t-1", (Span("desk", 0, 24, "v2"),)),
    }
    assert [one.made_by for one in heard.made[1:3]] == ["model: paraphrase of made-1", f"model: {OWN}t-1"]


def test_a_message_that_asks_nothing_is_reworded_without_a_question_mark():
    assert parse_wordings("my meter is broken\n", "The meter does not work.") == ["my meter is broken"]
    assert parse_wordings("my meter is broken\nWho?\nWho?", "Who?") == []


def test_a_near_miss_that_a_passage_or_the_model_answers_is_dropped():
    misses = ask_for_near_misses([CHUNK], says("Q: What is the fee?\nQ: Who built the desk?")).made
    passage = Passage(CHUNK, 1.0)
    assert drop_answerable(lambda _: [passage], says("NONE")).positions(misses) == {0}
    assert drop_answerable(lambda _: [passage], says("Ilse Brandt")).positions(misses) == {0, 1}
    rule = ask_for_questions([CHUNK], says("Q: What is the fee?\nA: £5")).made
    assert not drop_answerable(lambda _: [passage], says("£5")).positions(rule)


@pytest.mark.parametrize(("said", "kept"), [("£5.", True), ("It is £5", True), ("07:30", False), ("", False)])
def test_a_question_that_the_model_answers_otherwise_is_dropped(said, kept):
    asked = ask_for_questions([CHUNK], says("Q: What is the fee?\nA: £5")).made
    texts = {"desk": " " * 10 + CHUNK.text}
    assert (not drop_inconsistent(texts, says(said)).positions(asked)) is kept
    assert not drop_inconsistent(texts, says(said)).positions([])
