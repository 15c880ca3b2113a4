"""Vectors in FAISS, in slots from 0, searched among the visible ones only.

Up to `FLAT` vectors all visible ones are compared exactly. More are held with 8 bits for each coordinate, which is
four times smaller and faster. A graph (HNSW) is faster still, and misses some.
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
"""Exact; 8 bits for each coordinate; a graph of neighbours, which only `optimise` builds."""
FLAT = 20_000
"""Vectors up to which all are held whole, where no kind is asked for."""
GRAPHED = 500_000
"""Vectors up to which `optimise` builds a graph, where no kind is asked for: more take minutes, and their memory."""
_NEIGHBOURS = 16
_BUILD_EFFORT = 100
_SEARCH_EFFORT = 128
_NARROW = 10
"""A graph is not asked where fewer than one in so many of its vectors is visible: it would lead nowhere."""


@dataclass(frozen=True, slots=True)
class Visible:
    """Which slots may be seen, and the same as FAISS wants it: None where all may."""

    mask: "NDArray[np.bool_]"
    count: int
    selector: Any

    @classmethod
    def of(cls, mask: "NDArray[np.bool_]") -> "Visible":
        """Show the slots of a mask."""
        faiss = import_faiss()
        count = int(mask.sum())
        if count == len(mask):
            return cls(mask, count, None)
        return cls(mask, count, faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little")))


@dataclass(frozen=True, slots=True)
class NearestSlots:
    """Slots, best first, and about the dot product of each."""

    slots: "NDArray[np.int64]"
    scores: "Rows"


class VectorIndex(Protocol):
    """What a segment needs of its vectors."""

    def nearest(self, query: "Rows", count: int, visible: Visible) -> NearestSlots:
        """Return about the `count` nearest visible slots, and all of them where there are no more."""
        ...


@dataclass(frozen=True, slots=True)
class FlatScan:
    """Every visible vector is compared."""

    index: Any

    def nearest(self, query: "Rows", count: int, visible: Visible) -> NearestSlots:
        faiss = import_faiss()
        return _search(self.index, query, count, faiss.SearchParameters(sel=visible.selector))


@dataclass(frozen=True, slots=True)
class HnswGraph:
    """A graph is followed; where it yields too little, every visible vector is compared."""

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
    """Return FAISS, without its type hints, which do not know what its Python wrapper adds."""
    import faiss

    return faiss


def build_scan(batches: Iterator["Rows"], dimensions: int, kind: Kind | None) -> FlatScan:
    """Hold vectors that come in batches; the ranges of 8-bit coordinates are learnt from the first of them."""
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
    """Return the FAISS index of a graph."""
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
