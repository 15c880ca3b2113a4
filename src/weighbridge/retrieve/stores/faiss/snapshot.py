"""Holds one version of an index in memory, for its searches.

A snapshot is made of segments. New rows become a segment of their own, together with those before it that are not much
larger (as in a log-structured merge tree). So a change costs in proportion to its size, and there are never many
segments.
"""

# ruff: noqa: S608 - what is put together are our own constants and whole numbers; values are parameters
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.retrieve.stores.faiss.bm25 import IndexSize, SegmentWords, bm25
from weighbridge.retrieve.stores.faiss.segment import IndexSegment, read_graph, read_segment
from weighbridge.retrieve.stores.faiss.sqlite import NOW, has_version, last_row
from weighbridge.retrieve.stores.faiss.vectors import Kind, Visible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

_ASKERS = 64
"""Sets of groups with cached readable rows; then the cache starts again, so that it never fills the memory."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows and their scores."""

    rows: "Numbers"
    scores: "NDArray[np.float64]"

    def best(self, count: int) -> "Hits":
        """Return the `count` best, in no order; more only if the last of them tie."""
        if len(self.rows) <= count:
            return self
        kept = self.scores >= np.partition(self.scores, -count)[-count]
        return Hits(self.rows[kept], self.scores[kept])


@dataclass(frozen=True, slots=True)
class SnapshotSource:
    """The dimensions and the kind of the vectors, and the file of their graph."""

    dimensions: int
    kind: Kind | None
    graph: Path
    """The file of a graph, if `optimise` made one."""


@dataclass(frozen=True, slots=True)
class IndexSnapshot:
    """The rows of one version. Never changes, so that many threads may search it."""

    version: int
    size: IndexSize
    last_row: int
    """The highest row that was read."""
    segments: Sequence[IndexSegment]
    _visible: dict[frozenset[str], Sequence[Visible]] = field(default_factory=dict)

    def visible(self, groups: frozenset[str]) -> Sequence[Visible]:
        """Return the rows of each segment that these groups may read."""
        found = self._visible.get(groups)
        if found is None:
            found = [segment.visible(groups) for segment in self.segments]
            if len(self._visible) >= _ASKERS:
                self._visible.clear()
            self._visible[groups] = found
        return found

    def nearest(self, query: "NDArray[np.float32]", count: int, visible: Sequence[Visible]) -> Hits:
        """Return approximately the nearest rows: at least `count` if so many are visible."""
        rows, scores = [np.zeros(0, np.int64)], [np.zeros(0)]
        for segment, seen in zip(self.segments, visible, strict=True):
            near = segment.vectors.nearest(query, min(count, seen.count), seen)
            rows.append(segment.rows[near.slots])
            scores.append(near.scores.astype(np.float64))
        return Hits(np.concatenate(rows), np.concatenate(scores)).best(count)

    def search_text(self, question: Mapping[int, int], visible: Sequence[Visible], among: "Numbers | None") -> Hits:
        """Return the visible rows with any term of the question. `question` has the number of times for each term."""
        parts = []
        for segment, seen in zip(self.segments, visible, strict=True):
            chosen = seen.mask if among is None else seen.mask & np.isin(segment.rows, among)
            parts.append(SegmentWords(segment.postings, segment.lengths, segment.alive, chosen))
        scores = bm25(question, parts, self.size)
        slots = [np.flatnonzero(score) for score in scores]
        rows = [segment.rows[slot] for segment, slot in zip(self.segments, slots, strict=True)]
        found = [score[slot] for score, slot in zip(scores, slots, strict=True)]
        return Hits(np.concatenate([*rows, np.zeros(0, np.int64)]), np.concatenate([*found, np.zeros(0)]))


def read_snapshot(connection: sqlite3.Connection, source: SnapshotSource, version: int, valid: str) -> IndexSnapshot:
    """Read a version. `valid` is the SQL condition of its rows."""
    graph = read_graph(connection, valid, source.graph) if source.kind in {"hnsw", None} and valid == NOW else None
    after = int(graph.rows.max(initial=0)) if graph is not None else 0
    rest = read_segment(connection, valid, after, dimensions=source.dimensions, kind=source.kind)
    segments = [segment for segment in (graph, rest) if segment is not None and len(segment.rows)]
    return IndexSnapshot(version, read_size(connection, version), max(after, last_row(connection)), segments)


def update_snapshot(
    connection: sqlite3.Connection, source: SnapshotSource, before: IndexSnapshot, version: int
) -> IndexSnapshot:
    """Return the latest version by reading only the changes since an earlier one."""
    segments = _drop_deleted(connection, before)
    added = f"SELECT count(*) FROM chunks NOT INDEXED WHERE {NOW} AND row > ?"
    (new,) = connection.execute(added, (before.last_row,)).fetchone()
    kept, after = _segments_to_keep(segments, new)
    rest = []
    if new or len(kept) < len(segments):
        rest = [read_segment(connection, NOW, after, dimensions=source.dimensions, kind=source.kind)]
    last = max(before.last_row, last_row(connection))
    return IndexSnapshot(
        version, read_size(connection, version), last, [*kept, *(one for one in rest if len(one.rows))]
    )


def _drop_deleted(connection: sqlite3.Connection, before: IndexSnapshot) -> list[IndexSegment]:
    """Return the segments without the rows that were deleted since."""
    if has_version(connection, before.version):  # then its deleted rows are still in the table
        found = connection.execute("SELECT row FROM chunks WHERE until > ?", (before.version,)).fetchall()
        gone = np.array(found, np.int64).reshape(-1)
        if not len(gone):
            return list(before.segments)
        return [replace(one, alive=one.alive & ~np.isin(one.rows, gone)) for one in before.segments]
    there = np.array(connection.execute(f"SELECT row FROM chunks WHERE {NOW}").fetchall(), np.int64).reshape(-1)
    return [replace(one, alive=one.alive & np.isin(one.rows, there)) for one in before.segments]


def _segments_to_keep(segments: Sequence[IndexSegment], new: int) -> tuple[Sequence[IndexSegment], int]:
    """Return the segments to keep, and their last row: all rows after it are read again."""
    kept = list(segments)
    for place, segment in enumerate(segments):
        if 2 * int(segment.alive.sum()) < len(segment.rows):  # half of it is deleted: reading it again frees memory
            kept = kept[:place]
            break
    size = new + sum(int(one.alive.sum()) for one in segments[len(kept) :])
    while size and kept and (last := int(kept[-1].alive.sum())) <= 2 * size:
        size += last
        kept.pop()
    after = int(kept[-1].rows[-1]) if kept else 0
    return kept, after


def read_size(connection: sqlite3.Connection, version: int) -> IndexSize:
    """Return the size of a version."""
    return IndexSize(*connection.execute("SELECT chunks, words FROM versions WHERE number = ?", (version,)).fetchone())
