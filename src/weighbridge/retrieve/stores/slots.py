"""Memory for vectors and their sketches, and the arithmetic on them. A slot that is taken never changes."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Numbers = NDArray[np.int64]

EXACT = 20_000
"""Vectors that are all compared; with more, candidates are chosen by their sketches."""
_FULL_BYTES = 1 << 30
"""Memory up to which vectors are kept in float32; beyond it in float16, whose scores are off by about 1e-5."""
_ROOM = 1.25
"""Slots made for each row there is, for those to come."""
_RUNS = 256
"""Stretches of neighbouring slots that are read in place; where there are more, their rows are gathered first."""
_PIECE = 8192


@dataclass(frozen=True, slots=True)
class Labels:
    """Rows, in one order: a number that names each for good, and who may read it."""

    stamps: "Numbers"
    audiences: Sequence[frozenset[str]]
    """The distinct sets of groups; an empty one is everybody."""
    audience: "Numbers"
    """For each row, which of `audiences`."""

    def __len__(self) -> int:
        return len(self.stamps)

    def at(self, rows: "NDArray[np.int64] | NDArray[np.bool_]") -> "Labels":
        """Return some of the rows."""
        return Labels(self.stamps[rows], self.audiences, self.audience[rows])


@dataclass(frozen=True, slots=True)
class Piece:
    """The vectors of some rows, shape (len(stamps), dimensions)."""

    stamps: "Numbers"
    vectors: "Vectors"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some slots in ascending order, and as stretches of neighbours unless they are too scattered."""

    slots: "Numbers"
    runs: Sequence[slice]

    @classmethod
    def of(cls, slots: "Numbers") -> "Chosen":
        """Find the stretches."""
        cuts = np.flatnonzero(np.diff(slots) != 1) + 1
        if not len(slots) or len(cuts) >= _RUNS:
            return cls(slots, ())
        firsts, lasts = slots[[0, *cuts]].tolist(), slots[[*(cuts - 1), -1]].tolist()
        return cls(slots, [slice(first, last + 1) for first, last in zip(firsts, lasts, strict=True)])


@dataclass(slots=True)
class Slots:
    """Rows in slots. Once filled, a slot never changes."""

    stamps: "Numbers"
    audience: "Numbers"
    vectors: "NDArray[np.floating[Any]]"
    sketches: "NDArray[np.uint64]"
    """Shape (words, slots): a bit for each coordinate. No words where there are too few slots to need them."""
    mean: "Vectors | None" = None
    """Of the first rows that came; sketches are taken about it."""
    audiences: dict[frozenset[str], int] = field(default_factory=dict)
    used: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, rows: int, dimensions: int) -> "Slots":
        """Make slots for so many rows and some more."""
        count = max(64, int(rows * _ROOM))
        full = count * dimensions * 4 <= _FULL_BYTES
        return cls(
            np.zeros(count, np.int64),
            np.zeros(count, np.int64),
            np.zeros((count, dimensions), np.float32 if full else np.float16),
            np.zeros((-(-dimensions // 64) if count > EXACT else 0, count), np.uint64),
        )

    def reserve(self, rows: Labels) -> int | None:
        """Take slots for rows, one after the other, and return the first; None where there is no room."""
        with self.lock:
            first, last = self.used, self.used + len(rows)
            if last > len(self.stamps):
                return None
            codes = [self.audiences.setdefault(audience, len(self.audiences)) for audience in rows.audiences]
            self.stamps[first:last] = rows.stamps
            self.audience[first:last] = np.array(codes, np.int64)[rows.audience]
            self.used = last
            return first

    def fill(self, slots: "Numbers", vectors: "Vectors") -> None:
        """Put vectors into reserved slots."""
        with self.lock:
            if self.mean is None and len(vectors):
                self.mean = vectors.mean(axis=0)
        for start in range(0, len(slots), _PIECE):
            piece, place = vectors[start : start + _PIECE], slots[start : start + _PIECE]
            self.vectors[place] = piece
            if len(self.sketches):
                self.sketches[:, place] = self._sketch(piece)

    def pieces(self, slots: "Numbers") -> Iterator[Piece]:
        """Yield the vectors in some slots."""
        for start in range(0, len(slots), _PIECE):
            place = slots[start : start + _PIECE]
            yield Piece(self.stamps[place], self._whole(place))

    def products(self, query: "Vectors", chosen: Chosen) -> "Vectors":
        """Return the dot products of the chosen vectors with another, to about six digits."""
        if not chosen.runs:
            return _products(self._whole(chosen.slots), query)
        wholes = (self.vectors[run].astype(np.float32, copy=False) for run in chosen.runs)
        return np.concatenate([_products(whole, query) for whole in wholes])

    def exactly(self, query: "Vectors", slots: "Numbers") -> "NDArray[np.float64]":
        """Return dot products that are the same for the same vector, wherever it stands."""
        made = np.empty(len(slots), np.float64)
        for start in range(0, len(slots), _PIECE):
            piece = self.vectors[slots[start : start + _PIECE]].astype(np.float64)
            made[start : start + _PIECE] = (piece * query).sum(axis=1)
        return made

    def alike(self, query: "Vectors", chosen: Chosen, count: int) -> "Numbers":
        """Return the chosen slots whose sketches are nearest to the query's: `count`, and those as near as the last."""
        centred = query if self.mean is None else query - self.mean
        words = self._packed(_products(_rotation(len(query)).T, centred).reshape(1, -1))
        if chosen.runs:
            distances = np.concatenate([_hamming(self.sketches[:, run], words) for run in chosen.runs])
        else:
            distances = _hamming(self.sketches[:, chosen.slots], words)
        reach = np.searchsorted(np.cumsum(np.bincount(distances)), count)
        return chosen.slots[distances <= reach]

    def _whole(self, slots: "Numbers") -> "Vectors":
        return self.vectors[slots].astype(np.float32, copy=False)

    def _sketch(self, vectors: "Vectors") -> "NDArray[np.uint64]":
        mean = np.float32(0) if self.mean is None else self.mean
        return self._packed((vectors - mean) @ _rotation(vectors.shape[1]))

    def _packed(self, rotated: "NDArray[np.floating[Any]]") -> "NDArray[np.uint64]":
        bits = np.packbits(rotated > 0, axis=1)
        words = np.zeros((len(bits), 8 * len(self.sketches)), np.uint8)
        words[:, : bits.shape[1]] = bits
        return np.ascontiguousarray(words.view(np.uint64).T)


def _products(rows: "Vectors", vector: "Vectors") -> "Vectors":
    """Return dot products in this thread: waking others takes longer, above all where they are busy."""
    products: Vectors = np.vecdot(rows, vector)
    return products


def _hamming(sketches: "NDArray[np.uint64]", words: "NDArray[np.uint64]") -> "NDArray[np.uint16]":
    distances = np.zeros(sketches.shape[1], np.uint16)
    for row, word in zip(sketches, words[:, 0], strict=True):
        distances += np.bitwise_count(row ^ word)
    return distances


@cache
def _rotation(dimensions: int) -> "Vectors":
    """Return a random rotation, always the same: without it, coordinates of little variance would count in full."""
    rotation: Vectors = np.linalg.qr(np.random.default_rng(7).normal(size=(dimensions, dimensions)))[0]
    return np.asfortranarray(rotation, np.float32)  # its columns are read one by one
