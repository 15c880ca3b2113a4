import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.answer.cite import cited_reference, find_citations, without_marks
from weighbridge.answer.prompt import instructions_for
from weighbridge.scoring.language.refusals import ABSTENTION
from weighbridge.types import Chunk, Example, Passage, Prompt, Question

TEXT = "The travel desk is open from 07:30 to 16:15. It is in room 1.14."
OTHER = "The canteen opens at noon."


def passage(text, document="travel-desk", start=0):
    return Passage(Chunk(id=f"{document}#0", document_id=document, text=text, start=start, end=start + len(text)), 1.0)


PROMPT = Prompt((), (passage(OTHER, "canteen"), passage(TEXT, start=100)))


def test_a_citation_is_the_exact_span_of_its_document():
    (citation,) = find_citations("07:30 to 16:15 [2]", PROMPT)
    assert citation.marked
    assert citation.document_id == "travel-desk"
    assert TEXT[citation.start - 100 : citation.end - 100] == citation.quote == "07:30 to 16:15"


def test_the_span_is_found_whatever_the_case_and_white_space():
    (citation,) = find_citations("  the TRAVEL\n desk. [2]", PROMPT)
    assert citation.quote == "The travel desk"


@pytest.mark.parametrize("raw", ["08:00 to 16:15 [2]", "[2]", "", "I don't know. [2]", "0 to 16:1 [2]", "noon [9]x"])
def test_what_stands_nowhere_is_not_cited(raw):
    assert find_citations(raw, PROMPT) == ()


def test_a_wrong_mark_is_not_believed_but_the_right_passage_is_found():
    (citation,) = find_citations("at noon [2]", PROMPT)
    assert (citation.document_id, citation.marked) == ("canteen", False)


PRICES = Prompt((), (passage("Gold: 5 pounds."), passage("Tin: 5 pounds, on the quay. It is not stated why.")))


@pytest.mark.parametrize(("raw", "documents"), [("5", 0), ("the", 0), ("tin", 0), ("quay", 1), ("5 pounds", 2)])
def test_an_answer_too_short_to_tell_is_cited_only_where_the_model_pointed(raw, documents):
    assert len(find_citations(raw, PRICES)) == documents
    assert [c.marked for c in find_citations(f"{raw} [2]", PRICES)][:1] == [True]


def test_a_mark_on_a_passage_without_the_words_cites_nothing_by_itself():
    assert find_citations("Gold [2]", PRICES)[0].marked is False
    assert find_citations("tin [1]", PRICES) == ()


def test_words_that_stand_in_a_passage_are_cited_even_if_they_sound_like_an_abstention():
    assert [c.quote for c in find_citations("Not stated why.", PRICES)] == ["not stated why"]


def test_marked_passages_come_first():
    prompt = Prompt((), (passage(OTHER, "a"), passage(OTHER, "b")))
    assert [c.document_id for c in find_citations("at noon [2]", prompt)] == ["b", "a"]


@given(st.text(), st.text())
def test_every_citation_is_verbatim(raw, text):
    for citation in find_citations(raw, Prompt((), (passage(text),))):
        assert text[citation.start : citation.end] == citation.quote


def test_marks_are_taken_off():
    assert without_marks("14 days [1] [2]") == "14 days"


EXAMPLE = Example(id="e", question=Question("When?"), answers=("07:30 to 16:15",), evidence=("travel-desk",))
OPEN = instructions_for("answer", reads=True)


def test_training_marks_the_passage_that_holds_the_answer():
    prompt = Prompt((), (passage("Travel desk: second floor."), passage(TEXT)))
    assert cited_reference(OPEN, EXAMPLE, prompt) == "07:30 to 16:15 [2]"


def test_training_abstains_where_the_evidence_was_not_found():
    assert cited_reference(OPEN, EXAMPLE, Prompt((), (passage(OTHER, "canteen"),))) == ABSTENTION


def test_without_passages_the_reference_is_learnt_as_it_is():
    assert cited_reference(instructions_for("answer", reads=False), EXAMPLE, Prompt(())) == "07:30 to 16:15"


def test_a_label_is_learnt_though_its_evidence_was_not_found_and_json_is_not():
    missed = Prompt((), (passage(OTHER, "canteen"),))
    assert cited_reference(instructions_for("label", reads=True), EXAMPLE, missed) == "07:30 to 16:15"
    assert cited_reference(instructions_for("json", reads=True), EXAMPLE, missed) == ABSTENTION
    unanswerable = Example(id="u", question=Question("?"), answers=(), answerable=False)
    assert cited_reference(instructions_for("label", reads=True), unanswerable, missed) == ABSTENTION


def test_labels_and_json_are_never_marked():
    for task in ("label", "json"):
        instructions = instructions_for(task, reads=True)
        assert cited_reference(instructions, EXAMPLE, Prompt((), (passage(TEXT),))) == "07:30 to 16:15"
