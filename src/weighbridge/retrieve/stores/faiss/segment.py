"""Reads rows of an index from SQLite into memory, as segments that can be searched."""

# ruff: noqa: S608 - what is put together are our own constants and whole numbers; values are parameters
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from weighbridge.retrieve.stores.faiss.bm25 import Postings
from weighbridge.retrieve.stores.faiss.vectors import HnswGraph, Kind, VectorIndex, Visible, build_hnsw, build_scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH = 32_768
"""Rows that are read at once: 50 MB of vectors with 384 dimensions."""


@dataclass(frozen=True, slots=True)
class IndexSegment:
    """Rows in slots, ascending. A segment never changes: where rows die, another segment takes its place."""

    rows: "NDArray[np.int64]"
    alive: "NDArray[np.bool_]"
    lengths: "NDArray[np.float64]"
    """In terms, by slot."""
    audience: "NDArray[np.int32]"
    """By slot, the place in `audiences` of the groups that may read it."""
    audiences: Sequence[frozenset[str]]
    postings: Postings
    vectors: VectorIndex

    def visible(self, groups: frozenset[str]) -> Visible:
        """Return the rows that these groups may read."""
        allowed = np.array([not audience or bool(audience & groups) for audience in self.audiences], np.bool_)
        return Visible.of(self.alive & allowed[self.audience])


@dataclass(slots=True)
class _RowReader:
    """Collects everything about rows but their vectors, while those are read."""

    rows: list[int] = field(default_factory=list)
    audience: list[int] = field(default_factory=list)
    audiences: dict[str, int] = field(default_factory=dict)
    lengths: list[int] = field(default_factory=list)
    words: list[bytes] = field(default_factory=list)

    def batches(self, cursor: sqlite3.Cursor, dimensions: int) -> "Iterator[NDArray[np.float32]]":
        """Yield the vectors of rows, and collect the rest."""
        while read := cursor.fetchmany(_BATCH):
            rows, groups, lengths, words, vectors = zip(*read, strict=True)
            self.rows += rows
            self.audience += [self.audiences.setdefault(text, len(self.audiences)) for text in groups]
            self.lengths += lengths
            self.words += words
            yield np.frombuffer(b"".join(vectors), "<f4").reshape(-1, dimensions)

    def segment(self, rows: "NDArray[np.int64]", vectors: VectorIndex) -> IndexSegment:
        """Return the segment of `rows` and their vectors. Rows that were not read are dead."""
        slots = np.searchsorted(rows, self.rows)
        alive, lengths, audience = np.zeros(len(rows), np.bool_), np.zeros(len(rows)), np.zeros(len(rows), np.int32)
        alive[slots], lengths[slots], audience[slots] = True, self.lengths, self.audience
        pairs = np.array([len(text) // 8 for text in self.words], np.int64)
        words = np.frombuffer(b"".join(self.words), "<i4").reshape(-1, 2)
        postings = Postings.of(np.repeat(slots, pairs), words)
        audiences = [frozenset(json.loads(text)) for text in self.audiences] or [frozenset()]
        return IndexSegment(rows, alive, lengths, audience, audiences, postings, vectors)


def read_segment(
    connection: sqlite3.Connection, valid: str, after: int, *, dimensions: int, kind: Kind | None
) -> IndexSegment:
    """Read the valid rows after the row `after`."""
    reading = _RowReader()
    cursor = _select_rows(connection, f"{valid} AND row > {after:d}", "vector")
    vectors = build_scan(reading.batches(cursor, dimensions), dimensions, kind)
    return reading.segment(np.array(reading.rows, np.int64), vectors)


def read_graph(connection: sqlite3.Connection, valid: str, file: Path) -> IndexSegment | None:
    """Read a graph that `save_graph` saved, with its rows; None if there is none."""
    import faiss

    try:
        with np.load(file, allow_pickle=False) as kept:
            rows, graph = kept["rows"], faiss.deserialize_index(kept["graph"])
    except (OSError, ValueError, KeyError, BadZipFile):  # missing, or cut short by a crash: searches then scan
        return None
    reading = _RowReader()
    cursor = _select_rows(connection, f"{valid} AND row <= {rows.max(initial=0):d}", "x''")
    for _ in reading.batches(cursor, 1):
        pass
    return reading.segment(rows, HnswGraph(graph)) if np.isin(reading.rows, rows).all() else None


def save_graph(connection: sqlite3.Connection, valid: str, dimensions: int, file: Path) -> None:
    """Build a graph of the valid rows and save it to a file, beside it first, so that no reader sees half of it."""
    import faiss

    reading = _RowReader()
    graph = build_hnsw(reading.batches(_select_rows(connection, valid, "vector"), dimensions), dimensions)
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    with beside.open("wb") as stream:
        np.savez(stream, rows=np.array(reading.rows, np.int64), graph=faiss.serialize_index(graph))
    beside.replace(file)


def _select_rows(connection: sqlite3.Connection, where: str, vector: str) -> sqlite3.Cursor:
    return connection.execute(
        f"SELECT row, groups, length, words, {vector} FROM chunks NOT INDEXED JOIN searched USING (row) "
        f"WHERE {where} ORDER BY row"
    )
