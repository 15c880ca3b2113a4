"""Cuts, embeds and commits documents: in one transaction, or in batches into a new index."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.errors import DataError
from weighbridge.protocols import Changes, Embedder, Notify, Store, StoredIndex
from weighbridge.retrieve.index.plan import SyncPlan
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.types import Chunk, Document, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH_CHUNKS = 2048
"""Chunks that are embedded and committed together: an interruption loses at most so many, and memory holds them."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The store, the embedder and the earlier index of a build."""

    store: Store
    embedder: Embedder
    before: StoredIndex | None
    """The complete index there is, if any."""
    same_embedder: bool
    """Whether the vectors of the earlier index can be reused."""

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
    documents: Sequence[Document]
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class _EmbeddedChunks:
    vectors: "NDArray[np.float32]"
    fresh: int
    seconds: float


def change_in_place(
    context: BuildContext, name: str, source: IndexSource, plan: SyncPlan, notify: Notify
) -> BuildResult:
    """Apply a plan to the index there is, in one transaction."""
    chosen = frozenset((*plan.added, *plan.changed))
    documents = list(source.select(chosen))
    notify(Progress(task=_TASK, done=0, total=len(documents), unit="documents"))
    chunks = [chunk for document in documents for chunk in source.cut(document)]
    gone = plan.deleted if plan.added and len(plan.deleted) <= _MOST_RENAMED else ()
    made = _embed_chunks(chunks, context.embedder, context.known_vectors((*plan.changed, *gone)))
    index = context.store.open(name, dimensions=context.embedder.dimensions)
    removed = frozenset((*plan.deleted, *plan.changed))
    index.apply(Changes(removed=removed, added=chunks, vectors=made.vectors))
    notify(Progress(task=_TASK, done=len(documents), total=len(documents), unit="documents"))
    return BuildResult(name=name, embedded=made.fresh, seconds=made.seconds)


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
    for batch in _split_into_batches(source, missing):
        made = _embed_chunks(batch.chunks, context.embedder, context.known_vectors([d.id for d in batch.documents]))
        index.apply(Changes(added=batch.chunks, vectors=made.vectors))
        done = BuildResult(name=done.name, embedded=done.embedded + made.fresh, seconds=done.seconds + made.seconds)
        keep(done)
        count += len(batch.documents)
        notify(Progress(task=_TASK, done=count, total=len(versions), unit="documents"))
    index.optimise()
    return done


def _split_into_batches(source: IndexSource, missing: frozenset[str]) -> Iterator[_Batch]:
    documents: list[Document] = []
    chunks: list[Chunk] = []
    for document in source.select(missing):
        documents.append(document)
        chunks.extend(source.cut(document))
        if len(chunks) >= _BATCH_CHUNKS:
            yield _Batch(documents, chunks)
            documents, chunks = [], []
    if documents:
        yield _Batch(documents, chunks)


def _embed_chunks(
    chunks: Sequence[Chunk], embedder: Embedder, known: Mapping[str, "NDArray[np.float32]"]
) -> _EmbeddedChunks:
    texts = [searchable_text(chunk) for chunk in chunks]
    fresh = list(dict.fromkeys(text for text in texts if text not in known))  # a repeated text is embedded once
    start = perf_counter()
    made = dict(zip(fresh, embedder.embed(fresh, kind="document"), strict=True)) if fresh else {}
    seconds = perf_counter() - start
    vectors = np.empty((len(texts), embedder.dimensions), np.float32)
    for place, text in enumerate(texts):
        vectors[place] = known[text] if text in known else made[text]
    return _EmbeddedChunks(vectors, sum(text in made for text in texts), seconds)
