"""Makers of examples, answers and strategies for the tests of measuring."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.types import Answer, Chunk, Citation, Example, Passage, Prompt, Question, Timing, Usage

Make = Callable[..., Answer]
MakeExample = Callable[..., Example]


def make_answer(
    text: str, *, abstained: bool = False, documents: tuple[str, ...] = (), cited: bool = False, total: float = 1.0
) -> Answer:
    """An answer from passages of the given documents."""
    passages = tuple(
        Passage(Chunk(id=f"{name}#0", document_id=name, text=f"about {name}", start=0, end=6 + len(name)), 1.0)
        for name in documents
    )
    citation = Citation(chunk_id="d#0", document_id="d", quote=text, start=0, end=len(text), marked=True)
    return Answer(
        text=text,
        raw=text,
        prompt=Prompt((), passages),
        abstained=abstained,
        citations=(citation,) if cited else (),
        usage=Usage(input_tokens=10, output_tokens=len(text.split())),
        timing=Timing(first_token=total / 2, total=total),
    )


def make_example(
    *answers: str, name: str = "e", evidence: tuple[str, ...] = (), groups: frozenset[str] = frozenset()
) -> Example:
    """An example; one without answers cannot be answered."""
    question = Question(f"question {name}?", groups=groups)
    return Example(id=name, question=question, answers=answers, evidence=evidence, answerable=bool(answers))


@dataclass(frozen=True, kw_only=True)
class Told:
    """A strategy that is told its answers, as a user's own callable would be: it gives, or raises, what `say` says."""

    say: Callable[[Question], Answer]
    name: str = "told"
    version: int = 1
    asked: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.name, self.version)

    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer:
        self.asked.append(question.text)
        answer = self.say(question)
        for word in answer.text.split():
            emit(word)
        return answer


@pytest.fixture
def answered() -> Make:
    return make_answer


@pytest.fixture
def example() -> MakeExample:
    return make_example


@pytest.fixture
def told() -> type[Told]:
    return Told
