"""An index of FAISS over SQLite: one file holds chunks, vectors and history; searches run in memory.

- One `apply` is one SQLite transaction, and every read sees the latest version, whichever process made it. The memory
  follows by reading the changes; the first search reads everything (about two seconds for 100,000 chunks).
- FAISS chooses the nearest rows, and the original vectors score them. BM25 scores words.
- Access groups restrict both searches from inside (an `IDSelector` in FAISS), before anything is ranked.
- SQLite's write-ahead log needs a local disk, not one shared over a network.
"""

# ruff: noqa: S608 - what is put together are our own constants and whole numbers; values are parameters
import json
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes, Contents, Version
from weighbridge.retrieve.index.analyser import terms
from weighbridge.retrieve.stores.chunk_rows import check_vectors, unpack_chunk
from weighbridge.retrieve.stores.faiss.segment import save_graph
from weighbridge.retrieve.stores.faiss.snapshot import (
    Hits,
    IndexSnapshot,
    SnapshotSource,
    read_size,
    read_snapshot,
    update_snapshot,
)
from weighbridge.retrieve.stores.faiss.sqlite import NOW, VISIBLE, Database, json_list, latest, valid_at
from weighbridge.retrieve.stores.faiss.sqlite_changes import (
    apply_changes,
    list_versions,
    require_version,
    restore_version,
    tag_version,
)
from weighbridge.retrieve.stores.faiss.vectors import FLAT, GRAPHED, Visible
from weighbridge.types import PUBLIC, Chunk, Passage

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_SPARE = 30
"""Rows that FAISS returns beyond twice the limit, because its scores are approximate."""
_CLOSE = 1e-5
"""More than the rounding error of a sum of float32 products of unit vectors."""
_ASKED = "IN (SELECT value FROM json_each(:asked))"


@dataclass(frozen=True, slots=True)
class _View:
    """One read: a transaction, and a snapshot of the same version."""

    connection: "sqlite3.Connection"
    snapshot: IndexSnapshot
    visible: Sequence[Visible]


class FaissIndex:
    """A `StoredIndex`. Searches may run in several threads; changes take turns, also with other processes."""

    def __init__(self, database: Database, source: SnapshotSource, number: int | None = None) -> None:
        """Read one version only; None: read and change the latest."""
        self._database, self._source, self._number = database, source, number
        self._valid = valid_at(number)
        self._snapshot: IndexSnapshot | None = None
        self._lock = threading.Lock()

    @property
    def version(self) -> int:
        with self._database.read_transaction() as connection:
            return self._version(connection)

    def now(self) -> "FaissIndex":
        if self._number is not None:
            return self
        with self._view(PUBLIC) as view:
            index = FaissIndex(self._database, self._source, view.snapshot.version)
            index._snapshot = view.snapshot
            return index

    def apply(self, changes: Changes) -> int:
        vectors = check_vectors(changes, self._source.dimensions)
        if self._number is not None:
            raise WorkspaceError(f"version {self._number} of the index is for reading only; restore it first")
        if not changes.removed and not changes.added:
            return self.version
        with self._database.write_transaction() as connection:
            return apply_changes(connection, changes, vectors)

    def count(self) -> int:
        with self._database.read_transaction() as connection:
            return read_size(connection, self._version(connection)).chunks

    def documents(self) -> Mapping[str, str]:
        return dict(self._rows("SELECT DISTINCT document_id, version FROM chunks WHERE {valid}", {}))

    def nearest(self, vector: "Vectors", *, limit: int, groups: frozenset[str]) -> Sequence[Passage]:
        """Return the passages of highest dot product with the vector (their score), ties in order of chunk id."""
        query = np.ascontiguousarray(vector, np.float32).reshape(self._source.dimensions)
        if limit <= 0:
            return ()
        with self._view(groups) as view:
            return _read_passages(view.connection, _nearest(view, query, limit), limit)

    def search_text(
        self, text: str, *, limit: int, groups: frozenset[str], among: Collection[str] | None = None
    ) -> Sequence[Passage]:
        """Return the passages of highest BM25 with any of the words, ties in order of chunk id. Any text is valid."""
        words = Counter(terms(text))
        if limit <= 0 or not words:
            return ()
        with self._view(groups) as view:
            query = f"SELECT term, number FROM terms WHERE term {_ASKED}"
            numbers = view.connection.execute(query, {"asked": json_list(words)})
            question = {number: words[term] for term, number in numbers}
            rows = None if among is None else self._rows_of(view.connection, among)
            return _read_passages(view.connection, view.snapshot.search_text(question, view.visible, rows), limit)

    def vectors(self, ids: Sequence[str], *, groups: frozenset[str]) -> "Vectors":
        query = f"SELECT id, vector FROM chunks JOIN searched USING (row) WHERE {{valid}} AND id {_ASKED} AND {VISIBLE}"
        found = dict(self._rows(query, {"asked": json_list(ids), "groups": json_list(groups)}))
        rows = [np.frombuffer(found[id_], "<f4") for id_ in ids]
        return np.array(rows, np.float32).reshape(-1, self._source.dimensions)

    def chunks_of(self, document_id: str, *, groups: frozenset[str]) -> Sequence[Chunk]:
        query = f"SELECT chunk FROM chunks WHERE {{valid}} AND document_id = :document AND {VISIBLE}"
        rows = self._rows(query, {"document": document_id, "groups": json_list(groups)})
        return sorted((unpack_chunk(text) for (text,) in rows), key=lambda chunk: (chunk.start, chunk.end, chunk.id))

    def contents(self, document_ids: Sequence[str]) -> Contents:
        query = (
            f"SELECT chunk, vector FROM chunks JOIN searched USING (row) "
            f"WHERE {{valid}} AND document_id {_ASKED} ORDER BY id"
        )
        rows = self._rows(query, {"asked": json_list(document_ids)})
        flat = np.frombuffer(b"".join(vector for _, vector in rows), "<f4").astype(np.float32)
        return Contents([unpack_chunk(text) for text, _ in rows], flat.reshape(-1, self._source.dimensions))

    def optimise(self) -> None:
        kind = self._source.kind
        if kind == "hnsw" or (kind is None and FLAT < self.count() <= GRAPHED):
            with self._database.read_transaction() as connection:
                save_graph(connection, NOW, self._source.dimensions, self._source.graph)
            self._snapshot = None
        self._database.tidy()

    def versions(self) -> Sequence[Version]:
        with self._database.read_transaction() as connection:
            return list_versions(connection)

    def at(self, number: int) -> "FaissIndex":
        with self._database.read_transaction() as connection:
            require_version(connection, number)
        index, snapshot = FaissIndex(self._database, self._source, number), self._snapshot
        if snapshot is not None and snapshot.version == number:
            index._snapshot = snapshot
        return index

    def restore(self, number: int) -> int:
        with self._database.write_transaction() as connection:
            return restore_version(connection, number)

    def tag(self, number: int, name: str) -> None:
        with self._database.write_transaction() as connection:
            tag_version(connection, number, name)

    def _version(self, connection: "sqlite3.Connection") -> int:
        if self._number is None:
            return latest(connection)
        require_version(connection, self._number)
        return self._number

    def _rows(self, query: str, parameters: Mapping[str, str]) -> list[Any]:
        with self._database.read_transaction() as connection:
            self._version(connection)
            return connection.execute(query.format(valid=self._valid), parameters).fetchall()

    def _rows_of(self, connection: "sqlite3.Connection", ids: Collection[str]) -> "NDArray[np.int64]":
        query = f"SELECT row FROM chunks WHERE {self._valid} AND id {_ASKED}"
        return np.array(connection.execute(query, {"asked": json_list(ids)}).fetchall(), np.int64).reshape(-1)

    @contextmanager
    def _view(self, groups: frozenset[str]) -> "Iterator[_View]":
        """Lend a read. If another thread has moved the memory on meanwhile, read again."""
        while True:
            with self._database.read_transaction() as connection:
                version = self._version(connection)
                snapshot = self._snapshot_at(connection, version)
                if snapshot.version == version:
                    yield _View(connection, snapshot, snapshot.visible(groups))
                    return

    def _snapshot_at(self, connection: "sqlite3.Connection", version: int) -> IndexSnapshot:
        with self._lock:
            snapshot = self._snapshot
            if snapshot is None:
                snapshot = read_snapshot(connection, self._source, version, self._valid)
            elif snapshot.version < version:
                snapshot = update_snapshot(connection, self._source, snapshot, version)
            self._snapshot = snapshot
            return snapshot


def _nearest(view: _View, query: "Vectors", limit: int) -> Hits:
    """Return rows by their exact scores, so that no other visible row can beat the best `limit` of them."""
    count, there = 2 * limit + _SPARE, sum(seen.count for seen in view.visible)
    while True:
        rough = view.snapshot.nearest(query, count, view.visible)
        exact = _rescore(view.connection, query, rough)
        if len(rough.rows) >= there or len(rough.rows) <= limit:
            return exact
        error = float(np.abs(exact.scores - rough.scores).max()) + _CLOSE
        if rough.scores.min() + error < np.partition(exact.scores, -limit)[-limit]:
            return exact
        count *= 4


def _rescore(connection: "sqlite3.Connection", query: "Vectors", rough: Hits) -> Hits:
    """Return the hits with exact dot products of the original vectors: scores do not depend on the kind of index."""
    asked = json.dumps(rough.rows.tolist())
    found = dict(connection.execute(f"SELECT row, vector FROM searched WHERE row {_ASKED}", {"asked": asked}))
    vectors = np.frombuffer(b"".join(found[row] for row in rough.rows.tolist()), "<f4").reshape(-1, len(query))
    return Hits(rough.rows, (vectors.astype(np.float64) * query).sum(axis=1))


def _read_passages(connection: "sqlite3.Connection", hits: Hits, limit: int) -> Sequence[Passage]:
    best = hits.best(limit)
    asked = {"asked": json.dumps(best.rows.tolist())}
    ids = dict(connection.execute(f"SELECT row, id FROM chunks WHERE row {_ASKED}", asked))
    scores = dict(zip(best.rows.tolist(), best.scores.tolist(), strict=True))
    first = sorted(scores, key=lambda row: (-scores[row], ids[row]))[:limit]
    asked = {"asked": json.dumps(first)}
    chunks = dict(connection.execute(f"SELECT row, chunk FROM chunks WHERE row {_ASKED}", asked))
    return [Passage(unpack_chunk(chunks[row]), scores[row]) for row in first]
