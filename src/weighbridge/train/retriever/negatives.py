"""Mines hard negatives: texts that this workload's own search ranks high and that are wrong.

They are mined from the search's first passages. Those that may be right after all are left out: passages of a document
that proves the answer, that hold an accepted answer verbatim, that say the same as the positive, or that are nearly as
like the question as the positive is. The last is the positive-aware rule of NV-Retriever (Moreira and others, 2024,
arXiv:2407.15831), who found 95 % of the positive's similarity best among the rules it compared.

Does not know: whether a passage answers the question in other words and stands far from it in the embedder's eyes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from weighbridge.protocols import Embedder, Index, Notify, Retriever, silent
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.train.retriever.pairs import RetrievalPair, holds
from weighbridge.types import PUBLIC, Chunk, Progress, Question

if TYPE_CHECKING:
    from weighbridge.protocols import Vectors

MARGIN = 0.95
"""A candidate from this share of the positive's similarity on may be right as well, and is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A question, the text it should find, and texts that it should not; every contrast of a run has as many."""

    question: str
    positive: str
    negatives: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """Contrasts, and the numbers of candidates filtered out."""

    contrasts: tuple[Contrast, ...]
    hard: int
    """Negatives that the search itself found."""
    random: int
    """Negatives drawn from other pairs' texts, where the search found too few."""
    filtered: Mapping[str, int]
    """Candidates left out because they may be right, by the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """Where negatives come from."""

    retriever: Retriever
    index: Index
    embedder: Embedder
    """The one that built the index: similarities are dot products of its vectors."""
    depth: int = 30
    """Passages looked at for each pair."""


def mine(pairs: Sequence[RetrievalPair], source: Mine, *, wanted: int, seed: int, notify: Notify = silent) -> Mined:
    """Give each pair `wanted` negatives: the best of the search that pass the filter, then random ones.

    A random one is the text of another pair that shares no evidence with this one. A pair with too few of either is
    left out, and counted under `filtered`.
    """
    if not pairs:
        return Mined(contrasts=(), hard=0, random=0, filtered={})
    queries = source.embedder.embed([pair.question for pair in pairs], kind="query")
    positives = source.embedder.embed([pair.text for pair in pairs], kind="document")
    likeness = (queries * positives).sum(axis=1)
    filtered: Counter[str] = Counter()
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    contrasts, hard, drawn = [], 0, 0
    for number, pair in enumerate(pairs):
        notify(Progress(task="mining negatives", done=number, total=len(pairs), unit="questions"))
        found = _hard(pair, source, queries[number], float(likeness[number]), filtered)[:wanted]
        others = _random(pair, pairs, wanted - len(found), {pair.text, *found}, random)
        if len(found) + len(others) < wanted:
            filtered["(pairs left out for want of negatives)"] += 1
            continue
        hard, drawn = hard + len(found), drawn + len(others)
        contrasts.append(Contrast(question=pair.question, positive=pair.text, negatives=(*found, *others)))
    return Mined(contrasts=tuple(contrasts), hard=hard, random=drawn, filtered=dict(filtered))


def _hard(pair: RetrievalPair, source: Mine, query: "Vectors", likeness: float, filtered: Counter[str]) -> list[str]:
    passages = source.retriever.search(Question(pair.question), limit=source.depth)
    chunks = [passage.chunk for passage in passages if passage.chunk.id != pair.chunk_id]
    if not chunks:
        return []
    near = source.index.vectors([chunk.id for chunk in chunks], groups=PUBLIC) @ query
    kept = []
    for chunk, similarity in zip(chunks, near.tolist(), strict=True):
        if reason := _may_be_right(chunk, pair, similarity, likeness):
            filtered[reason] += 1
        else:
            kept.append(searchable_text(chunk))
    return list(dict.fromkeys(kept))


def _may_be_right(chunk: Chunk, pair: RetrievalPair, similarity: float, likeness: float) -> str:
    """Return why a candidate may be right after all; empty where it is a negative."""
    if chunk.document_id in pair.documents:
        return "of a document that proves the answer"
    if holds(chunk.text, pair.answers):
        return "holds an accepted answer verbatim"
    if searchable_text(chunk) == pair.text:
        return "says the same as the positive"
    return f"at least {MARGIN:.0%} as like the question as the positive" if similarity >= MARGIN * likeness else ""


def _random(
    pair: RetrievalPair, pairs: Sequence[RetrievalPair], count: int, taken: set[str], random: Random
) -> list[str]:
    if count <= 0:
        return []
    others = (
        other.text
        for other in random.sample(pairs, len(pairs))
        if other.text not in taken and not set(other.documents) & set(pair.documents)
    )
    kept = []
    for text in others:
        if text not in kept and not holds(text, pair.answers):
            kept.append(text)
        if len(kept) == count:
            break
    return kept
