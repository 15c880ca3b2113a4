"""A LanceDB table as it is at one version: what all reads of an index go through, so that each sees one state."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes, Contents
from weighbridge.retrieve.analyse import terms
from weighbridge.retrieve.stores.lance_rows import (
    CHUNK,
    READ,
    chunk_of,
    labels_of,
    numbers,
    one_of,
    vectors_of,
    visible,
)
from weighbridge.retrieve.stores.resident import Resident
from weighbridge.retrieve.stores.slots import Labels, Piece
from weighbridge.types import Chunk, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPARE = 8
"""Hits asked for beyond the limit, to see whether a tie is cut."""
_TAKEN = 1000
"""Rows that are fetched one by one; more are read with all the others."""
_BATCH = 1 << 20
"""Rows that Lance gives at once: its default of 8,192 takes four times as long."""
_PIECE = 1 << 14
"""Rows whose vectors are read at once."""
_KNOWN = 2_000
"""Chunks that are remembered after they were returned: a search is often asked about its own hits."""


class LanceView:
    """An `Index` for reading only: one version of a table. Searches may run in several threads."""

    def __init__(self, table: Any, version: int, dimensions: int, before: Resident | None = None) -> None:
        """Take a table that stays checked out at this version, and the vectors of one before."""
        self.version = version
        self.dimensions = dimensions
        self._table = table
        self._lock = threading.Lock()
        self._resident: Resident | None = None
        self._before = before
        self._known: dict[str, _Known] = {}

    def rows(self) -> Any:
        """Return a reader of all rows but stones."""
        return self._table.search().where(READ).to_batches(_PIECE)

    def kept(self) -> Resident | None:
        """Return the latest vectors in memory, of this version or one before."""
        return self._resident or self._before

    def apply(self, changes: Changes) -> int:
        raise WorkspaceError(f"version {self.version} of the index is a past one, for reading only; restore it first")

    def now(self) -> "LanceView":
        return self

    def count(self) -> int:
        return int(self._table.count_rows(READ))

    def documents(self) -> Mapping[str, str]:
        table = self._scan(["document_id", "version", "audience"])
        table = table.filter(table["audience"].is_valid())
        return dict(zip(table["document_id"].to_pylist(), table["version"].to_pylist(), strict=True))

    def nearest(self, vector: "NDArray[np.float32]", *, limit: int, groups: frozenset[str]) -> Sequence[Passage]:
        """Return the passages of highest dot product with the vector (their score), ties in order of chunk id."""
        if limit <= 0:
            return ()
        query = np.asarray(vector, np.float32).reshape(self.dimensions)
        hits = self._vectors().nearest(query, limit=limit, groups=groups)
        scores = dict(zip(hits.places.tolist(), hits.scores.tolist(), strict=True))
        if len(scores) > limit:
            last = min(scores.values())
            tied = [place for place, score in scores.items() if score == last]
            ids = self._take(tied, "id")
            for place in sorted(tied, key=lambda place: ids[place])[limit - len(scores) :]:
                del scores[place]
        found = self._take(list(scores), CHUNK)
        return _ordered(self._passage(place, found[place], score) for place, score in scores.items())

    def matching(
        self, text: str, *, limit: int, groups: frozenset[str], among: Collection[str] | None = None
    ) -> Sequence[Passage]:
        """Return the passages of highest BM25 with any of the words, ties in order of chunk id. Any text is allowed."""
        from lancedb.query import MatchQuery

        words = MatchQuery(" ".join(terms(text)), "terms")
        allowed = visible(groups) if among is None else f"{visible(groups)} AND {one_of('id', among)}"
        seen = self._seen_before(among)

        def fetch(count: int) -> list[Passage]:
            search = self._table.search(words, query_type="fts").where(allowed, prefilter=True).limit(count)
            hits = search.select(["_score"] if seen else [CHUNK, "_score"]).with_row_id(with_row_id=True).to_arrow()
            places, scores = hits["_rowid"].to_pylist(), hits["_score"].to_pylist()
            if seen:
                return [Passage(seen[place], score) for place, score in zip(places, scores, strict=True)]
            return [self._passage(*hit) for hit in zip(places, hits[CHUNK].to_pylist(), scores, strict=True)]

        return _first(fetch, limit) if words.query else ()

    def vectors(self, ids: Sequence[str], *, groups: frozenset[str]) -> "NDArray[np.float32]":
        known = [self._known.get(id_) for id_ in ids]
        places = [one.place for one in known if one is not None and one.may_be_read_by(groups)]
        if self._resident is not None and len(places) == len(ids):
            kept = self._resident.vectors(places)
            if kept is not None:
                return kept
        asked = self._table.search().where(f"{visible(groups)} AND {one_of('id', set(ids))}")
        found = asked.select(["id", "vector"]).to_arrow()
        row = {id_: row for row, id_ in enumerate(found["id"].to_pylist())}
        return vectors_of(found, self.dimensions)[[row[id_] for id_ in ids]]

    def chunks_of(self, document_id: str, *, groups: frozenset[str]) -> Sequence[Chunk]:
        asked = self._table.search().where(f"{visible(groups)} AND {one_of('document_id', [document_id])}")
        chunks = map(chunk_of, asked.select([CHUNK]).to_arrow()[CHUNK].to_pylist())
        return sorted(chunks, key=lambda chunk: (chunk.start, chunk.end, chunk.id))

    def contents(self, document_ids: Sequence[str]) -> Contents:
        asked = self._table.search().where(f"{READ} AND {one_of('document_id', set(document_ids))}")
        table = asked.select(["id", CHUNK, "vector"]).to_arrow().combine_chunks().sort_by("id")
        return Contents([chunk_of(text) for text in table[CHUNK].to_pylist()], vectors_of(table, self.dimensions))

    def _vectors(self) -> Resident:
        with self._lock:
            if self._resident is None:
                table = self._scan(["stamp", "audience"], rowids=True)
                table = table.filter(table["audience"].is_valid())
                rows, places = labels_of(table), numbers(table["_rowid"])
                if self._before is None:
                    self._resident = Resident.of(rows, places, self._pieces(), self.dimensions)
                else:
                    self._resident = self._before.moved(rows, places, self._missing(rows, places, self._before))
                self._before = None
            return self._resident

    def _missing(self, rows: Labels, places: "NDArray[np.int64]", before: Resident) -> Iterator[Piece]:
        new = places[before.missing(rows.stamps)]
        if len(new) > _TAKEN:
            for piece in self._pieces():
                fresh = before.missing(piece.stamps)
                yield Piece(piece.stamps[fresh], piece.vectors[fresh])
        elif len(new):
            taken = self._table.take_row_ids(new.tolist()).select(["stamp", "vector"]).to_arrow()
            yield Piece(numbers(taken["stamp"]), vectors_of(taken, self.dimensions))

    def _pieces(self) -> Iterator[Piece]:
        rows = self._table.search().where(READ).select(["stamp", "vector"])
        for batch in rows.to_batches(_PIECE):
            yield Piece(numbers(batch["stamp"]), vectors_of(batch, self.dimensions))

    def _scan(self, columns: Sequence[str], *, rowids: bool = False) -> Any:
        return self._table.search().select(list(columns)).with_row_id(with_row_id=rowids).to_batches(_BATCH).read_all()

    def _take(self, places: Sequence[int], column: str) -> Mapping[int, str]:
        if not places:
            return {}
        rows = self._table.take_row_ids(list(places)).select([column]).with_row_id().to_arrow()
        return dict(zip(rows["_rowid"].to_pylist(), rows[column].to_pylist(), strict=True))

    def _passage(self, place: int, text: str, score: float) -> Passage:
        chunk = chunk_of(text)
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[chunk.id] = _Known(place, chunk)
        return Passage(chunk, score)

    def _seen_before(self, ids: Collection[str] | None) -> Mapping[int, Chunk]:
        """Return chunks by their places; none where not all were returned before, so that they have to be read."""
        known = [self._known.get(id_) for id_ in ids or ()]
        found = {one.place: one.chunk for one in known if one is not None}
        return found if len(found) == len(known) else {}


@dataclass(frozen=True, slots=True)
class _Known:
    """A chunk that was returned before, and where it is."""

    place: int
    chunk: Chunk

    def may_be_read_by(self, groups: frozenset[str]) -> bool:
        return not self.chunk.groups or bool(self.chunk.groups & groups)


def _first(fetch: Callable[[int], list[Passage]], limit: int) -> Sequence[Passage]:
    """Return the first `limit` hits by score, then id: asks for more until no tie is cut at random by the engine."""
    if limit <= 0:
        return ()
    asked = limit + _SPARE
    hits = fetch(asked)
    while len(hits) == asked and hits[-1].score == hits[limit - 1].score:
        asked *= 2
        hits = fetch(asked)
    return _ordered(hits)[:limit]


def _ordered(passages: Iterable[Passage]) -> list[Passage]:
    return sorted(passages, key=lambda passage: (-passage.score, passage.chunk.id))
