"""Maximal marginal relevance: passages that resemble those before them make room for others.

Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing summaries",
SIGIR 1998. `copies.py` leaves out passages with the same content; this one also moves down those that are merely alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Index, Retriever
from weighbridge.retrieve.search.fusion import min_max_scale
from weighbridge.types import Passage, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverse:
    """A `Retriever` that takes the best passage first, and then always the one with the most marginal relevance.

    Its gain is

        (1 - diversity) * score - diversity * max(similarity to a passage taken before)

    Scores are scaled to 0..1 over the candidates; similarity is the dot product of unit vectors. Passages keep their
    own scores.
    """

    retriever: Retriever
    index: Index
    diversity: float = 0.3
    candidates: int = 20
    """Passages to choose from: with as many as are wanted, nothing could be left out."""

    @property
    def fingerprint(self) -> str:
        return fingerprint("diverse", self.retriever.fingerprint, self.diversity, self.candidates)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        """Return `limit` passages, each chosen for its relevance and its distance from those before it.

        One product of the candidates' vectors gives all similarities, so choosing costs no further search.
        """
        if limit <= 0:
            return ()
        found = self.retriever.search(question, limit=max(limit, self.candidates))
        try:
            rows = self.index.vectors([passage.chunk.id for passage in found], groups=question.groups)
        except KeyError:  # a document changed since the search, so its vector is gone: keep the order of the search
            return found[:limit]
        if not found:
            return ()
        alike = (rows @ rows.T).astype(np.float64)
        scores = min_max_scale(np.array([passage.score for passage in found]))
        taken = [int(np.argmax(scores))]
        while len(taken) < min(limit, len(found)):
            gain = (1 - self.diversity) * scores - self.diversity * alike[:, taken].max(axis=1)
            gain[taken] = -np.inf  # never the same passage twice
            taken.append(int(np.argmax(gain)))
        return [found[place] for place in taken]
