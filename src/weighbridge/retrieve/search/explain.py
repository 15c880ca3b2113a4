"""Why a passage was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from weighbridge.retrieve.index.analyser import terms
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.retrieve.search.copies import merge_copies
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.types import Chunk, Passage, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How a passage came to its place among those that the two searches nominated.

    A rank is None where that search did not nominate it. `lexical` is BM25 and `dense` the dot product of the vectors;
    `score` is what the fusion makes of both.
    """

    rank: int
    chunk: Chunk
    score: float
    lexical_rank: int | None
    lexical: float
    dense_rank: int | None
    dense: float
    copies: tuple[str, ...]
    """Other documents that say the same; only this one is shown."""
    matched: tuple[str, ...]
    """The question's terms, as the analyser leaves them, that the passage has too."""


def explain(hybrid: Hybrid, question: Question, *, limit: int) -> Sequence[Explanation]:
    """Search as the hybrid does, leave out copies, and say how each passage was found."""
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
