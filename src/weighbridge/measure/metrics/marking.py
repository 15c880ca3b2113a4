"""What counts as right, per task: the one table that every metric and outcome goes by.

Text, label and JSON answers are compared by `text` and `structure`. On top of that stand three rules for all tasks:

- an abstention is right where the question cannot be answered, and else worth nothing; a text that is an accepted
  reference is no abstention, whatever its words ("Not specified in the lease", "unknown");
- an empty answer asserts nothing, but is no abstention: it is worth nothing, its outcome is "wrong", and it is not
  a hallucination;
- invalid JSON is an answer, and a wrong one: it scores 0, it is not a failure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from weighbridge.measure.metrics.structure import same_fields, share_of_fields
from weighbridge.measure.metrics.text import by_value, contradicts, exact_match, same_label, token_f1
from weighbridge.results import Outcome, Retrieval
from weighbridge.types import Answer, Example, Task

WRONG_BELOW = 0.5
"""Token F1 under which a text that equals no reference counts as wrong, whatever its numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """How answers of one task are compared with an example's references."""

    primary: str
    """The primary metric, by a name of `results.FIGURES`; for labels it is plain accuracy."""
    credit: Callable[[str, Sequence[str]], float | None]
    """0 to 1; None where no reference can be compared with."""
    agrees: Callable[[str, Sequence[str]], bool | None]
    """Whether an answer is right rather than wrong; None where no reference can be compared with."""
    equals: Callable[[str, Sequence[str]], bool | None]
    """Whether an answer is a reference, word for word; None where no reference can be compared with."""


def _text_agrees(text: str, references: Sequence[str]) -> bool:
    """Tell whether a text is close to a reference and does not contradict it: "12 weeks" is not nearly "5 weeks".

    Numbers are compared by their values, so "08:00" is "8:00" here, where token F1 sees two different words.
    """
    near = (one for one in references if token_f1(by_value(text), [by_value(one)]) >= WRONG_BELOW)
    return exact_match(text, references) or any(not contradicts(text, reference) for reference in near)


MARKINGS: Mapping[Task, Marking] = {
    "answer": Marking(primary="token_f1", credit=token_f1, agrees=_text_agrees, equals=exact_match),
    "label": Marking(primary="accuracy", credit=same_label, agrees=same_label, equals=same_label),
    "json": Marking(primary="json_fields", credit=share_of_fields, agrees=same_fields, equals=same_fields),
}


def declined(task: Task, example: Example, answer: Answer) -> bool:
    """Tell whether an answer declines to answer. One that is a reference of an answerable example does not."""
    accepted = example.answers if example.answerable else ()
    return answer.abstained and not (accepted and MARKINGS[task].equals(answer.text, accepted))


def credit(task: Task, example: Example, answer: Answer) -> float | None:
    """Return what an answer is worth by the task's primary metric, 0 to 1; None where it cannot be told."""
    if not example.answerable:
        return float(answer.abstained)
    if not example.answers:
        return None
    value = MARKINGS[task].credit(answer.text, example.answers)
    nothing = declined(task, example, answer) or not answer.text.strip()
    return None if value is None else 0.0 if nothing else float(value)


def is_wrong(task: Task, example: Example, answer: Answer) -> bool | None:
    """Tell whether an answer asserts something wrong; None where it cannot be told.

    Wrong is any assertion on an unanswerable question; a text that equals no reference and has, with each, a token F1
    below `WRONG_BELOW` or numbers that contradict it; a label that is not an accepted one; JSON that is invalid or of
    which any field differs, is missing or is extra.
    """
    if declined(task, example, answer) or not answer.text.strip():
        return False
    if not example.answerable:
        return True
    agrees = MARKINGS[task].agrees(answer.text, example.answers) if example.answers else None
    return None if agrees is None else not agrees


def outcome_of(task: Task, example: Example, answer: Answer) -> Outcome | None:
    """Return how an attempt ended; None where it cannot be told.

    An abstention on an unanswerable question is "right"; "abstained" is one that was not called for.
    """
    if declined(task, example, answer):
        return "abstained" if example.answerable else "right"
    if not answer.text.strip():
        return "wrong"
    wrong = is_wrong(task, example, answer)
    return None if wrong is None else "wrong" if wrong else "right"


def retrieval_of(example: Example, answer: Answer, *, reads: bool) -> Retrieval:
    """Return whether all of the evidence was among the passages; "none" for a strategy that reads no documents.

    A search with no hits has missed: that a strategy reads is given, not guessed from its passages.
    """
    if not reads or not example.evidence:
        return "none"
    return "retrieved" if evidence_found(example, answer) == 1 else "missed"


def evidence_found(example: Example, answer: Answer) -> float:
    """Return the share of an example's evidence documents among an answer's passages. Needs some evidence."""
    read = {passage.chunk.document_id for passage in answer.prompt.passages}
    wanted = set(example.evidence)
    return len(wanted & read) / len(wanted)
