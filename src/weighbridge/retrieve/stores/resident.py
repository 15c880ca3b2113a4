"""Vectors kept in the process, so that the nearest of 100,000 are found in about a millisecond.

Up to `EXACT` visible vectors all are compared. Beyond, a sketch of each (the signs of its coordinates after a fixed
rotation about the mean, one bit each) picks candidates by Hamming distance, and those are compared exactly. Of the
true first 30 among 100,000 vectors made of MiniLM's of SQuAD sentences, 0.999 are candidates.

Only vectors of visible rows are touched, in a sketch or whole. A state never changes; the next one shares its memory.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.retrieve.stores.slots import EXACT, Chosen, Labels, Piece, Slots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Numbers = NDArray[np.int64]

_CANDIDATES = 2_000
_ONE_IN = 100
"""One in so many visible vectors is a candidate, where that is more than `_CANDIDATES`."""
_ASKERS = 64
"""Sets of groups for which it is remembered what they may read."""
_CLOSE = 1e-5
"""More than a sum of float32 products may be off."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows that were found, best first: where their owner has them, and their dot products."""

    places: "Numbers"
    scores: "NDArray[np.float64]"


class Resident:
    """The vectors of one state of an index. Searches may run in several threads."""

    def __init__(self, memory: Slots, slots: "Numbers", places: "Numbers") -> None:
        """Take the rows in these slots (ascending); `places` is where their owner has each."""
        self._memory, self._slots, self._places = memory, slots, places
        order = np.argsort(memory.stamps[slots])
        self._by_stamp, self._stamps = slots[order], memory.stamps[slots][order]
        self._by_place: Numbers | None = None
        self._chosen: dict[frozenset[str], Chosen] = {}

    @classmethod
    def of(cls, rows: Labels, places: "Numbers", pieces: Iterable[Piece], dimensions: int) -> "Resident":
        """Keep rows: `places` is where their owner has each, `pieces` are the vectors of all, in any order."""
        order = np.argsort(rows.audience, kind="stable")  # what the same people may read, side by side
        memory = Slots.of(len(rows), dimensions)
        memory.reserve(rows.at(order))
        return cls(memory, np.arange(len(rows)), places[order]).filled(pieces)

    def missing(self, stamps: "Numbers") -> "NDArray[np.bool_]":
        """Tell which of these rows are not kept."""
        return self._find(stamps) < 0

    def moved(self, rows: Labels, places: "Numbers", pieces: Iterable[Piece]) -> "Resident":
        """Return the state of an index with these rows in these places; `pieces` are the vectors of the missing."""
        slots = self._find(rows.stamps)
        new = slots < 0
        worn = 2 * len(rows) < self._memory.used
        first = None if worn else self._memory.reserve(rows.at(new))
        if first is None:
            both = chain(self._memory.pieces(slots[~new]), pieces)
            return Resident.of(rows, places, both, self._memory.vectors.shape[1])
        slots[new] = np.arange(first, first + np.count_nonzero(new))
        order = np.argsort(slots)
        return Resident(self._memory, slots[order], places[order]).filled(pieces)

    def nearest(self, query: "Vectors", *, limit: int, groups: frozenset[str]) -> Hits:
        """Return the visible rows of highest dot product; more than `limit` only where the last of them tie."""
        chosen = self._visible(groups)
        candidates = max(_CANDIDATES, len(chosen.slots) // _ONE_IN, 20 * limit)
        if len(chosen.slots) > EXACT and 4 * candidates < len(chosen.slots):
            chosen = Chosen(self._memory.alike(query, chosen, candidates), ())
        slots = chosen.slots
        if len(slots) > limit:
            scores = self._memory.products(query, chosen)
            slots = slots[scores >= np.partition(scores, -limit)[-limit] - _CLOSE]
        exact = self._memory.exactly(query, slots)
        order = np.argsort(-exact, kind="stable")
        if len(order) > limit:
            order = order[exact[order] >= exact[order[limit - 1]]]
        return Hits(self._places[np.searchsorted(self._slots, slots[order])], exact[order])

    def vectors(self, places: Sequence[int]) -> "Vectors | None":
        """Return the vectors of rows that are there; None where they are not kept in full."""
        if self._memory.vectors.dtype != np.float32:
            return None
        if self._by_place is None:
            self._by_place = np.argsort(self._places, kind="stable")
        at = self._by_place[np.searchsorted(self._places, np.asarray(places, np.int64), sorter=self._by_place)]
        return self._memory.vectors[self._slots[at]].astype(np.float32)

    def _find(self, stamps: "Numbers") -> "Numbers":
        if not len(self._stamps):
            return np.full(len(stamps), -1, np.int64)
        at = np.minimum(np.searchsorted(self._stamps, stamps), len(self._stamps) - 1)
        return np.where(self._stamps[at] == stamps, self._by_stamp[at], -1)

    def filled(self, pieces: Iterable[Piece]) -> "Resident":
        """Take the vectors of rows whose slots are new, and return this state."""
        for piece in pieces:
            self._memory.fill(self._find(piece.stamps), piece.vectors)
        return self

    def _visible(self, groups: frozenset[str]) -> Chosen:
        found = self._chosen.get(groups)
        if found is None:
            audiences = list(self._memory.audiences)
            seen = np.array([not readers or bool(readers & groups) for readers in audiences], np.bool_)
            slots = self._slots
            found = Chosen.of(slots if seen.all() else slots[seen[self._memory.audience[slots]]])
            if len(self._chosen) >= _ASKERS:
                self._chosen.clear()
            self._chosen[groups] = found
        return found
