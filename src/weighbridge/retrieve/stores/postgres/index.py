"""An index in a PostgreSQL database: all searches run in the server.

- One `apply` is one transaction; writers take turns by an advisory lock. A read sees one committed state.
- `search_text` is BM25 over our own terms, computed from `postings` by an index-only scan.
- `nearest` is exact, unless `optimise` has built an HNSW graph and the asker may read most of many vectors. pgvector
  filters a graph's hits afterwards; if too few are left, all readable vectors are compared.
- The audiences (sets of groups) of the asker are settled first; rows of others are neither scored nor sent.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes, Contents, Version
from weighbridge.retrieve.index.analyser import terms
from weighbridge.retrieve.stores.chunk_rows import check_vectors, pack_group, unpack_chunk
from weighbridge.retrieve.stores.postgres.changes import (
    apply_changes,
    latest,
    list_versions,
    require_version,
    restore_version,
    tag_version,
    valid_at,
)
from weighbridge.retrieve.stores.postgres.server import Server
from weighbridge.types import Chunk, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection

    Vectors = NDArray[np.float32]

_EXACT = 20_000
"""The most readable vectors that are all compared."""
_NARROW = 0.2
"""A graph is not used if the asker may read less than this share of the vectors: too few of its hits would be left."""
_GRAPH = "m = 24, ef_construction = 128"
_EFFORT = 256
"""With clustered vectors, pgvector's defaults (16, 64; effort 40) missed all near vectors of some questions."""
_MOST_EFFORT = 1000
"""pgvector's upper limit."""
_WIDEST = 2000
"""The most dimensions that pgvector can build a graph of."""

_READABLE = "ARRAY(SELECT audience FROM audiences WHERE groups = '{}' OR groups && %(groups)s)"
_MATCHING = """
WITH found AS MATERIALIZED (
    SELECT row, term, asked.times * 2.2 * word.times / (word.times + 1.2 * (0.25 + 0.75 * word.length / %(mean)s))
        AS weight, word.audience FROM unnest(%(terms)s::text[], %(asked)s::float8[]) AS asked (term, times)
    JOIN {postings} AS word USING (term)),
rarity AS (
    SELECT term, ln(1 + (%(chunks)s - count(*) + 0.5) / (count(*) + 0.5)) AS idf FROM found GROUP BY term),
best AS (
    SELECT row, round(sum(weight * idf) * 1e9) / 1e9 AS score FROM found JOIN rarity USING (term)
    WHERE audience = ANY({readable}) {among} GROUP BY row ORDER BY score DESC FETCH FIRST %(limit)s ROWS WITH TIES)
SELECT chunk, score FROM best JOIN chunks USING (row) ORDER BY score DESC, id LIMIT %(limit)s
"""
_NEAREST = """
WITH best AS MATERIALIZED (
    SELECT row, 0 - (vector <#> %(query)s) AS score FROM vectors WHERE {valid} AND audience = ANY({readable})
    ORDER BY (vector <#> %(query)s) {order})
SELECT chunk, score FROM best JOIN chunks USING (row) ORDER BY score DESC, id LIMIT %(limit)s
"""
_ALL = "+ 0 FETCH FIRST %(limit)s ROWS WITH TIES"
"""An expression that no index serves: it makes PostgreSQL compare every vector."""
_BY_GRAPH = "LIMIT %(limit)s"
_PAST_WORDS = """(
    SELECT word.term, row, word.times, length, audience FROM chunks, unnest(terms, chunks.times) AS word (term, times)
    WHERE {valid} AND terms && %(terms)s)"""


@dataclass(frozen=True, slots=True)
class _Read:
    """A connection that sees one state of the database, and the version to read."""

    connection: "Connection[Any]"
    number: int
    past: bool
    """Whether there is a later version. Then neither postings nor a graph hold for it."""

    def rows(self, query: str, asked: Mapping[str, Any]) -> list[Any]:
        """Return the rows of a query, with the SQL conditions for its {valid} and {readable}."""
        valid = valid_at(self.number if self.past else None)
        statement = query.replace("{valid}", valid).replace("{readable}", _READABLE)
        return self.connection.execute(statement, asked).fetchall()


class PostgresIndex:
    """A `StoredIndex`. Safe to use from several threads and processes."""

    def __init__(self, server: Server, dimensions: int, number: int | None = None) -> None:
        """Read one version only; None: read and change the latest."""
        self.dimensions = dimensions
        self._server, self._number = server, number

    @property
    def version(self) -> int:
        with self._read_version() as read:
            return read.number

    def now(self) -> "PostgresIndex":
        return self if self._number is not None else self.at(self.version)

    def apply(self, changes: Changes) -> int:
        vectors = check_vectors(changes, self.dimensions)
        if self._number is not None:
            raise WorkspaceError(f"version {self._number} of the index is for reading only; restore it first")
        if not changes.removed and not changes.added:
            return self.version
        with self._server.write_transaction() as connection:
            return apply_changes(connection, changes, vectors)

    def count(self) -> int:
        with self._read_version() as read:
            return _size(read.connection, read.number)[0]

    def documents(self) -> Mapping[str, str]:
        return dict(self._rows("SELECT DISTINCT document_id, version FROM chunks WHERE {valid}", {}))

    def nearest(self, vector: "Vectors", *, limit: int, groups: frozenset[str]) -> Sequence[Passage]:
        """Return the passages of highest dot product with the vector (their score), ties in order of chunk id."""
        query = np.asarray(vector, np.float32).reshape(self.dimensions)
        asked = {"query": query, "limit": limit, **_group_parameters(groups)}
        if limit <= 0:
            return ()
        with self._read_version() as read:
            rows: list[Any] = []
            if not read.past and (effort := _search_effort(read.connection, limit, groups)):
                read.connection.execute(f"SET LOCAL hnsw.ef_search = {effort:d}")
                rows = read.rows(_NEAREST.replace("{order}", _BY_GRAPH), asked)
            if len(rows) < limit:
                rows = read.rows(_NEAREST.replace("{order}", _ALL), asked)
        return [Passage(unpack_chunk(chunk), score) for chunk, score in rows]

    def search_text(
        self, text: str, *, limit: int, groups: frozenset[str], among: Collection[str] | None = None
    ) -> Sequence[Passage]:
        """Return the passages of highest BM25 with any of the words, ties in order of chunk id. Any text is valid."""
        words = Counter(terms(text))
        if limit <= 0 or not words:
            return ()
        statement = _MATCHING if among is None else _MATCHING.replace("{among}", "AND row = ANY(%(among)s)")
        with self._read_version() as read:
            chunks, length = _size(read.connection, read.number)
            asked = {"terms": list(words), "asked": list(words.values()), "limit": limit, "chunks": chunks}
            asked |= {"mean": length / max(1, chunks), **_group_parameters(groups)}
            if among is not None:
                known = read.rows("SELECT row FROM chunks WHERE {valid} AND id = ANY(%(ids)s)", {"ids": sorted(among)})
                asked["among"] = [row for (row,) in known]
            postings = _PAST_WORDS if read.past else "postings"
            rows = read.rows(statement.replace("{among}", "").replace("{postings}", postings), asked)
        return [Passage(unpack_chunk(chunk), score) for chunk, score in rows]

    def vectors(self, ids: Sequence[str], *, groups: frozenset[str]) -> "Vectors":
        query = (
            "SELECT id, vector_send(vector) FROM chunks JOIN (SELECT row, vector FROM vectors) AS sent USING (row) "
            "WHERE {valid} AND id = ANY(%(ids)s) AND audience = ANY({readable})"
        )
        found = dict(self._rows(query, {"ids": list(ids), **_group_parameters(groups)}))
        return _decode_vectors([found[id_] for id_ in ids], self.dimensions)

    def chunks_of(self, document_id: str, *, groups: frozenset[str]) -> Sequence[Chunk]:
        query = "SELECT chunk FROM chunks WHERE {valid} AND document_id = %(document)s AND audience = ANY({readable})"
        rows = self._rows(query, {"document": document_id, **_group_parameters(groups)})
        return sorted((unpack_chunk(text) for (text,) in rows), key=lambda chunk: (chunk.start, chunk.end, chunk.id))

    def contents(self, document_ids: Sequence[str]) -> Contents:
        query = (
            "SELECT chunk, vector_send(vector) FROM chunks JOIN (SELECT row, vector FROM vectors) AS sent USING (row) "
            "WHERE {valid} AND document_id = ANY(%(documents)s) ORDER BY id"
        )
        rows = self._rows(query, {"documents": list(document_ids)})
        return Contents(
            [unpack_chunk(text) for text, _ in rows], _decode_vectors([sent for _, sent in rows], self.dimensions)
        )

    def optimise(self) -> None:
        """Build the graph where there are vectors enough for one, and let PostgreSQL look at its tables."""
        with self._server.write_transaction() as connection:
            if self.dimensions <= _WIDEST and _size(connection, latest(connection))[0] > _EXACT:
                connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
                connection.execute(
                    "CREATE INDEX IF NOT EXISTS graph ON vectors USING hnsw (vector vector_ip_ops) "
                    f"WITH ({_GRAPH}) WHERE until IS NULL"
                )
        with self._server.lend() as connection:
            connection.execute("VACUUM (ANALYZE) chunks, vectors, postings, audiences")

    def versions(self) -> Sequence[Version]:
        with self._server.read_transaction() as connection:
            return list_versions(connection)

    def at(self, number: int) -> "PostgresIndex":
        with self._server.read_transaction() as connection:
            require_version(connection, number)
        return PostgresIndex(self._server, self.dimensions, number)

    def restore(self, number: int) -> int:
        with self._server.write_transaction() as connection:
            return restore_version(connection, number)

    def tag(self, number: int, name: str) -> None:
        with self._server.write_transaction() as connection:
            tag_version(connection, number, name)

    @contextmanager
    def _read_version(self) -> Iterator[_Read]:
        with self._server.read_transaction() as connection:
            last = latest(connection)
            if self._number is not None:
                require_version(connection, self._number)
            yield _Read(connection, self._number or last, self._number not in {None, last})

    def _rows(self, query: str, asked: Mapping[str, Any]) -> list[Any]:
        with self._read_version() as read:
            return read.rows(query, asked)


def _group_parameters(groups: frozenset[str]) -> Mapping[str, Any]:
    return {"groups": [pack_group(group) for group in sorted(groups)]}


def _search_effort(connection: "Connection[Any]", limit: int, groups: frozenset[str]) -> int:
    """Return pgvector's `ef_search` for the share that these groups may read; 0 if the graph must not be used."""
    rows = connection.execute(
        "SELECT coalesce(sum(chunks), 0), coalesce(sum(chunks) FILTER (WHERE groups = '{}' OR groups && %(groups)s), 0)"
        " FROM audiences WHERE to_regclass('graph') IS NOT NULL",
        _group_parameters(groups),
    )
    every, readable = map(int, rows.fetchone() or (0, 0))
    if readable <= _EXACT or readable < _NARROW * every:
        return 0
    return min(_MOST_EFFORT, max(_EFFORT, 2 * limit * every // readable))


def _size(connection: "Connection[Any]", number: int) -> tuple[int, int]:
    """Return the number of chunks of a version, and of all their terms."""
    row = connection.execute("SELECT chunks, words FROM versions WHERE number = %s", (number,)).fetchone() or (0, 0)
    return int(row[0]), int(row[1])


def _decode_vectors(sent: Sequence[bytes], dimensions: int) -> "Vectors":
    """Decode vectors in pgvector's binary format: two 16-bit integers, then 32-bit floats, all big-endian."""
    rows = [np.frombuffer(one, ">f4", offset=4) for one in sent]
    return np.array(rows, np.float32).reshape(-1, dimensions)
