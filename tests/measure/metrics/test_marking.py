"""What counts as right, wrong, abstained, hallucinated and retrieved."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from weighbridge.measure.metrics.marking import credit, declined, is_wrong, outcome_of, retrieval_of
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
    worth: float | None
    wrong: bool | None
    outcome: str | None


@pytest.mark.parametrize(
    "case",
    [
        Case("answer", ("in Paris",), "Paris", 2 / 3, wrong=False, outcome="right"),
        Case("answer", ("Paris",), "Rome", 0.0, wrong=True, outcome="wrong"),
        Case("answer", ("Paris",), DONT_KNOW, 0.0, wrong=False, outcome="abstained"),
        Case("answer", (), DONT_KNOW, 1.0, wrong=False, outcome="right"),
        Case("answer", (), "Rome", 0.0, wrong=True, outcome="wrong"),
        Case("answer", ("Paris",), " ", 0.0, wrong=False, outcome="wrong"),
        Case("answer", (), "", 0.0, wrong=False, outcome="wrong"),
        Case("answer", ("I don't know how",), DONT_KNOW, 0.0, wrong=False, outcome="abstained"),
        Case("answer", (DONT_KNOW,), DONT_KNOW, 1.0, wrong=False, outcome="right"),
        Case("label", ("i don't know",), DONT_KNOW, 1.0, wrong=False, outcome="right"),
        Case("label", ("spam",), DONT_KNOW, 0.0, wrong=False, outcome="abstained"),
        Case("label", (), DONT_KNOW, 1.0, wrong=False, outcome="right"),
        Case("label", ("spam",), "Spam.", 1.0, wrong=False, outcome="right"),
        Case("label", ("spam",), "ham", 0.0, wrong=True, outcome="wrong"),
        Case("json", ('{"a": 1, "b": 2}',), '{"a": 1, "b": 3}', 0.5, wrong=True, outcome="wrong"),
        Case("json", ('{"a": 1}',), "{'a': 1}", 0.0, wrong=True, outcome="wrong"),
        Case("json", ('{"a": 1}',), '{"a": 1.0}', 1.0, wrong=False, outcome="right"),
        Case("json", ("not json",), "{}", None, wrong=None, outcome=None),
    ],
)
def test_the_table(answered: Make, example: MakeExample, case: Case):
    asked, given = example(*case.references), answered(case.text, abstained=case.text == DONT_KNOW)
    worth = credit(case.task, asked, given)
    assert worth == (None if case.worth is None else pytest.approx(case.worth))
    assert is_wrong(case.task, asked, given) is case.wrong
    assert outcome_of(case.task, asked, given) == case.outcome


def test_a_reference_that_sounds_like_an_abstention_is_an_answer(answered: Make, example: MakeExample):
    said = answered("Not specified in the lease", abstained=True)
    asked = example("not specified in the lease")
    assert credit("answer", asked, said) == 1.0
    assert outcome_of("answer", asked, said) == "right"
    assert not declined("answer", asked, said)
    for other in (example("14 days"), example(), Example(id="e", question=Question("?"), answers=())):
        assert declined("answer", other, said)


def test_an_answerable_example_without_references_cannot_be_marked(answered: Make):
    broken = Example(id="e", question=Question("?"), answers=())
    assert credit("answer", broken, answered("x")) is None
    assert outcome_of("answer", broken, answered("x")) is None


def test_retrieval_wants_all_of_the_evidence(answered: Make, example: MakeExample):
    asked = example("x", evidence=("a", "b"))
    assert retrieval_of(asked, answered("x", documents=("b", "c", "a")), reads=True) == "retrieved"
    assert retrieval_of(asked, answered("x", documents=("a", "a")), reads=True) == "missed"
    assert retrieval_of(asked, answered("x"), reads=True) == "missed"
    assert retrieval_of(asked, answered("x"), reads=False) == "none"
    assert retrieval_of(example("x"), answered("x", documents=("a",)), reads=True) == "none"
