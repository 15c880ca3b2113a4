"""Marks an attempt: right, wrong or abstained, with or without a wrong assertion, and with or without its evidence.

One grade decides accuracy, hallucination, outcome, rewards and pairs for preference training: see `scoring.grade`.
"""

from weighbridge.results import Outcome, Retrieval
from weighbridge.scoring.grade import ExampleKind, Grade, grade, is_reference
from weighbridge.types import Answer, Example, Task


def grade_answer(task: Task, example: Example, answer: Answer, labels: tuple[str, ...] = ()) -> Grade:
    """Grade an answer to an example; `labels` are all labels of a label task, where they are known."""
    return grade(
        example.question.text,
        example.answers,
        answer.text,
        task=task,
        example=ExampleKind(example.answerable, labels),
        abstained=answer.abstained,
    )


def has_abstained(task: Task, example: Example, answer: Answer) -> bool:
    """Tell whether an answer declines to answer. One that is a reference of an answerable example does not."""
    return answer.abstained and not (example.answerable and is_reference(answer.text, example.answers, task))


def is_wrong(task: Task, example: Example, answer: Answer, labels: tuple[str, ...] = ()) -> bool | None:
    """Tell whether an answer asserts something wrong; an empty one does not. None where it cannot be told."""
    if not answer.text.strip():
        return False
    mark = grade_answer(task, example, answer, labels).mark
    return None if mark == "unscored" else mark == "wrong"


def outcome_of(task: Task, example: Example, answer: Answer, labels: tuple[str, ...] = ()) -> Outcome | None:
    """Return how an attempt ended; None where it cannot be told.

    An abstention on an unanswerable question is "right"; "abstained" is one that was not called for.
    """
    mark = grade_answer(task, example, answer, labels).mark
    return None if mark == "unscored" else mark


def retrieval_of(example: Example, answer: Answer, *, reads: bool) -> Retrieval:
    """Return whether all of the evidence was among the passages; "none" for a strategy that reads no documents.

    A search with no hits has missed: that a strategy reads is given, not guessed from its passages.
    """
    if not reads or not example.evidence:
        return "none"
    return "retrieved" if evidence_found(example, answer) == 1 else "missed"


def evidence_found(example: Example, answer: Answer) -> float:
    """Return the share of an example's evidence documents among an answer's passages. Needs some evidence.

    A document counts where a copy of its passage was shown in its place.
    """
    read = {name for passage in answer.prompt.passages for name in passage.documents}
    wanted = set(example.evidence)
    return len(wanted & read) / len(wanted)
