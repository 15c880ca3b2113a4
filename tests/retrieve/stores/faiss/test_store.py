"""What only the FAISS store promises: what is in memory follows what is in the file, at little cost."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen, run

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes
from weighbridge.retrieve.stores.faiss.index import FaissIndex
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.retrieve.stores.faiss.vectors import Kind
from weighbridge.types import PUBLIC, Chunk

DIMENSIONS = 16
WRITER = """
import sys, numpy as np
from pathlib import Path
from weighbridge.protocols import Changes
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.types import Chunk
index, me = FaissStore(Path(sys.argv[1])).open("i", dimensions=16), sys.argv[2]
for turn in range(100_000):
    rows = [Chunk(id=f"{me}{i}", document_id=me, text=f"{me} mark turn{turn}", start=i, end=i) for i in range(3)]
    index.apply(Changes(removed=frozenset({me}), added=rows, vectors=np.full((3, 16), turn, np.float32)))
    print(turn, flush=True)
"""


def chunks(first: int, last: int, text: str = "tide") -> list[Chunk]:
    audiences = (PUBLIC, frozenset({"a"}), frozenset({"b"}))
    return [
        Chunk(id=f"c{i:05d}", document_id=f"d{i}", text=f"{text} {i}", start=0, end=1, groups=audiences[i % 3])
        for i in range(first, last)
    ]


def clustered(count: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(20, DIMENSIONS))[rng.integers(0, 20, count)] + rng.normal(size=(count, DIMENSIONS)) / 3
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def put(index: FaissIndex, first: int, last: int, vectors: NDArray[np.float32], text: str = "tide") -> None:
    index.apply(Changes(added=chunks(first, last, text), vectors=vectors[first:last]))


def nearest(index: FaissIndex, query: NDArray[np.float32], *groups: str) -> list[str]:
    return [passage.chunk.id for passage in index.nearest(query, limit=10, groups=frozenset(groups))]


def best(vectors: NDArray[np.float32], query: NDArray[np.float32], visible: list[int]) -> list[str]:
    scores = vectors[visible].astype(np.float64) @ query
    return [f"c{visible[place]:05d}" for place in np.argsort(-scores, kind="stable")[:10]]


@contextmanager
def writing(folder: Path, name: str) -> Iterator[Popen[str]]:
    with Popen([sys.executable, "-c", WRITER, str(folder), name], stdout=PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("kind", ["flat", "sq8", None])
def test_the_nearest_are_the_exact_ones_whatever_holds_the_vectors(tmp_path: Path, kind: Kind | None) -> None:
    vectors, queries = clustered(3000), clustered(20, seed=1)
    index = FaissStore(tmp_path, kind=kind).open("i", dimensions=DIMENSIONS)
    put(index, 0, 3000, vectors)
    for query in queries:
        assert nearest(index, query, "a", "b") == best(vectors, query, list(range(3000)))
        assert nearest(index, query, "b") == best(vectors, query, [i for i in range(3000) if i % 3 != 1])


def test_a_graph_is_kept_in_a_file_and_followed_by_what_is_new(tmp_path: Path) -> None:
    vectors, queries = clustered(2000), clustered(20, seed=1)
    store = FaissStore(tmp_path, kind="hnsw")
    index = store.open("i", dimensions=DIMENSIONS)
    put(index, 0, 1500, vectors)
    before = store.bytes("i")
    index.optimise()
    assert store.bytes("i") > before
    put(index, 1500, 2000, vectors)
    index.apply(Changes(removed=frozenset(f"d{i}" for i in range(0, 2000, 7))))
    left = [i for i in range(2000) if i % 7]
    for again in (index, store.open("i", dimensions=DIMENSIONS)):
        found = [set(nearest(again, query, "a", "b")) & set(best(vectors, query, left)) for query in queries]
        assert np.mean([len(both) / 10 for both in found]) > 0.95
        assert all(int(id_[1:]) % 3 == 0 for query in queries for id_ in nearest(again, query))
        few = frozenset({"few"})
        index.apply(Changes(added=[Chunk(id="f", document_id="f", text="few", start=0, end=1, groups=few)],
                            vectors=-queries[:1]))  # fmt: skip
        assert len(again.nearest(queries[0], limit=2000, groups=few)) == len([i for i in left if i % 3 == 0]) + 1
    (tmp_path / "i" / "graph.npz").write_bytes(b"cut short")
    assert nearest(store.open("i", dimensions=DIMENSIONS), queries[0], "a", "b") == best(vectors, queries[0], left)


def test_a_change_is_followed_without_reading_all_again(tmp_path: Path) -> None:
    vectors = clustered(4000)
    index = FaissStore(tmp_path).open("i", dimensions=DIMENSIONS)
    put(index, 0, 3000, vectors)
    nearest(index, vectors[0])
    first = memory_of(index)
    for turn in range(60):
        put(index, 3000 + 5 * turn, 3005 + 5 * turn, vectors)
        assert nearest(index, vectors[3000 + 5 * turn], "a", "b")[0] == f"c{3000 + 5 * turn:05d}"
    assert memory_of(index)[0] is first[0]
    assert sum(len(rows) for rows in memory_of(index)) == 3300
    assert len(memory_of(index)) < 8
    index.apply(Changes(removed=frozenset(f"d{i}" for i in range(2000))))
    assert nearest(index, vectors[5], "a", "b") == best(vectors, vectors[5], list(range(2000, 3300)))
    assert sum(len(rows) for rows in memory_of(index)) == 1300


def memory_of(index: FaissIndex) -> list[NDArray[np.int64]]:
    """The rows of each segment that an index has in memory."""
    memory = index._snapshot  # noqa: SLF001 - what is kept shows nowhere else
    assert memory is not None
    return [segment.rows for segment in memory.segments]


def test_one_who_slept_through_many_changes_wakes_up_to_the_latest(tmp_path: Path) -> None:
    store, vectors = FaissStore(tmp_path), clustered(100)
    sleeper, index = (store.open("i", dimensions=DIMENSIONS) for _ in range(2))
    put(sleeper, 0, 100, vectors)
    assert len(sleeper.search_text("tide", limit=200, groups=frozenset("ab"))) == 100
    for turn in range(30):
        added = chunks(50, 52, "q" * (turn + 1))
        index.apply(Changes(removed=frozenset({f"d{turn}"}), added=added, vectors=vectors[:2]))
    assert len(sleeper.search_text(f"tide {'q' * 30}", limit=200, groups=frozenset("ab"))) == 70
    assert sleeper.search_text("q" * 29, limit=200, groups=frozenset("ab")) == []


def test_processes_write_and_read_whole_changes(tmp_path: Path) -> None:
    with writing(tmp_path, "a") as first, writing(tmp_path, "b") as second:
        assert first.stdout is not None
        assert second.stdout is not None
        index = FaissStore(tmp_path).open("i", dimensions=DIMENSIONS)
        while {"a", "b"} - index.documents().keys():
            first.stdout.readline()
            second.stdout.readline()
        seen = set()
        for _ in range(100):
            found = index.search_text("mark", limit=20, groups=PUBLIC)
            for name in ("a", "b"):
                texts = [passage.chunk.text for passage in found if passage.chunk.document_id == name]
                assert len(texts) == 3
                assert len(set(texts)) == 1
                seen.add(texts[0])
        assert first.poll() is second.poll() is None
    assert len(seen) > 2


def test_a_killed_writer_leaves_one_whole_change(tmp_path: Path) -> None:
    with writing(tmp_path, "a") as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.strip() == "5":
                writer.kill()
                break
    index = FaissStore(tmp_path).open("i", dimensions=DIMENSIONS)
    whole = index.contents(["a"])
    assert len(whole.chunks) == index.count() == 3
    assert len({chunk.text for chunk in whole.chunks}) == len(np.unique(whole.vectors)) == 1


def test_a_tie_longer_than_the_search_is_in_order_of_ids(tmp_path: Path) -> None:
    index = FaissStore(tmp_path, kind="sq8").open("i", dimensions=DIMENSIONS)
    same = np.tile(clustered(1), (700, 1))
    for first in (350, 0):
        put(index, first, first + 350, same)
    everybody = frozenset("ab")
    expected = [f"c{i:05d}" for i in range(5)]
    assert [p.chunk.id for p in index.nearest(same[0], limit=5, groups=everybody)] == expected
    assert [p.chunk.id for p in index.search_text("tide", limit=5, groups=everybody)] == expected


def test_what_is_no_index_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        FaissStore(tmp_path / "file").open("i", dimensions=4)
    (tmp_path / "i").mkdir()
    (tmp_path / "i" / "index.sqlite").write_text("not a database" * 100)
    with pytest.raises(WorkspaceError, match="cannot be opened as an index"):
        FaissStore(tmp_path).open("i", dimensions=4)
    assert (tmp_path / "i" / "index.sqlite").read_text().startswith("not a database")


def test_importing_this_loads_neither_faiss_nor_psycopg() -> None:
    code = (
        "import sys, weighbridge.retrieve.stores.faiss.store, weighbridge.retrieve.stores.postgres.store\n"
        "print([name for name in ('faiss', 'psycopg') if name in sys.modules])"
    )
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
