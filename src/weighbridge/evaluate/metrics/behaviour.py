"""Metrics for every task: accuracy, hallucination, abstentions, passages read and citations made."""

from dataclasses import dataclass

from weighbridge.evaluate.metrics.marking import evidence_found, grade_answer, has_abstained, is_wrong
from weighbridge.results import Score
from weighbridge.types import Answer, Example, Task

NO_REFERENCE = "the example has no reference that this task can compare with"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """1 for an answer that is right, by its content; an unanswerable question is right when abstained on."""

    task: Task
    labels: tuple[str, ...] = ()
    """All labels of a label task, so that a sentence can be seen to name another one."""
    name: str = "accuracy"

    def score(self, example: Example, answer: Answer) -> Score:
        grade = grade_answer(self.task, example, answer, self.labels)
        if grade.mark == "unscored":
            return Score(self.name, None, NO_REFERENCE)
        return Score(self.name, float(grade.mark == "right"), grade.reason)


@dataclass(frozen=True, slots=True)
class Hallucination:
    """1 for an answer that asserts something wrong, as `marking.is_wrong` defines it; 0 for any other."""

    task: Task
    labels: tuple[str, ...] = ()
    name: str = "hallucination"

    def score(self, example: Example, answer: Answer) -> Score:
        wrong = is_wrong(self.task, example, answer, self.labels)
        return Score(self.name, None, NO_REFERENCE) if wrong is None else Score(self.name, float(wrong))


@dataclass(frozen=True, slots=True)
class NeedlessAbstention:
    """1 for an abstention on an answerable question."""

    task: Task
    name: str = "needless_abstention"

    def score(self, example: Example, answer: Answer) -> Score:
        if not example.answerable:
            return Score(self.name, None, "the question cannot be answered")
        return Score(self.name, float(has_abstained(self.task, example, answer)))


@dataclass(frozen=True, slots=True)
class MissedAbstention:
    """1 for anything but an abstention on a question that cannot be answered."""

    name: str = "missed_abstention"

    def score(self, example: Example, answer: Answer) -> Score:
        if example.answerable:
            return Score(self.name, None, "the question can be answered")
        return Score(self.name, float(not answer.abstained))


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the evidence documents among the passages; a search with no hits has recall 0.

    That a strategy reads is given, not guessed from its passages.
    """

    reads: bool
    name: str = "recall"

    def score(self, example: Example, answer: Answer) -> Score:
        if not self.reads:
            return Score(self.name, None, "this strategy reads no documents")
        if not example.evidence:
            return Score(self.name, None, "the example names no evidence")
        return Score(self.name, evidence_found(example, answer))


@dataclass(frozen=True, slots=True)
class CitationMade:
    """1 for an asserted answer with a verbatim citation, marked or not. For strategies that read, on answer tasks."""

    name: str = "citation"

    def score(self, example: Example, answer: Answer) -> Score:
        if has_abstained("answer", example, answer) or not answer.text.strip():
            return Score(self.name, None, "the answer asserts nothing")
        return Score(self.name, float(bool(answer.citations)))


@dataclass(frozen=True, slots=True)
class Truncated:
    """1 for an answer that the length limit cut, whatever it says; 0 for one that ended by itself."""

    name: str = "truncated"

    def score(self, example: Example, answer: Answer) -> Score:
        return Score(self.name, float(answer.finish == "length"))
