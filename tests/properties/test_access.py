"""Whoever asks finds everything they may read, and nothing else, by any of the reads of any store."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.protocols import Changes, Index, Store
from weighbridge.retrieve.search.cache import CachedRetriever
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.retrieve.stores.postgres.store import PostgresStore
from weighbridge.types import Chunk, Question

DIMENSIONS = 4
ROWS, CASES = 300, 10_000
NAMES = ["staff", "board", "o'x", "a\\b", "']) OR true --", 'q"q', "a,b", "public", "", " ", "línea\n2", "😀", "%"]
some_groups = st.frozensets(st.sampled_from(NAMES) | st.text(alphabet="ab'\\\"%", max_size=3), max_size=3)


class Seeded:
    """An embedder of random unit vectors, the same for the same text."""

    name = "seeded"
    fingerprint = "seeded"
    dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        rows = np.stack([np.random.default_rng(list(text.encode())).normal(size=DIMENSIONS) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def visible(chunk: Chunk, groups: frozenset[str]) -> bool:
    return not chunk.groups or bool(chunk.groups & groups)


def drawn(rng: np.random.Generator) -> frozenset[str]:
    return frozenset(rng.choice(NAMES, size=rng.integers(0, 4), replace=False).tolist())


@pytest.fixture(scope="module")
def chunks() -> list[Chunk]:
    """Chunks of documents of three; those of a document need not have the same readers."""
    rng = np.random.default_rng(7)
    return [
        Chunk(id=f"c{i:03d}", document_id=f"d{i // 3}", text=f"tide word{i}", start=i, end=i, groups=drawn(rng))
        for i in range(ROWS)
    ]


@pytest.fixture(scope="module", params=["faiss", "postgres"])
def open_store(request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    """Opens the store of a folder."""
    if request.param == "postgres":
        return partial(PostgresStore, request.getfixturevalue("postgres_url"))
    return FaissStore


@pytest.fixture(scope="module")
def index(open_store: Callable[[Path], Store], chunks: list[Chunk], tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Made by several changes: some chunks had other readers and another text before, some are gone."""
    index = open_store(tmp_path_factory.mktemp("access")).open("index", dimensions=DIMENSIONS)
    before = [
        Chunk(id=chunk.id, document_id=chunk.document_id, text="tide before", start=0, end=0, groups=frozenset({name}))
        for chunk, name in zip(chunks[::5], NAMES * ROWS, strict=False)
    ]
    gone = [Chunk(id=f"g{i}", document_id=f"g{i}", text="tide gone", start=0, end=0) for i in range(30)]
    put(index, [*before, *gone], frozenset())
    put(index, chunks[:220], frozenset(chunk.document_id for chunk in gone[:20]))
    put(index, chunks[220:], frozenset(chunk.document_id for chunk in gone[20:]))
    return index


def put(index: Index, chunks: Sequence[Chunk], removed: frozenset[str]) -> None:
    vectors = Seeded().embed([chunk.text for chunk in chunks], kind="document")
    index.apply(Changes(removed=removed, added=chunks, vectors=vectors))


def test_ten_thousand_askers_find_what_they_may_read_and_nothing_else(index: Index, chunks: list[Chunk]) -> None:
    """A case is an asker and a chunk: each asker's reads are checked for all chunks that there are."""
    rng = np.random.default_rng(11)
    vectors = Seeded().embed([chunk.text for chunk in chunks], kind="document")
    for _ in range(-(-CASES // ROWS)):
        groups = drawn(rng) | drawn(rng)
        allowed = {chunk.id for chunk in chunks if visible(chunk, groups)}
        number = int(rng.integers(0, ROWS))
        for passages in (
            index.nearest(vectors[number], limit=ROWS, groups=groups),
            index.search_text(f"tide word{number}", limit=ROWS, groups=groups),
            index.search_text("tide", limit=ROWS, groups=groups, among={chunk.id for chunk in chunks}),
        ):
            assert {passage.chunk.id for passage in passages} == allowed
            assert all(passage.chunk == chunks[int(passage.chunk.id[1:])] for passage in passages)
        document = chunks[number].document_id
        mine = [chunk for chunk in chunks if chunk.document_id == document and chunk.id in allowed]
        assert list(index.chunks_of(document, groups=groups)) == mine
        check_vectors(index, chunks, vectors, groups)


def check_vectors(index: Index, chunks: list[Chunk], vectors: NDArray[np.float32], groups: frozenset[str]) -> None:
    allowed = [place for place, chunk in enumerate(chunks) if visible(chunk, groups)]
    found = index.vectors([chunks[place].id for place in allowed], groups=groups)
    np.testing.assert_array_equal(found, vectors[allowed])
    for chunk in [chunk for chunk in chunks if not visible(chunk, groups)][:10]:
        with pytest.raises(KeyError):
            index.vectors([chunks[allowed[0]].id, chunk.id], groups=groups)


@settings(max_examples=40)
@given(groups=some_groups, number=st.integers(0, ROWS - 1))
def test_a_hybrid_of_both_searches_finds_the_same(
    index: Index, chunks: list[Chunk], groups: frozenset[str], number: int
) -> None:
    hybrid = Hybrid(index=index, embedder=Seeded(), content="access")
    question = Question(f"tide word{number}", groups=groups)
    allowed = {chunk.id for chunk in chunks if visible(chunk, groups)}
    assert {passage.chunk.id for passage in hybrid.search(question, limit=ROWS)} == allowed
    assert {passage.chunk.id for passage in hybrid.search(question, limit=3)} <= allowed


@settings(max_examples=15)
@given(askers=st.lists(some_groups, min_size=2, max_size=5))
def test_one_askers_passages_are_never_remembered_for_another(index: Index, askers: list[frozenset[str]]) -> None:
    remembered = CachedRetriever(Hybrid(index=index, embedder=Seeded(), content="access"))
    for groups in askers * 2:
        assert all(visible(p.chunk, groups) for p in remembered.search(Question("tide", groups=groups), limit=20))


@settings(max_examples=8)
@given(documents=st.lists(some_groups, min_size=1, max_size=12), asker=some_groups)
def test_any_group_names_are_kept_and_obeyed(
    tmp_path_factory: pytest.TempPathFactory,
    open_store: Callable[[Path], Store],
    documents: list[frozenset[str]],
    asker: frozenset[str],
) -> None:
    index = open_store(tmp_path_factory.mktemp("names")).open("index", dimensions=DIMENSIONS)
    made = [
        Chunk(id=str(i), document_id=str(i), text="tide", start=0, end=4, groups=groups)
        for i, groups in enumerate(documents)
    ]
    index.apply(Changes(added=made, vectors=np.ones((len(made), DIMENSIONS), np.float32)))
    allowed = {chunk for chunk in made if visible(chunk, asker)}
    assert {p.chunk for p in index.search_text("tide", limit=50, groups=asker)} == allowed
    assert {p.chunk for p in index.nearest(np.ones(DIMENSIONS, np.float32), limit=50, groups=asker)} == allowed
