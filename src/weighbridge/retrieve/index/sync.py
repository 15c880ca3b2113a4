"""Builds an index of documents, and keeps it in step with them.

    index/
      manifest.json     the card of the one complete index; written last
      building.json     the build in progress beside it, so that an interrupted build continues
      <name>/           an index, where the store is in files

A few changed documents are one transaction on the present index. Many, or another embedder, chunk size or layout, are
built beside it in batches of whole documents, and the manifest swaps the new index in. The earlier index stays until
the next build, for processes that still read it. Vectors of unchanged texts are reused.
"""

from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

from weighbridge.errors import WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Embedder, Notify, Store, StoredIndex, silent
from weighbridge.retrieve.index.build import (
    BuildContext,
    BuildResult,
    IndexSource,
    RemoteEmbedding,
    build_beside,
    change_in_place,
)
from weighbridge.retrieve.index.plan import SyncPlan, compare_versions
from weighbridge.workspace import load_json, write_json

_MANIFEST = "manifest.json"
_BUILDING = "building.json"
_MOST_IN_PLACE = 1000
"""Documents that may change in one transaction. More are built beside, so that an interruption loses little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCard:
    """The content of a complete index, and the cost of building it."""

    fingerprint: str
    """Of the documents' versions, the chunking, the embedder, and the layout of the table."""
    name: str
    """Its name in the store."""
    key: str
    """Of the chunking, the embedder and the layout: where it differs, the index is rebuilt."""
    documents: int
    chunks: int
    embedded: int
    """Chunks embedded by the last sync; the vectors of the others were there already."""
    seconds: float
    """The estimated time of a fresh build: the last sync, and the embedding that it was spared."""
    embedding_seconds: float
    """The part of `seconds` for vectors; reused vectors count with their share of the earlier figure."""
    bytes: int
    embedder: str
    embedder_fingerprint: str
    dimensions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexHome:
    """The place of a workspace's index."""

    folder: Path
    """Holds the manifest."""
    store: Store
    embedder: Embedder
    remote: RemoteEmbedding | None = None
    """Embeds many documents in other processes, as `embedder` does in this one."""

    def layout_key(self, chunking: str) -> str:
        """Return the fingerprint of everything that decides an index built here, except its documents."""
        return fingerprint(chunking, self.embedder.fingerprint, self.store.layout)

    def open_index(self, card: IndexCard) -> StoredIndex:
        """Open the index of a card."""
        return self.store.open(card.name, dimensions=card.dimensions)


def read_index_card(folder: Path) -> IndexCard | None:
    """Return the card of the complete index in a folder; None where there is none."""
    found = load_json(folder / _MANIFEST)
    if not isinstance(found, dict) or set(found) != {field.name for field in fields(IndexCard)}:
        return None
    return IndexCard(**found)


def require_card(home: IndexHome) -> IndexCard:
    """Return the card of the complete index that this embedder built.

    Raises:
        WorkspaceError: there is none, or another embedder made its vectors, and distances would mean nothing.
    """
    card = _current_card(home)
    if card is None:
        raise _no_index(home.folder)
    embedder = home.embedder
    if card.embedder_fingerprint != embedder.fingerprint:
        raise WorkspaceError(
            f"{home.folder}: built by another embedder ({card.embedder}, {card.embedder_fingerprint}) than the "
            f"settings name ({embedder.name}, {embedder.fingerprint}); run: weighbridge index"
        )
    return card


def plan_sync(home: IndexHome, source: IndexSource) -> SyncPlan:
    """Return the plan of `sync`, and change nothing."""
    now = source.versions()
    card = _current_card(home)
    if card is None:
        other = read_index_card(home.folder)
        reason = "there is no index yet" if other is None else f"index {other.name} was made by another store"
        return compare_versions({}, now, anew=reason)
    before = home.open_index(card).documents()
    plan = compare_versions(before, now, unsettled=source.unsettled)
    if card.key != home.layout_key(source.chunking):
        same_embedder = card.embedder_fingerprint == home.embedder.fingerprint
        reason = "documents are cut or stored in another way" if same_embedder else "the embedder is another"
        return compare_versions(before, now, anew=reason)
    if len(plan.added) + len(plan.changed) > _MOST_IN_PLACE:
        return compare_versions(before, now, anew="much has changed")
    return plan


def sync(home: IndexHome, source: IndexSource, plan: SyncPlan, *, notify: Notify = silent) -> IndexCard:
    """Carry out a plan of `plan_sync`, and return the card of the index: it then holds exactly the documents.

    The caller holds the workspace's lock. An interruption leaves the index as it was, and the next sync continues.
    """
    start = perf_counter()
    card = _current_card(home)
    key = home.layout_key(source.chunking)
    if card is not None and plan.empty and card.fingerprint == _content_fingerprint(home.open_index(card), key):
        return card
    context = BuildContext(
        store=home.store,
        embedder=home.embedder,
        before=home.open_index(card) if card is not None else None,
        same_embedder=card is not None and card.embedder_fingerprint == home.embedder.fingerprint,
        remote=home.remote,
    )
    if card is None or plan.anew:
        begun = _resume_or_start(home, key, card)
        start -= begun.seconds
        done = build_beside(context, begun, source, notify=notify, keep=partial(_record_progress, home, key))
    else:
        done = change_in_place(context, card.name, source, plan, notify)
    new = _make_card(home, done, key, card, perf_counter() - start)
    write_json(home.folder / _MANIFEST, asdict(new))
    (home.folder / _BUILDING).unlink(missing_ok=True)
    return new


def open_stored(folder: Path, store: Store) -> StoredIndex:
    """Open the complete index in a folder without its embedder: for its history, not for searches.

    Raises:
        WorkspaceError: there is none.
    """
    card = read_index_card(folder)
    if card is None or card.name not in store.names():
        raise _no_index(folder)
    return store.open(card.name, dimensions=card.dimensions)


def restore_index(folder: Path, store: Store, number: int) -> IndexCard:
    """Restore the index to one of its versions, and return its card.

    The documents themselves do not change: the next sync brings the index back in step with them.

    Raises:
        WorkspaceError: there is no index, or no such version.
    """
    index = open_stored(folder, store)
    card = read_index_card(folder)
    if card is None:
        raise _no_index(folder)
    index.restore(number)
    new = replace(
        card,
        fingerprint=_content_fingerprint(index, card.key),
        documents=len(index.documents()),
        chunks=index.count(),
        embedded=0,
        bytes=store.bytes(card.name),
    )
    write_json(folder / _MANIFEST, asdict(new))
    return new


def _no_index(folder: Path) -> WorkspaceError:
    return WorkspaceError(f"{folder}: no complete index; run: weighbridge index")


def _current_card(home: IndexHome) -> IndexCard | None:
    card = read_index_card(home.folder)
    return card if card is not None and card.name in home.store.names() else None


def _content_fingerprint(index: StoredIndex, key: str) -> str:
    return fingerprint(sorted(index.documents().items()), key)


def _resume_or_start(home: IndexHome, key: str, card: IndexCard | None) -> BuildResult:
    """Return the interrupted build of the same kind, or start one under a new name."""
    found = load_json(home.folder / _BUILDING)
    same = isinstance(found, dict) and found.get("key") == key and found.get("name") in home.store.names()
    if same and not (card is not None and card.name == found["name"]):  # killed after the swap: that index is in use
        return BuildResult(name=found["name"], embedded=found["embedded"], seconds=found["seconds"])
    for name in home.store.names():
        if card is None or name != card.name:
            home.store.drop(name)
    taken = set(home.store.names())
    begun = BuildResult(
        name=next(name for n in count(1) if (name := f"{key}-{n}") not in taken), embedded=0, seconds=0.0
    )
    _record_progress(home, key, begun)
    return begun


def _record_progress(home: IndexHome, key: str, done: BuildResult) -> None:
    write_json(home.folder / _BUILDING, {"key": key, **asdict(done)})


def _make_card(home: IndexHome, done: BuildResult, key: str, before: IndexCard | None, seconds: float) -> IndexCard:
    index = home.store.open(done.name, dimensions=home.embedder.dimensions)
    chunks = index.count()
    kept = chunks - done.embedded
    spared = before.embedding_seconds * min(kept / before.chunks, 1.0) if before and before.chunks and kept else 0.0
    return IndexCard(
        fingerprint=_content_fingerprint(index, key),
        name=done.name,
        key=key,
        documents=len(index.documents()),
        chunks=chunks,
        embedded=done.embedded,
        seconds=seconds + spared,
        embedding_seconds=done.seconds + spared,
        bytes=home.store.bytes(done.name),
        embedder=home.embedder.name,
        embedder_fingerprint=home.embedder.fingerprint,
        dimensions=home.embedder.dimensions,
    )
