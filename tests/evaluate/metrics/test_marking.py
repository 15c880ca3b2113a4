"""What counts as right, wrong, abstained, hallucinated and retrieved."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.evaluate.metrics.marking import has_abstained, is_wrong, outcome_of, retrieval_of
from weighbridge.types import Answer, Example, Question, Task

Make = Callable[..., Answer]
MakeExample = Callable[..., Example]


DONT_KNOW = "I don't know."


@dataclass(frozen=True)
class Case:
    """An answer to an example of a task, and what is to be said of it."""

    task: Task
    references: tuple[str, ...]
    text: str
    right: bool | None
    wrong: bool | None
    outcome: str | None


@pytest.mark.parametrize(
    "case",
    [
        Case("answer", ("in Paris",), "Paris", right=True, wrong=False, outcome="right"),
        Case("answer", ("Paris",), "Rome", right=False, wrong=True, outcome="wrong"),
        Case("answer", ("Paris",), DONT_KNOW, right=False, wrong=False, outcome="abstained"),
        Case("answer", (), DONT_KNOW, right=True, wrong=False, outcome="right"),
        Case("answer", (), "Rome", right=False, wrong=True, outcome="wrong"),
        Case("answer", ("Paris",), " ", right=False, wrong=False, outcome="wrong"),
        Case("answer", (), "", right=False, wrong=False, outcome="wrong"),
        Case("answer", ("I don't know how",), DONT_KNOW, right=False, wrong=False, outcome="abstained"),
        Case("answer", (DONT_KNOW,), DONT_KNOW, right=True, wrong=False, outcome="right"),
        Case("label", ("i don't know",), DONT_KNOW, right=True, wrong=False, outcome="right"),
        Case("label", ("spam",), DONT_KNOW, right=False, wrong=False, outcome="abstained"),
        Case("label", (), DONT_KNOW, right=True, wrong=False, outcome="right"),
        Case("label", ("spam",), "Spam.", right=True, wrong=False, outcome="right"),
        Case("label", ("spam",), "ham", right=False, wrong=True, outcome="wrong"),
        Case("json", ('{"a": 1, "b": 2}',), '{"a": 1, "b": 3}', right=False, wrong=True, outcome="wrong"),
        Case("json", ('{"a": 1}',), "{'a': 1}", right=False, wrong=True, outcome="wrong"),
        Case("json", ('{"a": 1}',), '{"a": 1.0}', right=True, wrong=False, outcome="right"),
        Case("json", ("not json",), "{}", right=None, wrong=None, outcome=None),
    ],
)
def test_the_table(answered: Make, example: MakeExample, case: Case):
    asked, given = example(*case.references), answered(case.text, abstained=case.text == DONT_KNOW)
    assert Accuracy(case.task).score(asked, given).value == case.right
    assert is_wrong(case.task, asked, given) is case.wrong
    assert outcome_of(case.task, asked, given) == case.outcome


def test_a_reference_that_sounds_like_an_abstention_is_an_answer(answered: Make, example: MakeExample):
    said = answered("Not specified in the lease", abstained=True)
    asked = example("not specified in the lease")
    assert Accuracy("answer").score(asked, said).value == 1.0
    assert outcome_of("answer", asked, said) == "right"
    assert not has_abstained("answer", asked, said)
    for other in (example("14 days"), example(), Example(id="e", question=Question("?"), answers=())):
        assert has_abstained("answer", other, said)


def test_an_answerable_example_without_references_cannot_be_marked(answered: Make):
    broken = Example(id="e", question=Question("?"), answers=())
    assert Accuracy("answer").score(broken, answered("x")).value is None
    assert outcome_of("answer", broken, answered("x")) is None


def test_accuracy_says_why(answered: Make, example: MakeExample):
    score = Accuracy("answer").score(example("12 crowns"), answered("It costs 15 crowns."))
    assert score.value == 0.0
    assert "15" in score.reason
    assert "12" in score.reason


def test_retrieval_wants_all_of_the_evidence(answered: Make, example: MakeExample):
    asked = example("x", evidence=("a", "b"))
    assert retrieval_of(asked, answered("x", documents=("b", "c", "a")), reads=True) == "retrieved"
    assert retrieval_of(asked, answered("x", documents=("a", "a")), reads=True) == "missed"
    assert retrieval_of(asked, answered("x"), reads=True) == "missed"
    assert retrieval_of(asked, answered("x"), reads=False) == "none"
    assert retrieval_of(example("x"), answered("x", documents=("a",)), reads=True) == "none"


def test_evidence_is_found_where_a_copy_of_it_is_shown(answered: Make, example: MakeExample):
    given = answered("x", documents=("a",))
    passages = tuple(replace(passage, copies=("b",)) for passage in given.prompt.passages)
    given = replace(given, prompt=replace(given.prompt, passages=passages))
    assert retrieval_of(example("x", evidence=("a", "b")), given, reads=True) == "retrieved"
    assert retrieval_of(example("x", evidence=("a", "c")), given, reads=True) == "missed"


def test_an_unanswerable_example_has_no_answer_that_could_be_right(answered: Make):
    asked = Example(id="e", question=Question("?"), answers=("not stated",), answerable=False)
    said = answered("Not stated.", abstained=True)
    assert has_abstained("answer", asked, said)
    assert outcome_of("answer", asked, said) == "right"
    assert outcome_of("answer", asked, answered("not stated")) == "wrong"
    assert is_wrong("answer", asked, answered("not stated")) is True
