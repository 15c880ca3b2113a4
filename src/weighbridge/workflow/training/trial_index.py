"""Opens a search for a comparison: over the workspace's index, or over a temporary index."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from weighbridge.models import fetch
from weighbridge.protocols import Embedder, Retriever, StoredIndex
from weighbridge.retrieve.index.sync import IndexCard, IndexHome, plan_sync, require_card, sync
from weighbridge.retrieve.stores.open import open_store
from weighbridge.settings.schema import Settings
from weighbridge.types import Document
from weighbridge.wiring.index import update_index
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.search import (
    build_retriever,
    index_home,
    index_source,
    open_computed_embedder,
    open_document_embedder,
    open_hybrid,
    open_query_embedder,
)
from weighbridge.workspace import Workspace

_PREFIX = ".trial-"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSearch:
    """An index of all documents, and its search."""

    settings: Settings
    folder: Path
    """The embedder's."""
    embedder: Embedder
    index: StoredIndex
    card: IndexCard

    @property
    def retriever(self) -> Retriever:
        """The whole search of the settings, with the reranker."""
        return build_retriever(self.index, self.settings, self.embedder, self.card)

    @property
    def hybrid(self) -> Retriever:
        """The fused search by words and vectors. All other searches wrap it."""
        return open_hybrid(self.settings, self.index, self.embedder, self.card)


def search_in_workspace(
    documents: Sequence[Document], settings: Settings, workspace: Workspace, reporter: Reporter
) -> TrialSearch:
    """Bring the workspace's index up to date and open it. The caller holds the workspace's lock."""
    folder = fetch(settings.retrieval.embedder, notify=reporter.notify, say=reporter.say)
    computed = open_computed_embedder(settings, folder)
    update_index(documents, settings, workspace, computed, reporter=reporter)
    embedder = open_query_embedder(settings, workspace, reporter)
    return _open_trial(index_home(settings, workspace, embedder), settings, folder)


@contextmanager
def search_aside(
    documents: Sequence[Document], settings: Settings, parent: Path, reporter: Reporter
) -> Iterator[TrialSearch]:
    """Index the documents in a temporary folder under `parent`, yield the search, and remove the folder."""
    folder = fetch(settings.retrieval.embedder, notify=reporter.notify, say=reporter.say)
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{_PREFIX}*"):  # of a killed process: the caller holds the lock, so none is in use
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=_PREFIX, dir=parent) as name:
        scratch, sources = Path(name), index_source(documents, settings, folder)
        computed = open_computed_embedder(settings, folder)
        embedder = open_document_embedder(documents, settings, scratch / "static.npz", computed, sources.cut, reporter)
        place = IndexHome(folder=scratch, store=open_store(settings.retrieval.store, scratch), embedder=embedder)
        card = sync(place, sources, plan_sync(place, sources), notify=reporter.notify)
        try:
            yield _open_trial(place, settings, folder)
        finally:
            place.store.drop(card.name)  # a database outlives the scratch folder


def _open_trial(place: IndexHome, settings: Settings, folder: Path) -> TrialSearch:
    card = require_card(place)
    return TrialSearch(
        settings=settings, folder=folder, embedder=place.embedder, index=place.open_index(card), card=card
    )
