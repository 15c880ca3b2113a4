"""Scores words by BM25 over postings in memory.

The score is that of Robertson and Zaragoza (2009) with Lucene's idf, because that cannot be negative:
`ln(1 + (N - n + 0.5) / (n + 0.5)) * f (k1 + 1) / (f + k1 (1 - b + b length / mean length))`, for each term of the
question, as often as the question has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int32]

K1, B = 1.2, 0.75
"""The usual values, those of Lucene. The PostgreSQL store has them in its SQL."""
DIGITS = 9
"""Decimals of a score: sums that differ only by the order of addition must tie."""


@dataclass(frozen=True, slots=True)
class TermPostings:
    """The slots that have a term, and how often each has it."""

    slots: "Numbers"
    times: "Numbers"

    def where(self, mask: "NDArray[np.bool_]") -> "TermPostings":
        """Return the postings of the slots in a mask."""
        kept = mask[self.slots]
        return self if kept.all() else TermPostings(self.slots[kept], self.times[kept])


@dataclass(frozen=True, slots=True)
class Postings:
    """The postings of all terms: each term, by its number, owns a stretch of `slots` and `times`."""

    terms: "Numbers"
    """Ascending."""
    starts: "NDArray[np.int64]"
    """Shape (len(terms) + 1,)."""
    slots: "Numbers"
    times: "Numbers"

    @classmethod
    def of(cls, slots: "NDArray[np.int64]", words: "Numbers") -> "Postings":
        """Sort pairs of (term, times), shape (pairs, 2), by term. `slots` has the slot of each pair."""
        order = np.argsort(words[:, 0].astype(np.int64) << 32 | slots)
        terms, starts = np.unique(words[order, 0], return_index=True)
        return cls(terms, np.append(starts, len(order)), slots[order].astype(np.int32), words[order, 1])

    def of_term(self, term: int) -> TermPostings:
        """Return the postings of one term."""
        place = int(np.searchsorted(self.terms, term))
        if place == len(self.terms) or self.terms[place] != term:
            return TermPostings(self.slots[:0], self.times[:0])
        stretch = slice(self.starts[place], self.starts[place + 1])
        return TermPostings(self.slots[stretch], self.times[stretch])


@dataclass(frozen=True, slots=True)
class SegmentWords:
    """The words of a segment. Rows that are alive count in the frequencies; chosen rows are scored."""

    postings: Postings
    lengths: "NDArray[np.float64]"
    """By slot, in terms."""
    alive: "NDArray[np.bool_]"
    chosen: "NDArray[np.bool_]"


@dataclass(frozen=True, slots=True)
class IndexSize:
    """The number of chunks of an index, and of all their terms."""

    chunks: int
    words: int


def bm25(question: Mapping[int, int], parts: Sequence[SegmentWords], size: IndexSize) -> "list[NDArray[np.float64]]":
    """Return the score of every slot of each segment: 0 if it has no term of the question, or is not chosen.

    `question` has the number of times for each term.
    """
    scores = [np.zeros(len(part.lengths)) for part in parts]
    mean = size.words / max(1, size.chunks)
    for term, times in question.items():
        found = [part.postings.of_term(term).where(part.alive) for part in parts]
        count = sum(len(having.slots) for having in found)
        weight = times * log(1 + (size.chunks - count + 0.5) / (count + 0.5))
        for part, having, score in zip(parts, found, scores, strict=True):
            seen = having.where(part.chosen)
            slack = K1 * (1 - B + B * part.lengths[seen.slots] / mean)
            score[seen.slots] += weight * seen.times * (K1 + 1) / (seen.times + slack)
    return [score.round(DIGITS) for score in scores]
