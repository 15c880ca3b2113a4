"""Two different answers are none: a choice, a correction, a sentence said again with another value, an extra item."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.scoring.grade import grade
from weighbridge.scoring.rivals import find_rival

PAIRS = {
    "How long is the notice period?": ("5 weeks", "7 weeks", "The notice period is {}"),
    "What is the dose?": ("5 mg", "7 mg", "The dose is {}"),
    "In which city is the yard?": ("Bergen", "Stavanger", "The yard is in {}"),
    "Who wrote the Quarry Songs?": ("Mary Fenwick", "Paul Drummond", "The Quarry Songs were written by {}"),
    "When was the mill built?": ("1912", "1921", "It was built in {}"),
    "Which gate do I use?": ("gate B", "gate C", "Use {}"),
    "What colour is the ticket?": ("red", "blue", "The ticket is {}"),
    "What is the code of the shed?": ("A-17", "A-71", "The code of the shed is {}"),
    "What does parking cost?": ("12 euro", "15 euro", "Parking costs {}"),
}
TWO_ANSWERS = (
    "{a} or {b}",
    "{a}, or {b}.",
    "{a}. Or {b}.",
    "{sentence_a} or {b}.",
    "{sentence_a}. {sentence_b}.",
    "{sentence_a}; {sentence_b}.",
    "{sentence_a}. Alternatively, {sentence_b}.",
)
SAID_TWICE = (
    "{a}. {a}.",
    "{sentence_a}. {sentence_a}.",
    "{sentence_a}. To repeat it once more: {a}.",
    "{sentence_a}, or so the handbook says.",
    "{sentence_a}, with or without a reservation.",
    "{sentence_a}, more or less.",
)


@given(question=st.sampled_from(sorted(PAIRS)), form=st.sampled_from(TWO_ANSWERS))
def test_two_different_answers_are_wrong(question: str, form: str):
    right, other, sentence = PAIRS[question]
    answer = form.format(a=right, b=other, sentence_a=sentence.format(right), sentence_b=sentence.format(other))
    assert grade(question, (right,), answer).mark == "wrong"


@given(question=st.sampled_from(sorted(PAIRS)), form=st.sampled_from(SAID_TWICE))
def test_one_answer_said_twice_is_right(question: str, form: str):
    right, _, sentence = PAIRS[question]
    assert grade(question, (right,), form.format(a=right, sentence_a=sentence.format(right))).mark == "right"


@pytest.mark.parametrize("answer", ["Bergen or Stavanger.", "It is in Bergen. Or in Stavanger."])
def test_two_accepted_answers_are_right(answer: str):
    assert grade("In which city is the yard?", ("Bergen", "Stavanger"), answer).mark == "right"
    assert grade("In which city is the yard?", ("Bergen",), answer).mark == "wrong"


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        ("When was the mill built?", "1912", "It was built in 1912. Actually, it was built in 1921."),
        ("Who wrote the Quarry Songs?", "Mary Fenwick", "It was Mary Fenwick. No, it was Paul Drummond."),
        ("In which city is the yard?", "Bergen", "It is either Stavanger or Bergen."),
        ("May dogs ride along?", "yes", "Yes. No."),
        ("May dogs ride along?", "yes", "Yes, dogs may ride along. Actually no, dogs may not ride along."),
        ("May dogs ride along?", "no", "Yes and no."),
        ("Welche Farbe hat der Ausweis?", "rot", "rot oder blau"),
        ("In which city is the fair?", "Bergen", "Bergen and Stavanger"),
        ("Which colours does the flag have?", "red, blue and green", "red, blue, green and yellow"),
        ("On which days is it open?", "Monday and Thursday", "It is open on Monday, Thursday and Friday."),
        ("Who founded it?", "Ada Marlow and Tom Reed", "It was founded by Ada Marlow, Tom Reed and Bo Lund."),
    ],
)
def test_corrections_opposites_and_items_too_many_are_wrong(question: str, reference: str, answer: str):
    found = grade(question, (reference,), answer)
    assert found.mark == "wrong"
    assert found.reason


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        ("How far is it?", "10 km", "It is 10 km or 6.2 miles."),
        ("How long is the film?", "228 minutes", "The film is 228 minutes or 3 hours and 48 minutes long."),
        ("What are such salts called?", "Plant hormones", "They are called plant hormones or phytohormones."),
        ("Is it gate B or gate C?", "gate B", "Between gate B or gate C, it is gate B."),
        ("Which colours does the flag have?", "red, blue and green", "The flag has green, red and blue stripes."),
        ("How long is the notice period?", "5 or 6 weeks", "The notice period is 5 or 6 weeks."),
        ("When was it built?", "1912", "It was built in 1912. It was rebuilt after the flood in 1954."),
        ("Where is the mill?", "Hallen", "The mill is in Hallen. The mill is old."),
    ],
)
def test_the_same_in_other_words_is_no_second_answer(question: str, reference: str, answer: str):
    assert grade(question, (reference,), answer).mark == "right"


def test_another_item_is_no_extra_one_where_an_item_is_missing():
    colours = "red, blue and green"
    assert find_rival("Which colours?", (colours,), colours, "red, blue, green and yellow") == "yellow"
    assert find_rival("Which colours?", (colours,), colours, "red, blue and yellow") == ""
