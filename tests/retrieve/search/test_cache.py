"""What is remembered of searches."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from weighbridge.retrieve.search.cache import CachedRetriever
from weighbridge.types import Chunk, Passage, Question


def passage(id_: str) -> Passage:
    return Passage(Chunk(id=id_, document_id=id_, text=id_, start=0, end=1), 1.0)


@dataclass(frozen=True, slots=True)
class Counting:
    """A retriever that answers with the asker's groups and notes what it was asked."""

    fingerprint: str = "counting"
    asked: list[Question] = field(default_factory=list)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        self.asked.append(question)
        return [passage(group) for group in sorted(question.groups)][:limit]


def test_remembers_a_question_but_never_for_other_groups() -> None:
    counting = Counting()
    remembered = CachedRetriever(counting, size=2)
    staff, board = Question("q", groups=frozenset({"staff"})), Question("q", groups=frozenset({"board"}))
    for question in (staff, board, staff, board):
        assert {p.chunk.id for p in remembered.search(question, limit=3)} == question.groups
    assert counting.asked == [staff, board]
    assert remembered.search(staff, limit=0) == ()
    assert remembered.search(board, limit=3)
    remembered.search(staff, limit=3)
    assert counting.asked == [staff, board, staff, staff], "the least recently used of three was dropped"
    assert remembered.fingerprint == "counting"


def test_remembering_holds_under_threads() -> None:
    remembered = CachedRetriever(Counting(), size=3)
    questions = [Question(str(i % 7), groups=frozenset({f"g{i % 7}"})) for i in range(500)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda question: remembered.search(question, limit=1), questions))
    assert all(passages[0].chunk.id in question.groups for passages, question in zip(found, questions, strict=True))
