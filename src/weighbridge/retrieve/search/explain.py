"""Explains why a search found a passage."""

from collections.abc import Sequence
from dataclasses import dataclass

from weighbridge.retrieve.index.analyser import terms
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.retrieve.search.copies import merge_copies
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.types import Chunk, Passage, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The ranks and scores that put a passage in its place.

    A rank is None where that search did not nominate it. `lexical` is BM25, `dense` the dot product of the vectors, and
    `score` the sum of both after scaling.
    """

    rank: int
    chunk: Chunk
    score: float
    lexical_rank: int | None
    lexical: float
    dense_rank: int | None
    dense: float
    copies: tuple[str, ...]
    """Other documents with the same passage; only this one is shown."""
    matched: tuple[str, ...]
    """The terms of the question, after analysis, that the passage has too."""


def explain(hybrid: Hybrid, question: Question, *, limit: int) -> Sequence[Explanation]:
    """Search like the hybrid, leave out copies, and explain how each passage was found."""
    asked = tuple(dict.fromkeys(terms(question.text)))
    nominees = hybrid.nominees(question, limit=max(2 * limit, hybrid.candidates))
    by_chunk = {nominee.chunk.id: nominee for nominee in nominees}
    passages = merge_copies([Passage(nominee.chunk, nominee.score) for nominee in nominees])
    found = []
    for rank, passage in enumerate(passages[:limit], start=1):
        nominee = by_chunk[passage.chunk.id]
        there = set(terms(searchable_text(nominee.chunk)))
        found.append(
            Explanation(
                rank=rank,
                chunk=nominee.chunk,
                score=nominee.score,
                lexical_rank=nominee.lexical_rank,
                lexical=nominee.lexical,
                dense_rank=nominee.dense_rank,
                dense=nominee.dense,
                copies=passage.copies,
                matched=tuple(term for term in asked if term in there),
            )
        )
    return found
