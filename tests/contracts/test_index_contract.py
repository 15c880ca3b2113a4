"""What every `Index` owes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.protocols import Changes, Index
from weighbridge.retrieve.stores.lance import open_lance
from weighbridge.types import PUBLIC, Chunk

DIMENSIONS = 4
Open = Callable[[], Index]

HARBOUR = Chunk(id="h#0", document_id="h", title="Harbour", text="The harbour opens at six.", start=0, end=25)
BOATS = Chunk(id="b#0", document_id="b", text="Running boats cost 42 crowns.", start=3, end=32)
SECRET = Chunk(id="s#0", document_id="s", text="The vault code is 42.", start=0, end=21, groups=frozenset({"board"}))
QUOTED = Chunk(id="q#0", document_id="q'x", text="Quoted text", start=0, end=11, groups=frozenset({"o'x", "a\\b"}))
CHUNKS = [HARBOUR, BOATS, SECRET, QUOTED]
VECTORS = np.eye(4, DIMENSIONS, dtype=np.float32)


@pytest.fixture(params=["lance"])
def open_here(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same index each time it is called."""
    opened: dict[str, Open] = {"lance": lambda: open_lance(tmp_path / "index", dimensions=DIMENSIONS)}
    return opened[request.param]


@pytest.fixture
def index(open_here: Open) -> Index:
    index = open_here()
    index.apply(Changes(added=CHUNKS, vectors=VECTORS))
    return index


def found(index: Index, text: str, groups: frozenset[str] = PUBLIC) -> list[Chunk]:
    return [passage.chunk for passage in index.matching(text, limit=10, groups=groups)]


def near(index: Index, vector: NDArray[np.float32], groups: frozenset[str] = PUBLIC) -> list[Chunk]:
    return [passage.chunk for passage in index.nearest(vector, limit=10, groups=groups)]


def test_a_new_index_is_empty_and_can_be_searched(open_here: Open) -> None:
    index = open_here()
    assert index.count() == 0
    assert found(index, "harbour") == []
    assert near(index, VECTORS[0]) == []


def test_gives_back_chunks_as_they_were(index: Index) -> None:
    assert found(index, "opens") == [HARBOUR]
    assert near(index, VECTORS[1])[0] == BOATS
    assert found(index, "vault", frozenset({"board", "staff"})) == [SECRET]


def test_what_was_applied_is_there_after_opening_again(index: Index, open_here: Open) -> None:
    again = open_here()
    assert (again.version, again.count()) == (index.version, 4)
    assert found(again, "opens") == [HARBOUR]


def test_nearest_scores_by_dot_product_best_first(index: Index) -> None:
    vector = np.array([0.6, 0.8, 0, 0], np.float32)
    passages = index.nearest(vector, limit=10, groups=PUBLIC)
    assert [passage.chunk for passage in passages] == [BOATS, HARBOUR]
    assert [passage.score for passage in passages] == pytest.approx([0.8, 0.6], abs=1e-6)


@pytest.mark.parametrize("text", ["HARBOUR", "opening", "run", "42", "café boat?", "title: harbour -boats"])
def test_matches_words_whatever_their_case_or_ending(index: Index, text: str) -> None:
    assert found(index, text)


def test_a_title_is_searched_with_its_text(index: Index) -> None:
    titled = Chunk(id="t#0", document_id="t", title="Lighthouse", text="Built of stone.", start=0, end=15)
    index.apply(Changes(added=[titled], vectors=VECTORS[:1]))
    assert found(index, "lighthouse") == [titled]


@pytest.mark.parametrize(
    "text",
    ["", " ", "the of and", '"', "'", '"harbour', "a AND (b", "OR NOT", "*", "harbour~2^3", "😀", "\x00", "\ud800",
     "x" * 100_000, "]; DROP TABLE chunks; --"],
)  # fmt: skip
def test_no_text_is_an_error_and_words_of_nothing_find_nothing(index: Index, text: str) -> None:
    assert found(index, text) in ([], [HARBOUR])


@pytest.mark.parametrize("limit", [-1, 0, 1, 2, 1000])
def test_limit_is_the_most(index: Index, limit: int) -> None:
    assert len(index.nearest(VECTORS[0], limit=limit, groups=PUBLIC)) == min(max(limit, 0), 2)
    assert len(index.matching("harbour boats", limit=limit, groups=PUBLIC)) == min(max(limit, 0), 2)


@pytest.mark.parametrize(
    ("groups", "visible"),
    [
        (set(), {"h#0", "b#0"}),
        ({"staff"}, {"h#0", "b#0"}),
        ({"board"}, {"h#0", "b#0", "s#0"}),
        ({"o'x"}, {"h#0", "b#0", "q#0"}),
        ({"a\\b", "board"}, {"h#0", "b#0", "s#0", "q#0"}),
        ({"']) OR true --"}, {"h#0", "b#0"}),
        ({""}, {"h#0", "b#0"}),
    ],
)
def test_only_what_the_groups_may_read(index: Index, groups: set[str], visible: set[str]) -> None:
    asker = frozenset(groups)
    assert {chunk.id for chunk in near(index, VECTORS.sum(0), asker)} == visible
    assert {chunk.id for chunk in found(index, "harbour boats vault quoted", asker)} == visible


def test_hidden_chunks_take_no_place_in_the_limit(index: Index) -> None:
    assert [p.chunk for p in index.nearest(VECTORS[2], limit=2, groups=PUBLIC)] == [BOATS, HARBOUR]


def test_removes_documents_then_adds_in_one_change(index: Index) -> None:
    before = index.version
    new = Chunk(id="h#0", document_id="h", text="The harbour closed.", start=0, end=19)
    version = index.apply(Changes(removed=frozenset({"h", "q'x", "absent"}), added=[new], vectors=VECTORS[:1]))
    assert version == index.version > before
    assert index.count() == 3
    assert found(index, "harbour six closed") == [new]


def test_no_change_is_no_version(index: Index) -> None:
    assert index.apply(Changes()) == index.version == index.apply(Changes())


@pytest.mark.parametrize(
    "changes",
    [
        Changes(added=[HARBOUR]),
        Changes(added=[HARBOUR], vectors=np.zeros((1, 3), np.float32)),
        Changes(added=[HARBOUR, HARBOUR], vectors=VECTORS[:2]),
    ],
)
def test_impossible_changes_change_nothing(index: Index, changes: Changes) -> None:
    before = index.version
    with pytest.raises(ValueError, match=r"vectors of shape|the same id"):
        index.apply(changes)
    assert (index.version, index.count()) == (before, 4)


def test_many_rows_are_found_right_after_they_are_added(index: Index) -> None:
    many = [Chunk(id=f"m{i}", document_id=f"m{i}", text=f"item{i}", start=0, end=1) for i in range(450)]
    for part in (many[:300], many[300:]):
        index.apply(Changes(added=part, vectors=np.tile(VECTORS[:1], (len(part), 1))))
        assert found(index, part[-1].text) == [part[-1]]
    assert found(index, "item0") == [many[0]]


def test_threads_may_search_at_once(index: Index) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: (found(index, "opens"), near(index, VECTORS[0])[0]), range(40)))
    assert all(answer == ([HARBOUR], HARBOUR) for answer in answers)
