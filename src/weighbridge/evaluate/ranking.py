"""How good a ranking of documents is, against judgements of their relevance.

The definitions are those of trec_eval, as ir-measures gives them: nDCG with the judged grade itself as gain (Järvelin
and Kekäläinen, ACM TOIS 2002), and a document counts as relevant from grade 1.
"""

from collections.abc import Mapping, Sequence
from math import log2

Relevance = Mapping[str, int]
"""The judged grade of documents, by id; those that are not judged count as 0."""


def ndcg(ranking: Sequence[str], relevance: Relevance, *, k: int = 10) -> float:
    """Return the discounted gain of the first `k`, divided by that of the best ranking there could be: 0 to 1.

    `ranking` is best first, each document once. 0 where nothing is relevant.
    """
    best = _discounted_gain(sorted((max(grade, 0) for grade in relevance.values()), reverse=True)[:k])
    return _discounted_gain([max(relevance.get(name, 0), 0) for name in ranking[:k]]) / best if best else 0.0


def recall(ranking: Sequence[str], relevance: Relevance, *, k: int = 100) -> float:
    """Return the share of the relevant documents that are among the first `k`; 0 where nothing is relevant."""
    relevant = {name for name, grade in relevance.items() if grade > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], relevance: Relevance, *, k: int = 10) -> float:
    """Return 1 / the rank of the first relevant document; 0 where it is not among the first `k`."""
    ranks = (rank for rank, name in enumerate(ranking[:k], start=1) if relevance.get(name, 0) > 0)
    return 1 / next(ranks, float("inf"))


def _discounted_gain(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))
