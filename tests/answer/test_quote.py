"""Answers that quote first: what training writes is what is read back, and only true quotes are citations."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from weighbridge.answer import composed
from weighbridge.answer.build import SHAPES, Parts, build
from weighbridge.answer.cite import cited_reference
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.answer.quote import QuotedAnswer, answer_words, read_quote, sentence_holding, write_quote
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import NONE, NOTHING
from weighbridge.scoring.language.refusals import ABSTENTION
from weighbridge.types import Answer, Chunk, Completion, Example, Passage, Prompt, Question, Timing, Usage

NOTICE = (
    "# Notice\n\nIt is given in writing. The notice period is\nfour weeks. Dr. Lee of the U.S. office countersigns."
)
OTHER = "The canteen opens at noon."
OPEN = instructions_for("answer", reads=True, quotes=True)
STRATEGY = Composed(name="raft", model=Scripted(), instructions=OPEN)


def passage(text: str, document: str, start: int = 0) -> Passage:
    return Passage(Chunk(id=f"{document}#0", document_id=document, text=text, start=start, end=start + len(text)), 1.0)


PROMPT = Prompt((), (passage(OTHER, "canteen"), passage(NOTICE, "notice", 100)))


def asked(*answers: str) -> Example:
    return Example(id="e", question=Question("How long?"), answers=answers, evidence=("notice",))


def understood(raw: str, prompt: Prompt = PROMPT) -> Answer:
    return STRATEGY.read_completion(prompt, Completion(text=raw, usage=Usage()), Timing())


def test_the_sentence_comes_before_the_answer():
    target = cited_reference(OPEN, asked("four weeks"), PROMPT)
    assert target == '"The notice period is four weeks." [2] Answer: four weeks'
    said = understood(target)
    assert said.text == "four weeks"
    (citation,) = said.citations
    assert citation.marked
    assert NOTICE[citation.start - 100 : citation.end - 100] == "The notice period is\nfour weeks"


def test_without_a_quote_the_answer_is_learnt_and_read_as_before():
    target = cited_reference(OPEN, asked("a month"), PROMPT)
    assert target == "a month [2]"
    assert understood(target).text == "a month"
    assert [citation.marked for citation in understood("four weeks [2]").citations] == [True]


def test_without_evidence_it_abstains_or_answers_from_memory():
    missed = Prompt((), PROMPT.passages[:1])
    assert cited_reference(OPEN, asked("four weeks"), missed) == ABSTENTION
    assert cited_reference(OPEN, asked("four weeks"), missed, from_memory=True) == "four weeks"
    unanswerable = Example(id="u", question=Question("?"), answers=(), answerable=False)
    assert cited_reference(OPEN, unanswerable, missed, from_memory=True) == ABSTENTION


@pytest.mark.parametrize(
    "raw",
    [
        '"The notice period is six weeks." [2] Answer: six weeks',
        '"The notice period is four weeks." [2] Answer: six weeks',
        '"The notice period is four weeks." [2] Answer: I don\'t know.',
        '"." [2] Answer: four weeks',
        '"The notice period is four weeks." [2] Answer:',
    ],
)
def test_a_quote_that_stands_nowhere_or_tells_another_answer_is_no_citation(raw: str):
    assert understood(raw).citations == ()


def test_a_true_quote_with_the_wrong_number_is_cited_where_it_stands():
    (citation,) = understood('"The notice period is four weeks." [1] Answer: four weeks').citations
    assert (citation.document_id, citation.marked) == ("notice", False)


def test_a_quote_too_short_to_tell_is_cited_only_where_the_model_pointed():
    prompt = Prompt((), (passage("Gold: 5 pounds.", "gold"), passage("Tin: 5 pounds.", "tin")))
    assert [c.document_id for c in understood('"5" [2] Answer: 5', prompt).citations] == ["tin"]
    assert [c.document_id for c in understood('"5 pounds" [2] Answer: 5', prompt).citations] == ["tin", "gold"]
    assert not understood('"Gold" [2] Answer: Gold', Prompt((), (passage("Tin, not gilt.", "tin"),))).citations


def test_an_abstention_cites_nothing_though_its_words_stand_in_the_quote():
    prompt = Prompt((), (passage('"I don\'t know," said the pilot.', "pilot"),))
    said = understood('"I don\'t know," said the pilot." [1] Answer: I don\'t know', prompt)
    assert said.abstained
    assert said.citations == ()
    assert understood("I don't know [1]", prompt).citations == ()


def test_whether_it_abstains_is_told_by_the_answer_not_by_the_quote():
    assert not understood('"There is no information desk." [1] Answer: no').abstained
    assert understood('"It is given in writing." [2] Answer: I don\'t know').abstained


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("four weeks [2]", QuotedAnswer("four weeks [2]")),
        ("Answer: four weeks", QuotedAnswer("four weeks")),
        ("It is four weeks. [2] Answer: four weeks", QuotedAnswer("four weeks")),
        ('"Q: When? Answer: now" [3] Answer: now', QuotedAnswer("now", "Q: When? Answer: now", 3)),
        ('"She said "go"." [1]\nAnswer: go', QuotedAnswer("go", 'She said "go".', 1)),
        ("“It is.” [1] Answer: it is", QuotedAnswer("it is", "It is.", 1)),
        ('"cut short by the len', QuotedAnswer('"cut short by the len')),
        ("", QuotedAnswer("")),
    ],
)
def test_what_models_say_is_taken_apart(raw: str, said: QuotedAnswer):
    assert read_quote(raw) == said


@pytest.mark.parametrize(
    ("text", "answer", "sentence"),
    [
        (NOTICE, "in writing", "It is given in writing."),
        (NOTICE, "notice", "Notice"),
        (NOTICE, "Dr. Lee", "Dr. Lee of the U.S. office countersigns."),
        (NOTICE, "writing. The notice", "It is given in writing. The notice period is four weeks."),
        ("Keys:\n- red: 5\n- blue: 7\n", "7", "blue: 7"),
        ("| a | -5 |\n| b | 6 |", "6", "b | 6 |"),
        ("| -5 |", "-5", "-5 |"),
        (NOTICE, "week", ""),
        (NOTICE, ".", ""),
    ],
)
def test_the_sentence_that_holds_an_answer(text: str, answer: str, sentence: str):
    assert sentence_holding(text, answer) == sentence


def test_a_sentence_without_end_is_cut_around_the_answer():
    text = " ".join(f"w{n}" for n in range(500))
    for answer in ("w0", "w250", "w499"):
        words = sentence_holding(text, answer).split()
        assert len(words) == 40
        assert answer in words
        assert " ".join(words) in text


@given(st.text(), st.text(min_size=1), st.text())
@example("(", "a b", ").")
@example("x.\n- ", "-1", " |")
def test_a_sentence_is_verbatim_and_holds_the_answer(before: str, answer: str, after: str):
    text = f"{before} {answer} {after}"
    if sentence := sentence_holding(text, answer):
        assert sentence in " ".join(text.split())
        assert answer_words(answer).find(sentence)


words = st.lists(st.from_regex(r"[\w\"'.,;()\[£%-]{1,8}", fullmatch=True), min_size=1, max_size=8).map(" ".join)


@given(words, words, words)
def test_what_is_taught_is_understood(before: str, answer: str, after: str):
    assume(any(map(str.isalnum, answer)))
    prompt = Prompt((), (passage(f"{before}. {answer} {after}. And so on.", "notice"),))
    target = cited_reference(OPEN, asked(answer), prompt)
    said = understood(target, prompt)
    assert said.text == answer
    if target == write_quote(read_quote(target).quote, 1, answer):
        assert said.citations[0].marked


def test_only_the_tuned_reader_quotes():
    parts = Parts(
        task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=3, quotes=True
    )  # fmt: skip
    arms = ("prompt", "few-shot", "rag", "fine-tuned", "raft")
    assert [build(arm, parts, Scripted()).instructions.quotes for arm in arms] == [False] * 4 + [True]
    for task in ("label", "json"):
        assert not instructions_for(task, reads=True, quotes=True).quotes


def test_only_a_reader_that_is_not_tuned_is_shown_what_reading_looks_like():
    """A tuned arm is asked as it was taught: the illustrations would be tokens that it has learnt to do without."""
    parts = Parts(task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=3)
    shown = {arm: build(arm, parts, Scripted()).instructions.illustrations for arm in SHAPES}
    assert {arm for arm, illustrations in shown.items() if illustrations} == {"rag"}


def test_strategies_that_do_not_quote_are_what_they_were(monkeypatch):
    """A fingerprint from before there were quotes: these alone change no other strategy."""
    monkeypatch.setattr(composed, "LAYOUT", 1)
    strategy = Composed(name="raft", model=Scripted(), instructions=instructions_for("answer", reads=True))
    assert strategy.fingerprint == "4edb15a439a03827"
    assert STRATEGY.fingerprint != strategy.fingerprint
