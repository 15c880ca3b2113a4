"""Holds vectors in FAISS, in slots from 0, and searches the visible ones only.

Up to `FLAT` vectors, a search compares all visible ones exactly. More are held with 8 bits for each coordinate: four
times smaller, and faster. A graph (HNSW) is faster still, and misses some.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

Kind = Literal["flat", "sq8", "hnsw"]
"""Exact; 8 bits for each coordinate; a graph of neighbours, built by `optimise` alone."""
FLAT = 20_000
"""The most vectors that are held in float32, if no kind is given: FAISS compares 100,000 in 13 ms."""
GRAPHED = 500_000
"""The most vectors that get a graph from `optimise`, if no kind is given: more take minutes, and much memory."""
_NEIGHBOURS = 16
_BUILD_EFFORT = 100
_SEARCH_EFFORT = 128
"""With these three, recall@30 is 0.999 at 100,000 chunks, and the graph takes 14 s to build (ADR 8)."""
_NARROW = 10
"""A graph is not used if fewer than one in so many of its vectors is visible: its paths would end too soon."""


@dataclass(frozen=True, slots=True)
class Visible:
    """The slots that an asker may see, as a mask and as a FAISS selector: None if all are visible."""

    mask: "NDArray[np.bool_]"
    count: int
    selector: Any

    @classmethod
    def of(cls, mask: "NDArray[np.bool_]") -> "Visible":
        """Make the slots of a mask visible."""
        faiss = import_faiss()
        count = int(mask.sum())
        if count == len(mask):
            return cls(mask, count, None)
        return cls(mask, count, faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little")))


@dataclass(frozen=True, slots=True)
class NearestSlots:
    """Slots, best first, with the approximate dot product of each."""

    slots: "NDArray[np.int64]"
    scores: "Rows"


class VectorIndex(Protocol):
    """The vectors of a segment, ready to be searched."""

    def nearest(self, query: "Rows", count: int, visible: Visible) -> NearestSlots:
        """Return approximately the `count` nearest visible slots, or all of them if there are no more."""
        ...


@dataclass(frozen=True, slots=True)
class FlatScan:
    """Compares every visible vector."""

    index: Any

    def nearest(self, query: "Rows", count: int, visible: Visible) -> NearestSlots:
        faiss = import_faiss()
        return _search(self.index, query, count, faiss.SearchParameters(sel=visible.selector))


@dataclass(frozen=True, slots=True)
class HnswGraph:
    """Follows a graph; if that yields too few slots, compares every visible vector."""

    index: Any

    def nearest(self, query: "Rows", count: int, visible: Visible) -> NearestSlots:
        faiss = import_faiss()
        wanted = min(count, visible.count)
        if visible.count * _NARROW >= self.index.ntotal:
            effort = faiss.SearchParametersHNSW(sel=visible.selector, efSearch=max(_SEARCH_EFFORT, 2 * count))
            near = _search(self.index, query, wanted, effort)
            if len(near.slots) == wanted:
                return near
        return FlatScan(self.index.storage).nearest(query, wanted, visible)


def import_faiss() -> Any:
    """Return FAISS without its type hints: they lack the methods that its Python wrapper adds."""
    import faiss

    return faiss


def build_scan(batches: Iterator["Rows"], dimensions: int, kind: Kind | None) -> FlatScan:
    """Return an index of vectors that come in batches. The first batch decides the ranges of 8-bit coordinates."""
    faiss = import_faiss()
    first = next(batches, np.zeros((0, dimensions), np.float32))
    if kind == "flat" or (kind != "sq8" and len(first) <= FLAT) or not len(first):
        index: Any = faiss.IndexFlatIP(dimensions)
    else:
        index = faiss.IndexScalarQuantizer(dimensions, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        index.train(first)
    for batch in chain([first], batches):
        index.add(batch)
    return FlatScan(index)


def build_hnsw(batches: Iterator["Rows"], dimensions: int) -> Any:
    """Return a FAISS graph of vectors that come in batches."""
    faiss = import_faiss()
    index = faiss.IndexHNSWFlat(dimensions, _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _BUILD_EFFORT
    for batch in batches:
        index.add(batch)
    return index


def _search(index: Any, query: "Rows", count: int, parameters: Any) -> NearestSlots:
    if not count:
        return NearestSlots(np.zeros(0, np.int64), np.zeros(0, np.float32))
    scores, slots = index.search(query.reshape(1, -1), count, params=parameters)
    found = slots[0] >= 0
    return NearestSlots(slots[0][found], scores[0][found])
