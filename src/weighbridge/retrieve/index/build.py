"""Cuts, embeds and commits documents: in one transaction, or in batches into a new index."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.distribute.local import LOCAL
from weighbridge.errors import DataError
from weighbridge.protocols import Changes, Embedder, Notify, RemoteWork, Store, StoredIndex
from weighbridge.retrieve.index.plan import SyncPlan
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.types import Chunk, Document, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH_CHUNKS = 2048
"""Chunks that are embedded and committed together: an interruption loses at most so many, and memory holds them."""
_BATCHES_AHEAD = 2
"""Batches that each other process has before their vectors are committed: 4 MB a batch, with its texts."""
_MOST_RENAMED = 1000
"""With at most so many deleted documents, their vectors are looked up for added ones: a renamed file costs nothing."""
_TASK = "Indexing"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSource:
    """The documents an index is to hold, and how they are cut."""

    documents: Iterable[Document]
    """Read more than once."""
    heads: Sequence[Document] | None = None
    """The same documents in the same order, without the parts that need a file to be opened if their version is known.
    Then `documents` is a sequence."""
    unsettled: frozenset[str] = frozenset()
    """Documents that could not be read this time: the index keeps its chunks of them."""
    version: Callable[[Document], str]
    """Returns a text that changes when an indexed document has to be cut again."""
    cut: Callable[[Document], Sequence[Chunk]]
    chunking: str
    """The fingerprint of how documents are cut."""

    def versions(self) -> Mapping[str, str]:
        """Return the version of every document that has something to search, by id.

        Raises:
            DataError: two documents have one id.
        """
        found: dict[str, str] = {}
        for document in self.documents if self.heads is None else self.heads:
            if document.id in found:
                raise DataError(f"{document.source}: the id {document.id!r} is another document's too; rename one")
            if document.version or document.text.strip():
                found[document.id] = self.version(document)
        return found

    def select(self, chosen: frozenset[str]) -> Iterator[Document]:
        """Yield the documents with these ids."""
        if self.heads is not None and isinstance(self.documents, Sequence):
            yield from (self.documents[place] for place, head in enumerate(self.heads) if head.id in chosen)
        else:
            yield from (document for document in self.documents if document.id in chosen)


@dataclass(frozen=True, slots=True)
class FreshVectors:
    """The vectors of texts, a row each, and the seconds that they took."""

    rows: "NDArray[np.float32]"
    seconds: float


@dataclass(frozen=True, slots=True)
class Embedding:
    """The `Work` of embedding the texts of a batch of chunks."""

    embedder: Embedder

    def open(self, stack: ExitStack) -> Callable[[Sequence[str]], FreshVectors]:
        def embed(texts: Sequence[str]) -> FreshVectors:
            start = perf_counter()
            if texts:
                rows = self.embedder.embed(texts, kind="document")
            else:
                rows = np.empty((0, self.embedder.dimensions), np.float32)
            return FreshVectors(rows, perf_counter() - start)

        return embed


RemoteEmbedding = RemoteWork[Sequence[str], FreshVectors]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The store, the embedder and the earlier index of a build."""

    store: Store
    embedder: Embedder
    before: StoredIndex | None
    """The complete index there is, if any."""
    same_embedder: bool
    """Whether the vectors of the earlier index can be reused."""
    remote: RemoteEmbedding | None = None
    """Embeds in other processes, as `embedder` does in this one."""

    def known_vectors(self, document_ids: Sequence[str]) -> Mapping[str, "NDArray[np.float32]"]:
        """Return the vectors of some documents in the earlier index, by the text that was embedded."""
        if self.before is None or not self.same_embedder or not document_ids:
            return {}
        contents = self.before.contents(document_ids)
        return {searchable_text(chunk): row for chunk, row in zip(contents.chunks, contents.vectors, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The index a build made, and its cost."""

    name: str
    embedded: int
    """Chunks that had to be embedded."""
    seconds: float
    """Of embedding them."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Chunks that are committed together: the vectors of some texts are known, each other text is embedded once."""

    documents: Sequence[Document]
    chunks: Sequence[Chunk]
    known: Mapping[str, "NDArray[np.float32]"]
    fresh: Sequence[str]

    def vectors(self, made: FreshVectors, dimensions: int) -> "NDArray[np.float32]":
        """Return the vectors of the chunks, in their order."""
        rows = dict(zip(self.fresh, made.rows, strict=True))
        vectors = np.empty((len(self.chunks), dimensions), np.float32)
        for place, chunk in enumerate(self.chunks):
            text = searchable_text(chunk)
            vectors[place] = self.known[text] if text in self.known else rows[text]
        return vectors


def change_in_place(
    context: BuildContext, name: str, source: IndexSource, plan: SyncPlan, notify: Notify
) -> BuildResult:
    """Apply a plan to the index there is, in one transaction."""
    chosen = frozenset((*plan.added, *plan.changed))
    documents = list(source.select(chosen))
    notify(Progress(task=_TASK, done=0, total=len(documents), unit="documents"))
    chunks = [chunk for document in documents for chunk in source.cut(document)]
    gone = plan.deleted if plan.added and len(plan.deleted) <= _MOST_RENAMED else ()
    batch = _make_batch(documents, chunks, context.known_vectors((*plan.changed, *gone)))
    with ExitStack() as stack:
        made = Embedding(context.embedder).open(stack)(batch.fresh)
    index = context.store.open(name, dimensions=context.embedder.dimensions)
    removed = frozenset((*plan.deleted, *plan.changed))
    vectors = batch.vectors(made, context.embedder.dimensions)
    index.apply(Changes(removed=removed, added=chunks, vectors=vectors))
    notify(Progress(task=_TASK, done=len(documents), total=len(documents), unit="documents"))
    return BuildResult(name=name, embedded=_count_fresh(batch), seconds=made.seconds)


def build_beside(
    context: BuildContext,
    begun: BuildResult,
    source: IndexSource,
    *,
    notify: Notify,
    keep: Callable[[BuildResult], None],
) -> BuildResult:
    """Make an index hold exactly the documents, batch by batch, continuing an interrupted build.

    After each batch `keep` receives the result so far.
    """
    index = context.store.open(begun.name, dimensions=context.embedder.dimensions)
    versions = source.versions()
    there = index.documents()
    if stale := frozenset(id_ for id_, version in there.items() if versions.get(id_) != version):
        index.apply(Changes(removed=stale))
    missing = frozenset(id_ for id_, version in versions.items() if there.get(id_) != version)
    count, done = len(versions) - len(missing), begun
    notify(Progress(task=_TASK, done=count, total=len(versions), unit="documents"))
    with closing(_embed_batches(context, _split_into_batches(context, source, missing))) as embedded:
        for batch, made in embedded:
            index.apply(Changes(added=batch.chunks, vectors=batch.vectors(made, context.embedder.dimensions)))
            fresh = done.embedded + _count_fresh(batch)
            done = BuildResult(name=done.name, embedded=fresh, seconds=done.seconds + made.seconds)
            keep(done)
            count += len(batch.documents)
            notify(Progress(task=_TASK, done=count, total=len(versions), unit="documents"))
    index.optimise()
    return done


def _split_into_batches(context: BuildContext, source: IndexSource, missing: frozenset[str]) -> Iterator[_Batch]:
    documents: list[Document] = []
    chunks: list[Chunk] = []
    for document in source.select(missing):
        documents.append(document)
        chunks.extend(source.cut(document))
        if len(chunks) >= _BATCH_CHUNKS:
            yield _make_batch(documents, chunks, context.known_vectors([d.id for d in documents]))
            documents, chunks = [], []
    if documents:
        yield _make_batch(documents, chunks, context.known_vectors([d.id for d in documents]))


def _make_batch(
    documents: Sequence[Document], chunks: Sequence[Chunk], known: Mapping[str, "NDArray[np.float32]"]
) -> _Batch:
    texts = (searchable_text(chunk) for chunk in chunks)
    fresh = dict.fromkeys(text for text in texts if text not in known)  # a repeated text is embedded once
    return _Batch(documents, chunks, known, tuple(fresh))


def _count_fresh(batch: _Batch) -> int:
    return sum(searchable_text(chunk) not in batch.known for chunk in batch.chunks)


def _embed_batches(context: BuildContext, batches: Iterator[_Batch]) -> Generator[tuple[_Batch, FreshVectors]]:
    """Yield each batch with the vectors of its fresh texts, in order. Other processes are some batches ahead."""
    waiting: deque[_Batch] = deque()

    def texts() -> Iterator[Sequence[str]]:
        for batch in batches:
            waiting.append(batch)
            yield batch.fresh

    remote = context.remote or RemoteWork(LOCAL, Embedding(context.embedder))
    with closing(remote.executor.map(remote.work, texts(), ahead=_BATCHES_AHEAD)) as results:
        for made in results:
            yield waiting.popleft(), made
