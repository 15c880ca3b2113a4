"""Each filter drops what it is named for, and leaves the rest."""

from collections.abc import Sequence

import pytest

from weighbridge.adapters import Span
from weighbridge.dataset.synthesise.filters import (
    drop_ambiguous,
    drop_orphans,
    drop_repeated,
    drop_unfindable,
    drop_unfitting_answers,
    drop_ungrounded,
    is_grounded,
    make_form_filters,
)
from weighbridge.dataset.synthesise.nouns import OWN, Filter, SyntheticExample, apply_filters
from weighbridge.types import Chunk, Passage

TEXT = "The desk opens at\n07:30 on weekdays. The fee is £5."


def one(
    question: str, answer: str = "07:30", *, made_by: str = "rule: when", family: str = "", id_: str = ""
) -> SyntheticExample:
    return SyntheticExample(
        id=id_ or question, question=question, answers=(answer,) if answer else (), spans=(Span("desk", 0, len(TEXT)),),
        made_by=made_by, family=family or id_ or question, answerable=bool(answer),
    )  # fmt: skip


def dropped(made: Sequence[SyntheticExample], filters: Sequence[Filter]) -> dict[str, int]:
    return {lost.reason: lost.count for lost in apply_filters(made, filters).attrition.dropped if lost.count}


GOOD = "When does the desk open on weekdays?"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (one("When opens?"), "question is too short or too long"),
        (one("When " + "very " * 40 + "early?"), "question is too short or too long"),
        (one("When does this section say so?"), "question does not stand on its own"),
        (one("What is mentioned in the passage?"), "question does not stand on its own"),
        (one("When does it open on weekdays?"), "question does not stand on its own"),
        (one("What is his opening hour?"), "question does not stand on its own"),
        (one("What is described above?"), "question does not stand on its own"),
        (one(GOOD, "word " * 13), "answer is too long"),
        (one("Does the desk open at 07:30?"), "question gives its answer away"),
        (one(GOOD, "..."), "question gives its answer away"),
    ],
)
def test_what_reads_badly_is_dropped(made, reason):
    assert dropped([made, one(GOOD)], make_form_filters()) == {reason: 1}


@pytest.mark.parametrize(
    "question",
    [
        GOOD, "How long does it take to reach the desk?", "May staff of the desk bring their dogs?",
        "Who runs the IT help desk?", "How much did the desk earn this year?",
    ],
)  # fmt: skip
def test_what_reads_well_is_kept(question):
    assert dropped([one(question)], make_form_filters()) == {}


def test_answers_must_have_the_form_of_the_task():
    own = one("when is it open", "billing", made_by=f"model: {OWN}t-1")
    absent = one("Who is it that opens the desk?", "")
    absent_own = one("when", "", made_by=f"model: {OWN}t-2")
    made = [own, one(GOOD), absent, absent_own]
    assert dropped(made, make_form_filters(lambda answer: answer == "billing")) == {
        "answer is not what this task wants": 2
    }


@pytest.mark.parametrize(
    ("answer", "stands"),
    [("07:30", True), ("opens at 07:30", True), ("£5", True), ("7:3", False), ("07:31", False), ("THE FEE", True)],
)
def test_an_answer_must_stand_in_its_span_as_whole_words(answer, stands):
    assert is_grounded(one(GOOD, answer), {"desk": TEXT}) is stands
    assert not is_grounded(one(GOOD, answer), {})


def test_an_answer_outside_its_span_is_not_grounded():
    made = one(GOOD, "£5")
    cut = SyntheticExample(**{name: getattr(made, name) for name in made.__slots__} | {"spans": (Span("desk", 0, 20),)})
    assert dropped([cut, made], [drop_ungrounded({"desk": TEXT})]) == {"answer does not stand in its span": 1}


def test_the_same_question_is_kept_once_and_not_at_all_where_its_answers_differ():
    same = [one(GOOD, id_="1"), one("when does the DESK open on weekdays", id_="2")]
    assert dropped(same, [drop_repeated(), drop_ambiguous()]) == {"asked before, word for word": 1}
    differing = [one(GOOD, id_="1"), one(GOOD, "£5", id_="2"), one("How much is the fee?", "£5")]
    assert dropped(differing, [drop_repeated(), drop_ambiguous()]) == {"has other answers elsewhere": 2}


def test_the_search_must_find_the_place():
    def passage(document_id: str, start: int, end: int) -> Passage:
        return Passage(Chunk(id="c", document_id=document_id, text="", start=start, end=end), 1.0)

    found = {
        GOOD: [passage("desk", 40, 90)],
        "Where is the desk then?": [passage("desk", 60, 90), passage("other", 0, 60)],
    }
    made = [one(GOOD), one("Where is the desk then?"), one("Who is the absent one?", "")]
    assert dropped(made, [drop_unfindable(lambda text: found.get(text, ()))]) == {"search does not find its passage": 1}


def test_wordings_go_with_their_question():
    made = [one("b", family="a"), one("c", id_="c"), one("d", family="c"), one("e", family="hb-1")]
    assert dropped(made, [drop_orphans({"hb-1"})]) == {"rewords a question that was dropped": 1}


def asked_of_a_model(question: str, answer: str) -> SyntheticExample:
    return one(question, answer, made_by="model: question")


@pytest.mark.parametrize(
    ("question", "answer", "fits"),
    [
        ("When does the desk open?", "07:30", True), ("How does the desk open?", "07:30", False),
        ("Who opens the desk?", "opens", False), ("How much is the fee?", "£5", True),
        ("How much is the fee?", "desk", False),
        ("How much does a desk on weekdays cost?", "£5", False), ("Where does the desk open?", "07", False),
        ("Why does the desk open?", "at 07:30 on weekdays", False),
    ],
)  # fmt: skip
def test_a_models_answer_must_go_with_its_question(question, answer, fits):
    texts = {"desk": TEXT}
    assert (not drop_unfitting_answers(texts).positions([asked_of_a_model(question, answer)])) is fits
    assert not drop_unfitting_answers(texts).positions([one(question, answer)])


def test_a_label_is_no_quote_and_need_not_go_with_its_message() -> None:
    reworded = one("How much is this fee of yours?", "billing", made_by=f"model: {OWN}t-1")
    assert not drop_unfitting_answers({"desk": TEXT}).positions([reworded])
