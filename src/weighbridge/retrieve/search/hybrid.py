"""The default search: adds up the scores of words and vectors for the same passages.

Each of the two searches nominates its best passages. Then every nominee gets both scores, its BM25 and its dot product,
whichever search found it. Both kinds are scaled to 0..1 over the nominees and added with weights (a convex combination:
Bruch, Gai and Ingber, ACM TOIS 2023). With `feedback`, the question's vector first moves towards those of its best
nominees (Rocchio's pseudo-relevance feedback), without a second search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Embedder, Index
from weighbridge.retrieve.search.fusion import min_max_scale
from weighbridge.types import Chunk, Passage, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from weighbridge.protocols import Vectors


@dataclass(frozen=True, slots=True)
class Nominee:
    """A chunk that one of the searches found, with everything that decides its place.

    A rank, from 1, is None where that search did not nominate it. `lexical` is BM25, `dense` the dot product with the
    question's own vector, `score` their weighted sum after scaling.
    """

    chunk: Chunk
    lexical_rank: int | None
    dense_rank: int | None
    lexical: float
    dense: float
    score: float


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The results of both searches in one state of the index."""

    index: Index
    question: Question
    vector: "Vectors"
    words: Sequence[Passage]
    meaning: Sequence[Passage]

    def chunks(self, depth: int) -> Mapping[str, Chunk]:
        """Return the chunks that either search has among its first `depth`."""
        return {passage.chunk.id: passage.chunk for passage in (*self.words[:depth], *self.meaning[:depth])}

    def lexical(self, chunks: Mapping[str, Chunk]) -> "NDArray[np.float64]":
        """Return the BM25 of chunks. Those that the words did not nominate are looked up by id."""
        scores = {passage.chunk.id: passage.score for passage in self.words}
        if others := chunks.keys() - scores.keys():
            asked = self.question
            more = self.index.search_text(asked.text, limit=len(others), groups=asked.groups, among=others)
            scores |= {passage.chunk.id: passage.score for passage in more}
        return np.array([scores.get(id_, 0.0) for id_ in chunks])

    def rows(self, chunks: Mapping[str, Chunk]) -> "NDArray[np.float64]":
        """Return the vectors of chunks."""
        return self.index.vectors(list(chunks), groups=self.question.groups).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """A `Retriever` that weighs full-text and vector search over one index against each other."""

    index: Index
    embedder: Embedder
    content: str
    """The fingerprint of the index's content (`IndexCard.fingerprint`)."""
    candidates: int = 30
    """Passages each search nominates."""
    weight: float = 0.5
    """Of the vectors; the words have the rest."""
    feedback: int = 0
    """Nominees that the question's vector moves towards; 0: it stays."""

    @property
    def fingerprint(self) -> str:
        settings = (self.candidates, self.weight, self.feedback)
        return fingerprint("hybrid", self.content, self.embedder.fingerprint, settings)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        return [Passage(nominee.chunk, nominee.score) for nominee in self.nominees(question, limit=limit)]

    def nominees(self, question: Question, *, limit: int) -> Sequence[Nominee]:
        """Return the best passages like `search`, with the ranks and scores of each.

        The nominees of `candidates` a search always come first, so that a larger limit never reorders them. If more are
        wanted, deeper results follow, scored among themselves, below 0.
        """
        if limit <= 0 or not question.text.strip():
            return ()
        wanted, index = max(limit, self.candidates), self.index.now()
        vector = self.embedder.embed([question.text], kind="query")[0]
        words = index.search_text(question.text, limit=wanted, groups=question.groups)
        found = _Candidates(index, question, vector, words, index.nearest(vector, limit=wanted, groups=question.groups))
        first = found.chunks(self.candidates)
        best = self._score(found, first)
        if len(best) < limit:
            rest = {id_: chunk for id_, chunk in found.chunks(wanted).items() if id_ not in first}
            best += [replace(each, score=each.score - 1) for each in self._score(found, rest)]
        return best[:limit]

    def _score(self, found: _Candidates, chunks: Mapping[str, Chunk]) -> list[Nominee]:
        """Return chunks with both scores and their sum, scaled among these chunks, best first."""
        if not chunks:
            return []
        vector, rows, lexical = found.vector.astype(np.float64), found.rows(chunks), found.lexical(chunks)
        dense, scores = rows @ vector, self._weighted_sums(vector, rows, lexical)
        first, second = _ranks(found.words), _ranks(found.meaning)
        scored = [
            Nominee(chunk, first.get(id_), second.get(id_), float(lexical[i]), float(dense[i]), float(scores[i]))
            for i, (id_, chunk) in enumerate(chunks.items())
        ]
        return sorted(scored, key=lambda nominee: (-nominee.score, nominee.chunk.id))

    def _weighted_sums(
        self, vector: "NDArray[np.float64]", rows: "NDArray[np.float64]", lexical: "NDArray[np.float64]"
    ) -> "NDArray[np.float64]":
        words = (1 - self.weight) * min_max_scale(lexical)
        scores = words + self.weight * min_max_scale(rows @ vector)
        if self.feedback and len(rows) > self.feedback:
            best = np.argsort(-scores, kind="stable")[: self.feedback]
            scores = words + self.weight * min_max_scale(rows @ (vector + rows[best].mean(axis=0)))
        return scores


def _ranks(passages: Sequence[Passage]) -> dict[str, int]:
    return {passage.chunk.id: rank for rank, passage in enumerate(passages, start=1)}
