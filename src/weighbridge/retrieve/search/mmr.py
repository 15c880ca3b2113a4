"""Passages that repeat each other make room for others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Index, Retriever
from weighbridge.retrieve.search.fusion import min_max_scale
from weighbridge.types import Passage, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverse:
    """A `Retriever` that takes the best passage first, then always the one of most marginal relevance.

    That is (1 - diversity) * its score, stretched from 0 to 1, less diversity * its likeness (dot product) to the most
    alike of those taken (MMR: Carbonell and Goldstein, SIGIR 1998). Passages keep the score they were found by.
    """

    retriever: Retriever
    index: Index
    diversity: float = 0.3
    candidates: int = 20

    @property
    def fingerprint(self) -> str:
        return fingerprint("diverse", self.retriever.fingerprint, self.diversity, self.candidates)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        if limit <= 0:
            return ()
        found = self.retriever.search(question, limit=max(limit, self.candidates))
        try:
            rows = self.index.vectors([passage.chunk.id for passage in found], groups=question.groups)
        except KeyError:  # one was changed since it was found
            return found[:limit]
        if not found:
            return ()
        alike = (rows @ rows.T).astype(np.float64)
        scores = min_max_scale(np.array([passage.score for passage in found]))
        taken = [int(np.argmax(scores))]
        while len(taken) < min(limit, len(found)):
            gain = (1 - self.diversity) * scores - self.diversity * alike[:, taken].max(axis=1)
            gain[taken] = -np.inf
            taken.append(int(np.argmax(gain)))
        return [found[place] for place in taken]
