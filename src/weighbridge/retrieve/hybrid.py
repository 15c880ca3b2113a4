"""Two rankings become one: words and meaning find different passages, and fusion keeps the best of both.

Reciprocal rank fusion: a passage scores the sum of 1 / (k + rank) over the rankings it stands in (Cormack, Clarke and
Büttcher, SIGIR 2009, with their k of 60). It needs no scale common to BM25 and dot products, and nothing to tune.
"""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Embedder, Index, Retriever
from weighbridge.types import Chunk, Passage, Question


def fuse(rankings: Sequence[Sequence[Passage]], *, k: int = 60) -> list[Passage]:
    """Fuse rankings, each best first, into one: best first, ties in order of chunk id.

    Does not depend on the order of the rankings, nor on their scores. A chunk that a ranking repeats counts once, at
    its best rank.
    """
    shares: defaultdict[str, list[float]] = defaultdict(list)
    chunks: dict[str, Chunk] = {}
    for ranking in rankings:
        for rank, chunk in enumerate({passage.chunk.id: passage.chunk for passage in ranking}.values(), start=1):
            chunks.setdefault(chunk.id, chunk)
            shares[chunk.id].append(1 / (k + rank))
    fused = [Passage(chunk, fsum(shares[id_])) for id_, chunk in chunks.items()]
    return sorted(fused, key=lambda passage: (-passage.score, passage.chunk.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """A `Retriever` that fuses full-text and vector search over one index."""

    index: Index
    embedder: Embedder
    content: str
    """The fingerprint of what the index holds (`IndexCard.fingerprint`)."""
    candidates: int = 30
    """Passages each search hands to the fusion; more where more are asked for."""
    k: int = 60

    @property
    def fingerprint(self) -> str:
        return fingerprint("hybrid", self.content, self.embedder.fingerprint, self.candidates, self.k)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        if limit <= 0 or not question.text.strip():
            return ()
        wanted = max(limit, self.candidates)
        vector = self.embedder.embed([question.text], kind="query")[0]
        words = self.index.matching(question.text, limit=wanted, groups=question.groups)
        meaning = self.index.nearest(vector, limit=wanted, groups=question.groups)
        return fuse((words, meaning), k=self.k)[:limit]


class Remembered:
    """A `Retriever` that searches once for a question with its groups and limit; the latest `size` are kept.

    For an index that does not change while it is used. Safe to call from several threads.
    """

    def __init__(self, retriever: Retriever, *, size: int = 4096) -> None:
        self._retriever = retriever
        self._size = size
        self._kept: OrderedDict[tuple[Question, int], Sequence[Passage]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        return self._retriever.fingerprint

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        key = (question, limit)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        passages = tuple(self._retriever.search(question, limit=limit))
        with self._lock:
            self._kept[key] = passages
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return passages
