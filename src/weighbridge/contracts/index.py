"""Tests of an `Index` and the `Store` that opens it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.protocols import Changes, Index, Store, StoredIndex
from weighbridge.types import PUBLIC, Chunk

DIMENSIONS = 4
Open = Callable[[], StoredIndex]

HARBOUR = Chunk(
    id="h#0", document_id="h", title="Harbour", text="The harbour opens at six.", start=0, end=25, version="v1",
    context=("Hours", "| day | hour |"), place="pages 3-4",
)  # fmt: skip
BOATS = Chunk(id="b#0", document_id="b", text="Running boats cost 42 crowns.", start=3, end=32, version="ü\n\"'")
SECRET = Chunk(id="s#0", document_id="s", text="The vault code is 42.", start=0, end=21, groups=frozenset({"board"}))
QUOTED = Chunk(id="q#0", document_id="q'x", text="Quoted text", start=0, end=11, groups=frozenset({"o'x", "a\\b"}))
CHUNKS = [HARBOUR, BOATS, SECRET, QUOTED]
VECTORS = np.eye(4, DIMENSIONS, dtype=np.float32)
ALL = frozenset({"board", "o'x"})


@pytest.fixture
def open_here(store: Store) -> Open:
    """Opens the same index each time it is called, as another process would."""
    return lambda: store.open("index", dimensions=DIMENSIONS)


@pytest.fixture
def index(open_here: Open) -> StoredIndex:
    """An index of four chunks, two of them for some readers only."""
    index = open_here()
    index.apply(Changes(added=CHUNKS, vectors=VECTORS))
    return index


def search_texts(index: Index, text: str, groups: frozenset[str] = PUBLIC) -> list[Chunk]:
    return [passage.chunk for passage in index.search_text(text, limit=10, groups=groups)]


def near(index: Index, vector: NDArray[np.float32], groups: frozenset[str] = PUBLIC) -> list[Chunk]:
    return [passage.chunk for passage in index.nearest(vector, limit=10, groups=groups)]


def test_a_new_index_is_empty_and_can_be_searched(open_here: Open) -> None:
    index = open_here()
    assert index.count() == 0
    assert search_texts(index, "harbour") == []
    assert near(index, VECTORS[0]) == []


def test_gives_back_chunks_as_they_were(index: Index) -> None:
    assert search_texts(index, "opens") == [HARBOUR]
    assert near(index, VECTORS[1])[0] == BOATS
    assert search_texts(index, "vault", frozenset({"board", "staff"})) == [SECRET]


def test_what_was_applied_is_there_after_opening_again(index: Index, open_here: Open) -> None:
    again = open_here()
    assert (again.version, again.count()) == (index.version, 4)
    assert search_texts(again, "opens") == [HARBOUR]


def test_nearest_scores_by_dot_product_best_first(index: Index) -> None:
    vector = np.array([0.6, 0.8, 0, 0], np.float32)
    passages = index.nearest(vector, limit=10, groups=PUBLIC)
    assert [passage.chunk for passage in passages] == [BOATS, HARBOUR]
    assert [passage.score for passage in passages] == pytest.approx([0.8, 0.6], abs=1e-6)


@pytest.mark.parametrize("text", ["HARBOUR", "opening", "run", "42", "café boat?", "title: harbour -boats"])
def test_matches_words_whatever_their_case_or_ending(index: Index, text: str) -> None:
    assert search_texts(index, text)


def test_a_title_is_searched_with_its_text(index: Index) -> None:
    titled = Chunk(id="t#0", document_id="t", title="Lighthouse", text="Built of stone.", start=0, end=15)
    index.apply(Changes(added=[titled], vectors=VECTORS[:1]))
    assert search_texts(index, "lighthouse") == [titled]


@pytest.mark.parametrize(
    "text",
    ["", " ", "the of and", '"', "'", '"harbour', "a AND (b", "OR NOT", "*", "harbour~2^3", "😀", "\x00", "\ud800",
     "x" * 100_000, "]; DROP TABLE chunks; --"],
)  # fmt: skip
def test_no_text_is_an_error_and_words_of_nothing_find_nothing(index: Index, text: str) -> None:
    assert search_texts(index, text) in ([], [HARBOUR], [SECRET])


@pytest.mark.parametrize("limit", [-1, 0, 1, 2, 1000])
def test_limit_is_the_most(index: Index, limit: int) -> None:
    assert len(index.nearest(VECTORS[0], limit=limit, groups=PUBLIC)) == min(max(limit, 0), 2)
    assert len(index.search_text("harbour boats", limit=limit, groups=PUBLIC)) == min(max(limit, 0), 2)


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
    assert {chunk.id for chunk in search_texts(index, "harbour boats vault quoted", asker)} == visible


def test_hidden_chunks_take_no_place_in_the_limit(index: Index) -> None:
    assert [p.chunk for p in index.nearest(VECTORS[2], limit=2, groups=PUBLIC)] == [BOATS, HARBOUR]


def test_removes_documents_then_adds_in_one_change(index: Index) -> None:
    before = index.version
    new = Chunk(id="h#0", document_id="h", text="The harbour closed.", start=0, end=19)
    version = index.apply(Changes(removed=frozenset({"h", "q'x", "absent"}), added=[new], vectors=VECTORS[:1]))
    assert version == index.version > before
    assert index.count() == 3
    assert search_texts(index, "harbour six closed") == [new]


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
        assert search_texts(index, part[-1].text)[0] == part[-1]
    assert search_texts(index, "item0")[0] == many[0]


def test_threads_may_search_at_once(index: Index) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: (search_texts(index, "opens"), near(index, VECTORS[0])[0]), range(40)))
    assert all(answer == ([HARBOUR], HARBOUR) for answer in answers)


def test_a_store_lists_and_drops_its_indexes(store: Store, index: StoredIndex) -> None:
    assert store.names() == ["index"]
    assert store.bytes("index") > 0
    assert store.layout == store.layout != ""
    other = store.open("other", dimensions=2)
    assert (sorted(store.names()), other.count()) == (["index", "other"], 0)
    store.drop("other")
    assert store.names() == ["index"]
    assert index.count() == 4


def test_documents_have_the_versions_of_their_chunks(index: StoredIndex) -> None:
    assert index.documents() == {"h": "v1", "b": "ü\n\"'", "s": "", "q'x": ""}
    index.apply(Changes(removed=frozenset({"h", "s"})))
    assert index.documents() == {"b": "ü\n\"'", "q'x": ""}


def test_the_chunks_of_a_document_are_in_the_order_of_its_text(index: StoredIndex) -> None:
    more = [
        Chunk(id=f"h#{i}", document_id="h", text=f"part {i}", start=start, end=start + 6, groups=groups)
        for i, start, groups in ((1, 90, PUBLIC), (2, 30, ALL), (10, 60, PUBLIC))
    ]
    index.apply(Changes(added=more, vectors=VECTORS[:3]))
    assert index.chunks_of("h", groups=PUBLIC) == [HARBOUR, more[2], more[0]]
    assert index.chunks_of("h", groups=ALL) == [HARBOUR, more[1], more[2], more[0]]
    assert index.chunks_of("s", groups=PUBLIC) == index.chunks_of("absent", groups=ALL) == []


def test_vectors_are_given_back_as_they_were_in_the_order_asked(index: StoredIndex) -> None:
    exact = np.array([[0.1, -1e-7, 3e8, 1 / 3]], np.float32)
    index.apply(Changes(added=[Chunk(id="x'", document_id="x", text="", start=0, end=0)], vectors=exact))
    for _ in range(2):  # also of those that a search has seen
        asked = ["q#0", "x'", "h#0", "x'"]
        expected = np.stack([VECTORS[3], exact[0], VECTORS[0], exact[0]])
        np.testing.assert_array_equal(index.vectors(asked, groups=ALL), expected)
        assert len(index.nearest(VECTORS[0], limit=9, groups=ALL)) == 5
    assert index.vectors([], groups=ALL).shape == (0, DIMENSIONS)


@pytest.mark.parametrize("ids", [["s#0"], ["h#0", "s#0"], ["absent"]])
def test_vectors_of_what_is_not_visible_are_a_key_error(index: StoredIndex, ids: list[str]) -> None:
    index.nearest(VECTORS[0], limit=9, groups=ALL)
    with pytest.raises(KeyError):
        index.vectors(ids, groups=PUBLIC)


def test_matching_among_some_chunks_scores_them_as_among_all(index: StoredIndex) -> None:
    scores = {p.chunk.id: p.score for p in index.search_text("harbour boats vault", limit=9, groups=ALL)}
    some = index.search_text("harbour boats vault", limit=9, groups=ALL, among={"b#0", "s#0", "q#0", "absent'"})
    assert {p.chunk.id: p.score for p in some} == pytest.approx({id_: scores[id_] for id_ in ("b#0", "s#0")})
    assert [p.chunk for p in index.search_text("vault boats", limit=9, groups=PUBLIC, among={"b#0", "s#0"})] == [BOATS]
    assert index.search_text("harbour", limit=9, groups=ALL, among=set()) == []


def test_contents_are_all_of_some_documents(index: StoredIndex) -> None:
    contents = index.contents(["s", "h", "absent"])
    assert contents.chunks == [HARBOUR, SECRET]
    np.testing.assert_array_equal(contents.vectors, VECTORS[[0, 2]])
    nothing = index.contents([])
    assert (list(nothing.chunks), nothing.vectors.shape) == ([], (0, DIMENSIONS))


def test_reads_see_the_latest_commit_whoever_made_it(index: StoredIndex, open_here: Open) -> None:
    other = open_here()
    for turn in range(5):
        new = Chunk(id="h#0", document_id="h", text=f"turn{turn} mark", start=0, end=1, version=str(turn))
        version = other.apply(Changes(removed=frozenset({"h"}), added=[new], vectors=VECTORS[3:]))
        assert (index.version, index.documents()["h"]) == (version, str(turn))
        assert search_texts(index, "mark") == near(index, VECTORS[3])[:1] == [new]
        np.testing.assert_array_equal(index.vectors(["h#0"], groups=PUBLIC), VECTORS[3:])
        assert index.chunks_of("h", groups=PUBLIC) == [new]


def test_a_chunk_may_change_its_readers_and_its_document(index: StoredIndex) -> None:
    moved = Chunk(id="h#0", document_id="m", text="The harbour is shut.", start=0, end=20, groups=frozenset({"board"}))
    index.apply(Changes(added=[moved], vectors=VECTORS[:1]))
    assert search_texts(index, "harbour") == index.chunks_of("h", groups=ALL) == []
    assert near(index, VECTORS[0]) == [BOATS]
    assert search_texts(index, "harbour", ALL) == near(index, VECTORS[0], ALL)[:1] == [moved]
    index.apply(Changes(removed=frozenset({"m"}), added=[HARBOUR], vectors=VECTORS[:1]))
    assert (search_texts(index, "harbour"), index.count()) == ([HARBOUR], 4)


def test_a_document_may_shrink_and_grow(index: StoredIndex) -> None:
    for length in (5, 1, 3, 0, 2):
        parts = [Chunk(id=f"g#{i}", document_id="g", text=f"grown {length}", start=i, end=i) for i in range(length)]
        index.apply(Changes(removed=frozenset({"g"}), added=parts, vectors=np.ones((length, 4), np.float32)))
        assert index.chunks_of("g", groups=PUBLIC) == parts
        assert {chunk.id for chunk in search_texts(index, "grown")} == {chunk.id for chunk in parts}
        assert index.count() == 4 + length


def test_writers_in_threads_lose_nothing(index: StoredIndex, open_here: Open) -> None:
    def write(writer: int) -> None:
        own = open_here()
        for turn in range(6):
            added = [Chunk(id=f"w{writer}-{turn}", document_id=f"w{writer}-{turn}", text="written", start=0, end=1)]
            gone = frozenset({f"w{writer}-{turn - 2}"})
            own.apply(Changes(removed=gone, added=added, vectors=VECTORS[:1]))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    assert {id_ for id_ in index.documents() if id_.startswith("w")} == {f"w{w}-{t}" for w in range(3) for t in (4, 5)}


def test_adding_in_pieces_and_optimising_finds_all(open_here: Open) -> None:
    index = open_here()
    for piece in range(4):
        rows = [
            Chunk(id=f"{piece}-{i}", document_id=f"{piece}-{i}", text=f"piece{piece} row{i}", start=0, end=1)
            for i in range(1200)
        ]
        index.apply(Changes(added=rows, vectors=np.tile(VECTORS[piece], (1200, 1))))
    for _ in range(2):
        assert search_texts(index, "piece2 row7")[0].id == "2-7"
        assert [chunk.id for chunk in near(index, VECTORS[3])[:2]] == ["3-0", "3-1"]
        index.optimise()
    assert index.count() == len(index.documents()) == 4800
