"""The default store: one LanceDB table in a folder, with no server.

- One `apply` is one Lance commit (`merge_insert` deletes, updates and inserts together), so a reader sees all of it
  or nothing, also after a crash. Tidying the full-text index afterwards is a commit that changes no content.
- An opened index is a snapshot plus its own changes; what another process applies is seen after opening again.
- Vector search is exact: every visible vector is compared. Full-text search is BM25 over stemmed English words of
  title and text together; rows that the index does not hold yet are scanned, so new rows are found at once.
- Access groups are part of the filter inside both searches, never a step after them.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.errors import MissingExtraError, WorkspaceError
from weighbridge.protocols import Changes
from weighbridge.retrieve.searchable import searchable_text
from weighbridge.types import Chunk, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TABLE = "chunks"
_FIELDS = ("id", "document_id", "title", "text", "start", "end", "groups")
_FULL_TEXT = {"language": "English", "stem": True, "remove_stop_words": True}
LAYOUT = f"1 {_FIELDS} {_FULL_TEXT}"
"""What a table is like besides its content. An index of another layout is built anew: count up with `_schema`."""
_SCANNED = 200
"""Rows the full-text index may lack before it is brought up to date: scanning them takes milliseconds."""
_SPARE = 8
"""Hits asked for beyond the limit, to see whether a tie is cut."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything in an index: its chunks, and their vectors in the same order, shape (len(chunks), dimensions)."""

    chunks: Sequence[Chunk]
    vectors: "NDArray[np.float32]"


def open_lance(folder: Path, *, dimensions: int) -> "LanceIndex":
    """Open the index in a folder, or create an empty one there.

    Raises:
        WorkspaceError: the folder holds vectors of other dimensions, or cannot be used.
        MissingExtraError: LanceDB is not installed.
    """
    try:
        import lancedb
        from lancedb.index import FTS
    except ModuleNotFoundError as error:
        raise MissingExtraError("the LanceDB index", "local") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        table = lancedb.connect(folder).create_table(_TABLE, schema=_schema(dimensions), exist_ok=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise WorkspaceError(f"{folder}: cannot be opened as an index ({error}); delete it and index again") from error
    if not table.list_indices():
        table.create_index("searchable", config=FTS(**_FULL_TEXT))
    return LanceIndex(table, dimensions)


class LanceIndex:
    """An `Index` in a LanceDB table. Searches may run in several threads; changes take turns."""

    def __init__(self, table: Any, dimensions: int) -> None:
        self.dimensions = dimensions
        self._table = table
        self._lock = threading.Lock()

    @property
    def version(self) -> int:
        return int(self._table.version)

    def count(self) -> int:
        return int(self._table.count_rows())

    def apply(self, changes: Changes) -> int:
        """Commit the changes and return the new version; a chunk whose id is there already is replaced.

        Raises:
            ValueError: two chunks have one id, or the vectors do not fit the chunks; nothing is changed.
        """
        rows = _rows(changes, self.dimensions)
        with self._lock:
            if changes.removed or changes.added:
                self._merge(rows, changes.removed)
                self._tidy()
            return self.version

    def nearest(self, vector: "NDArray[np.float32]", *, limit: int, groups: frozenset[str]) -> Sequence[Passage]:
        """Return the passages of highest dot product with the vector (their score), ties in order of chunk id."""
        query = np.asarray(vector, np.float32).reshape(self.dimensions)

        def fetch(count: int) -> list[Passage]:
            search = self._table.search(query, vector_column_name="vector").distance_type("dot")
            hits = self._hits(search, count, groups, "_distance")
            return [Passage(_chunk(hit), 1.0 - hit["_distance"]) for hit in hits]

        return _first(fetch, limit)

    def matching(self, text: str, *, limit: int, groups: frozenset[str]) -> Sequence[Passage]:
        """Return the passages of highest BM25 with any of the words, ties in order of chunk id. Any text is allowed."""
        from lancedb.query import MatchQuery

        words = MatchQuery(text.encode("utf-8", "replace").decode("utf-8"), "searchable")

        def fetch(count: int) -> list[Passage]:
            search = self._table.search(words, query_type="fts")
            return [Passage(_chunk(hit), hit["_score"]) for hit in self._hits(search, count, groups, "_score")]

        return _first(fetch, limit)

    def contents(self) -> Contents:
        """Return all chunks in order of their ids, with their vectors, whatever their groups."""
        table = self._table.search().select([*_FIELDS, "vector"]).to_arrow().sort_by("id")
        flat = table["vector"].combine_chunks().flatten().to_numpy()
        vectors = np.asarray(flat, np.float32).reshape(table.num_rows, self.dimensions)
        return Contents([_chunk(row) for row in table.select(_FIELDS).to_pylist()], vectors)

    def _merge(self, rows: Any, removed: Iterable[str]) -> None:
        from lancedb.expr import col

        merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        if removed := sorted(removed):
            merge = merge.when_not_matched_by_source_delete(col("document_id").isin(removed))
        merge.execute(rows)

    def _tidy(self) -> None:
        stats = self._table.index_stats("searchable_idx")
        if stats is None or stats.num_unindexed_rows > _SCANNED:
            self._table.optimize()

    def _hits(self, search: Any, count: int, groups: frozenset[str], score: str) -> list[dict[str, Any]]:
        found = search.where(_visible(groups), prefilter=True).limit(count).select([*_FIELDS, score])
        hits: list[dict[str, Any]] = found.to_list()
        return hits


def _first(fetch: Callable[[int], list[Passage]], limit: int) -> Sequence[Passage]:
    """Return the first `limit` hits by score, then id: asks for more until no tie is cut at random by the engine."""
    if limit <= 0:
        return ()
    asked = limit + _SPARE
    hits = fetch(asked)
    while len(hits) == asked and hits[-1].score == hits[limit - 1].score:
        asked *= 2
        hits = fetch(asked)
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk.id))[:limit]


def _visible(groups: frozenset[str]) -> str:
    """Return the filter of what these groups may read. In a literal only the quote has a meaning; it is doubled."""
    if not groups:
        return "public"
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(groups))
    return f"public OR array_has_any(groups, [{names}])"


def _schema(dimensions: int) -> Any:
    import pyarrow as pa

    texts = [pa.field(name, pa.string(), nullable=False) for name in ("id", "document_id", "title", "text")]
    places = [pa.field(name, pa.int64(), nullable=False) for name in ("start", "end")]
    groups = [pa.field("groups", pa.list_(pa.string())), pa.field("public", pa.bool_(), nullable=False)]
    searched = [pa.field("searchable", pa.string()), pa.field("vector", pa.list_(pa.float32(), dimensions))]
    return pa.schema([*texts, *places, *groups, *searched])


def _rows(changes: Changes, dimensions: int) -> Any:
    import pyarrow as pa

    chunks = changes.added
    vectors = np.zeros((0, dimensions), np.float32) if changes.vectors is None else changes.vectors
    if vectors.shape != (len(chunks), dimensions):
        raise ValueError(f"{len(chunks)} chunks need vectors of shape {(len(chunks), dimensions)}, not {vectors.shape}")
    if len({chunk.id for chunk in chunks}) != len(chunks):
        raise ValueError("two added chunks have the same id")
    columns = [
        *([getattr(chunk, name) for chunk in chunks] for name in _FIELDS if name != "groups"),
        [sorted(chunk.groups) for chunk in chunks],
        [not chunk.groups for chunk in chunks],
        [searchable_text(chunk) for chunk in chunks],
    ]
    schema = _schema(dimensions)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=False)]
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
    return pa.Table.from_arrays([*arrays, pa.FixedSizeListArray.from_arrays(flat, dimensions)], schema=schema)


def _chunk(row: Mapping[str, Any]) -> Chunk:
    fields = {name: row[name] for name in _FIELDS if name != "groups"}
    return Chunk(**fields, groups=frozenset(row["groups"]))
