"""Measures the quality and speed of the search on a collection with judged queries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from weighbridge.dataset.beir import BeirCollection, read_beir
from weighbridge.evaluate.ranking import ndcg, recall, reciprocal_rank
from weighbridge.evaluate.statistics import quantile_interval
from weighbridge.evaluate.timing import peak_memory_bytes
from weighbridge.protocols import Retriever
from weighbridge.retrieve.embed.endpoint import EndpointEmbedder
from weighbridge.retrieve.embed.local import LocalEmbedder
from weighbridge.retrieve.index.sync import IndexHome, plan_sync, sync
from weighbridge.retrieve.stores.open import open_store
from weighbridge.settings.schema import Settings
from weighbridge.types import Progress, Question
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import (
    build_retriever,
    fetch_embedder,
    index_source,
    open_computed_embedder,
    open_document_embedder,
)

_RECALL_DOCUMENTS = 100
"""Recall is measured in the best 100 documents, as is usual for a first stage."""
_MOST_CHUNKS = 1000
"""The most chunks to request for 100 documents. More would spend the time on reading passages, not on searching."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalFigures:
    """The figures of one search on one collection with one chunk size."""

    collection: str
    documents: int
    queries: int
    chunk_tokens: int
    chunks: int
    embedder: str
    ndcg_at_10: float
    recall_at_100: float
    mrr_at_10: float
    documents_per_second: float
    """Cutting, embedding and storing together."""
    p50_seconds: float
    """Of one query at a time, with its embedding."""
    p95_seconds: float
    index_bytes: int
    peak_memory_bytes: int
    """Of this process since its start."""
    run: Mapping[str, Sequence[str]]
    """The ten best documents of each query."""


def bench_settings(settings: Settings | None, *, static: bool) -> Settings:
    """Return the settings of a bench: a workspace's, or the defaults."""
    chosen = settings or Settings(examples=Path())
    retrieval = chosen.retrieval.model_copy(update={"static": static or chosen.retrieval.static})
    return chosen.model_copy(update={"retrieval": retrieval})


def bench_retrieval(
    folder: Path, settings: Settings, *, chunk_tokens: Sequence[int], reporter: Reporter
) -> tuple[RetrievalFigures, ...]:
    """Index a collection once for each chunk size, ask its judged queries, and score the results.

    A document has the rank of its best chunk. nDCG and MRR measure the search as strategies use it. Recall requests
    enough chunks to name 100 documents.
    """
    collection = read_beir(folder)
    source = fetch_embedder(settings, reporter)
    embedder = open_computed_embedder(settings, source)
    embedder.embed(["warm"], kind="document")  # so that loading the model is not timed
    figures = []
    for tokens in chunk_tokens:
        chosen = settings.model_copy(update={"chunks": settings.chunks.model_copy(update={"tokens": tokens})})
        with TemporaryDirectory(prefix="weighbridge-bench-") as scratch:
            figures.append(_measure_chunk_size(collection, chosen, embedder, source, Path(scratch), reporter))
    return tuple(figures)


def _measure_chunk_size(
    collection: BeirCollection,
    settings: Settings,
    computed: LocalEmbedder | EndpointEmbedder,
    source: Path | None,
    scratch: Path,
    reporter: Reporter,
) -> RetrievalFigures:
    sources = index_source(collection.documents, settings, source)
    start = perf_counter()
    documents = tuple(collection.documents) if settings.retrieval.static else ()
    embedder = open_document_embedder(documents, settings, scratch / "static.npz", computed, sources.cut, reporter)
    home = IndexHome(folder=scratch, store=open_store(settings.retrieval.store, scratch), embedder=embedder)
    card = sync(home, sources, plan_sync(home, sources), notify=reporter.notify)
    seconds = perf_counter() - start
    index = home.open_index(card)
    retriever = build_retriever(index, settings, embedder, card)
    asked = _ask_queries(collection, retriever, settings.retrieval.candidates, reporter)
    deep = min(ceil(_RECALL_DOCUMENTS * card.chunks / max(card.documents, 1)), _MOST_CHUNKS)
    found = {name: _search_documents(retriever, text, deep) for name, text in collection.queries.items()}
    home.store.drop(card.name)  # a database outlives the scratch folder

    def mean(metric: Callable[[Sequence[str], Mapping[str, int]], float], runs: Mapping[str, Sequence[str]]) -> float:
        return sum(metric(run, collection.relevance[name]) for name, run in runs.items()) / len(runs)

    return RetrievalFigures(
        collection=collection.name,
        documents=card.documents,
        queries=len(collection.queries),
        chunk_tokens=settings.chunks.tokens,
        chunks=card.chunks,
        embedder=embedder.name,
        ndcg_at_10=mean(ndcg, asked.runs),
        recall_at_100=mean(recall, found),
        mrr_at_10=mean(reciprocal_rank, asked.runs),
        documents_per_second=card.documents / seconds,
        p50_seconds=quantile_interval(asked.seconds, 0.5).value or 0.0,
        p95_seconds=quantile_interval(asked.seconds, 0.95).value or 0.0,
        index_bytes=card.bytes,
        peak_memory_bytes=peak_memory_bytes(),
        run={name: run[:10] for name, run in asked.runs.items()},
    )


@dataclass(frozen=True, slots=True)
class _QueryRuns:
    runs: Mapping[str, Sequence[str]]
    seconds: Sequence[float]


def _ask_queries(collection: BeirCollection, retriever: Retriever, limit: int, reporter: Reporter) -> _QueryRuns:
    runs: dict[str, Sequence[str]] = {}
    seconds: list[float] = []
    _search_documents(retriever, next(iter(collection.queries.values())), limit)  # opens files: not timed
    for done, (name, text) in enumerate(collection.queries.items(), start=1):
        start = perf_counter()
        runs[name] = _search_documents(retriever, text, limit)
        seconds.append(perf_counter() - start)
        reporter.notify(Progress(task="Asking", done=done, total=len(collection.queries), unit="queries"))
    return _QueryRuns(runs, seconds)


def _search_documents(retriever: Retriever, text: str, limit: int) -> Sequence[str]:
    found = retriever.search(Question(text), limit=limit)
    return tuple(dict.fromkeys(name for passage in found for name in passage.documents))
