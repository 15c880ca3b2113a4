"""Measures retrieval during a training: quickly, on the questions that choose the epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.checks.retrieval import measure_search
from weighbridge.evaluate.ranking import ndcg
from weighbridge.protocols import Index, Retriever
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.retrieve.search.cache import CachedRetriever
from weighbridge.retrieve.search.rerank import Reranked
from weighbridge.train.retriever.embedder import Encode
from weighbridge.train.retriever.embedder import Judge as EmbedderJudge
from weighbridge.train.retriever.reranker import Judge as RerankerJudge
from weighbridge.train.retriever.reranker import Read
from weighbridge.types import PUBLIC, Example

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_QUESTIONS = 24
"""As many as `training.dev_examples` by default."""
_DEPTH = 20
"""Passages that a question adds to the pool: nDCG@10 needs ten, and some to rank below them."""


def embedder_judge(examples: Sequence[Example], nominator: Retriever, index: Index) -> EmbedderJudge | None:
    """Return a judge by the mean nDCG@10 of vectors alone; None without questions.

    At most 24 questions are asked. They search a pool: the present results for all of them, and all their evidence.
    """
    asked = examples[:MOST_QUESTIONS]
    if not asked:
        return None
    found = [passage.chunk for example in asked for passage in nominator.search(example.question, limit=_DEPTH)]
    names = dict.fromkeys(name for example in asked for name in example.evidence)
    proving = [chunk for name in names for chunk in index.chunks_of(name, groups=PUBLIC)]
    pool = list({chunk.id: chunk for chunk in (*found, *proving)}.values())
    texts = [searchable_text(chunk) for chunk in pool]

    def judge(encode: Encode) -> float:
        likeness = encode([example.question.text for example in asked]) @ encode(texts).T
        gains = []
        for example, row in zip(asked, likeness, strict=True):
            ranking = dict.fromkeys(pool[place].document_id for place in np.argsort(-row, kind="stable"))
            gains.append(ndcg(tuple(ranking), dict.fromkeys(example.evidence, 1)))
        return fmean(gains)

    return judge


def reranker_judge(examples: Sequence[Example], nominator: Retriever) -> RerankerJudge | None:
    """Return a judge by the mean nDCG@10 of the reranked candidates; None without questions."""
    asked = examples[:MOST_QUESTIONS]
    if not asked:
        return None
    nominated = CachedRetriever(nominator)

    def judge(read: Read) -> float:
        return fmean(measure_search(Reranked(retriever=nominated, scorer=_Reading(read)), asked, k=1).ndcg.values())

    return judge


@dataclass(frozen=True, slots=True)
class _Reading:
    """A `Scorer` that is being trained."""

    read: Read
    fingerprint: str = "being trained"

    def scores(self, question: str, texts: Sequence[str]) -> "NDArray[np.float64]":
        return self.read(question, texts)
