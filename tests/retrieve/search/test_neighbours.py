"""Retrievers that choose among passages, or add what stands around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from weighbridge.protocols import Changes, Index
from weighbridge.retrieve.search.mmr import Diverse
from weighbridge.retrieve.search.neighbours import Surrounded, WholeSections
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.types import Chunk, Passage, Question

STAFF = frozenset({"staff"})
SECTIONS = ("A", "A", "B", "B", "B", "C")
CHUNKS = [
    Chunk(
        id=f"d#{i}",
        document_id="d",
        text=f"part {i}",
        start=10 * i,
        end=10 * i + 6,
        context=(section, "| a table of B | goes on |") if i == 4 else (section,),
        groups=STAFF if i == 3 else frozenset(),
    )
    for i, section in enumerate(SECTIONS)
]
TURNS = np.array([0.0, 0.01, 0.02, 1.0, 1.5, 0.03])


@dataclass(frozen=True)
class Fixed:
    """A retriever that always finds the same, best first."""

    found: tuple[int, ...]
    fingerprint: str = "fixed"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        return [Passage(CHUNKS[i], 1 - rank / 10) for rank, i in enumerate(self.found)][:limit]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    opened = FaissStore(tmp_path_factory.mktemp("around")).open("index", dimensions=2)
    vectors = np.stack([np.cos(TURNS), np.sin(TURNS)], axis=1).astype(np.float32)
    opened.apply(Changes(added=CHUNKS, vectors=vectors))
    return opened


def ids(passages: Sequence[Passage]) -> list[int]:
    return [int(passage.chunk.id.removeprefix("d#")) for passage in passages]


def test_neighbours_stand_around_each_passage_once(index: Index) -> None:
    around = Surrounded(retriever=Fixed((2, 1)), index=index, around=1)
    assert ids(around.search(Question("q", groups=STAFF), limit=2)) == [1, 2, 3, 0]
    assert ids(around.search(Question("q"), limit=1)) == [1, 2, 4], "what may not be read is no neighbour"
    assert ids(around.search(Question("q"), limit=0)) == []


def test_a_passage_that_is_gone_stands_alone(tmp_path: Path) -> None:
    empty = FaissStore(tmp_path).open("empty", dimensions=2)
    assert ids(Surrounded(retriever=Fixed((2,)), index=empty).search(Question("q"), limit=1)) == [2]
    assert ids(WholeSections(retriever=Fixed((2,)), index=empty).search(Question("q"), limit=1)) == [2]


def test_a_section_is_all_under_the_same_headings(index: Index) -> None:
    whole = WholeSections(retriever=Fixed((4, 0)), index=index)
    assert ids(whole.search(Question("q", groups=STAFF), limit=2)) == [2, 3, 4, 0, 1]
    assert ids(whole.search(Question("q"), limit=2)) == [2, 4, 0, 1]


def test_diversity_prefers_what_is_unlike(index: Index) -> None:
    found = Fixed((0, 1, 2, 5, 4))
    question = Question("q")
    assert ids(Diverse(retriever=found, index=index, diversity=0).search(question, limit=5)) == [0, 1, 2, 5, 4]
    assert ids(Diverse(retriever=found, index=index, diversity=0.6).search(question, limit=2)) == [0, 4]
    assert sorted(ids(Diverse(retriever=found, index=index, diversity=0.6).search(question, limit=9))) == [
        0,
        1,
        2,
        4,
        5,
    ]
    assert Diverse(retriever=Fixed(()), index=index).search(question, limit=3) == ()


def test_diversity_1_never_takes_the_more_alike_of_two_first(index: Index) -> None:
    taken = ids(Diverse(retriever=Fixed((0, 1, 2, 5, 4)), index=index, diversity=1).search(Question("q"), limit=5))
    likeness = [max(np.cos(TURNS[i] - TURNS[j]) for j in taken[:place]) for place, i in enumerate(taken) if place]
    assert all(one <= other + 1e-6 for one, other in pairwise(likeness))


def test_diversity_goes_by_the_most_alike_of_those_taken(index: Index) -> None:
    """The third is just like one of two taken and unlike the other; the fourth is half like both."""
    found = Fixed((0, 4, 1, 3))
    taken = ids(Diverse(retriever=found, index=index, diversity=0.9).search(Question("q", groups=STAFF), limit=3))
    assert taken == [0, 4, 3]


def test_where_a_passage_was_changed_since_the_order_found_is_kept(index: Index) -> None:
    @dataclass(frozen=True)
    class Stale:
        fingerprint: str = "stale"

        def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
            gone = Passage(Chunk(id="gone", document_id="d", text="was here", start=0, end=8), 0.95)
            return [*Fixed((0, 1)).search(question, limit=2), gone, *Fixed((5, 4)).search(question, limit=2)][:limit]

    found = Diverse(retriever=Stale(), index=index, diversity=0.9).search(Question("q"), limit=3)
    assert [passage.chunk.id for passage in found] == ["d#0", "d#1", "gone"]


@dataclass(frozen=True)
class Copied(Fixed):
    """A retriever whose passages stand in other documents too."""

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        found = super().search(question, limit=limit)
        return [Passage(each.chunk, each.score, (f"copy of {each.chunk.id}",)) for each in found]


def test_what_is_around_a_passage_keeps_its_copies_and_has_none_of_them(index: Index) -> None:
    for around in (
        Surrounded(retriever=Copied((1, 4)), index=index, around=1),
        WholeSections(retriever=Copied((1, 4)), index=index),
    ):
        copies = {each.chunk.id: each.copies for each in around.search(Question("q", groups=STAFF), limit=2)}
        assert len(copies) > 2
        assert {name: own for name, own in copies.items() if own} == {
            name: (f"copy of {name}",) for name in ("d#1", "d#4")
        }
