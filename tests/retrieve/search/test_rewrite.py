"""A question is searched for in other words, and the rankings are fused."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from weighbridge.protocols import Emit, ignore
from weighbridge.retrieve.search.fusion import fuse
from weighbridge.retrieve.search.rewrite import Expansion, Hypothetical, Rewritten, SubQuestions
from weighbridge.types import Chunk, Completion, Message, Passage, Question, Usage

TEXTS = ("ferry fares in winter", "winter ferry timetable", "ferry crossing, winter rules", "salary")


@dataclass(frozen=True)
class ByWords:
    """A retriever that counts shared words, and notes what it was asked."""

    fingerprint: str = "by words"
    asked: list[str] = field(default_factory=list)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        self.asked.append(question.text)
        words = set(question.text.split())
        scored = [(len(words & set(text.replace(",", "").split())), text) for text in TEXTS]
        found = [Passage(Chunk(id=text, document_id=text, text=text, start=0, end=1), n) for n, text in scored if n]
        return sorted(found, key=lambda passage: (-passage.score, passage.chunk.id))[:limit]


@dataclass(frozen=True)
class Says:
    """A model that says one thing."""

    said: str
    name: str = "says"
    fingerprint: str = "says"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        return Completion(text=self.said, usage=Usage())


def test_expansion_adds_what_the_best_passages_share() -> None:
    assert Expansion(retriever=ByWords()).others(Question("ferry")) == ["ferry winter"]
    assert Expansion(retriever=ByWords()).others(Question("unheard of")) == []


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (
            "1. What is the fare?\n2) When does it sail?\n- What is the fare?\n\n",
            ["What is the fare?", "When does it sail?"],
        ),
        ("HOW MUCH?", []),
        ("", []),
        ("a\nb\nc\nd", ["a", "b", "c"]),
        ("x" * 900, ["x" * 400]),
        ("<think>Which fare?\nA day's?</think>\nWhat is the fare?", ["What is the fare?"]),
    ],
)
def test_sub_questions_are_the_lines_of_the_model(said: str, asked: list[str]) -> None:
    assert list(SubQuestions(model=Says(said)).others(Question("How much?"))) == asked


def test_a_hypothetical_answer_is_searched_for_with_the_question() -> None:
    assert Hypothetical(model=Says(" It is\n ten. ")).others(Question("Fare?")) == ["Fare? It is ten."]
    assert Hypothetical(model=Says("  ")).others(Question("Fare?")) == []
    assert Hypothetical(model=Says("<think>Five?</think>Ten.")).others(Question("Fare?")) == ["Fare? Ten."]


def test_rankings_of_all_wordings_are_fused() -> None:
    found = ByWords()
    rewritten = Rewritten(retriever=found, rewriter=SubQuestions(model=Says("salary")))
    passages = rewritten.search(Question("ferry"), limit=4)
    assert found.asked == ["ferry", "salary"]
    alone = [ByWords().search(Question(text), limit=30) for text in ("ferry", "salary")]
    assert list(passages) == fuse(alone)[:4]


def test_without_other_wordings_it_is_the_search_itself() -> None:
    found = ByWords()
    passages = Rewritten(retriever=found, rewriter=SubQuestions(model=Says(""))).search(Question("ferry"), limit=2)
    assert passages == ByWords().search(Question("ferry"), limit=2)
    assert Rewritten(retriever=found, rewriter=SubQuestions(model=Says("a"))).search(Question(" "), limit=2) == ()
