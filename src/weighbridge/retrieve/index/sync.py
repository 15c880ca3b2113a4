"""Documents become an index, and an index follows its documents.

    index/
      manifest.json     the card of the one complete index; written last
      building.json     what is being built beside it, so that an interrupted build goes on
      <name>/           an index, where the store is in files

A few changed documents are one transaction on the index there is. Many, or another embedder, chunk size or layout, are
built beside it in pieces of whole documents and swapped in by the manifest; the index before is kept until the next
build, for those who read it still. Vectors of texts that did not change are taken from it.
"""

from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

from weighbridge.errors import WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Embedder, Notify, Store, StoredIndex, silent
from weighbridge.retrieve.index.build import BuildContext, BuildResult, IndexSource, build_beside, change_in_place
from weighbridge.retrieve.index.plan import SyncPlan, compare_versions
from weighbridge.workspace import read_json, write_json

_MANIFEST = "manifest.json"
_BUILDING = "building.json"
_MOST_IN_PLACE = 1000
"""Documents that may change in one transaction; more are built beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCard:
    """What a complete index holds and what it took to build."""

    fingerprint: str
    """Of the documents' versions, the chunking, the embedder, and the layout of the table."""
    name: str
    """What the store calls it."""
    key: str
    """Of the chunking, the embedder and the layout: where it differs, the index is built anew."""
    documents: int
    chunks: int
    embedded: int
    """Chunks embedded by the last sync; the vectors of the others were there already."""
    seconds: float
    """What a fresh build would have taken, by what was measured: the last sync, and the embedding it was spared."""
    embedding_seconds: float
    """The part of `seconds` that went into vectors; for those taken from before, their share of what it was then."""
    bytes: int
    embedder: str
    embedder_fingerprint: str
    dimensions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexHome:
    """Where the index of a workspace is kept."""

    folder: Path
    """Holds the manifest."""
    store: Store
    embedder: Embedder

    def layout_key(self, chunking: str) -> str:
        """Return what an index built here is like, besides the documents it holds."""
        return fingerprint(chunking, self.embedder.fingerprint, self.store.layout)

    def open_index(self, card: IndexCard) -> StoredIndex:
        """Open the index of a card."""
        return self.store.open(card.name, dimensions=card.dimensions)


def read_card(folder: Path) -> IndexCard | None:
    """Return the card of the complete index in a folder; None where there is none."""
    found = read_json(folder / _MANIFEST)
    if not isinstance(found, dict) or set(found) != {field.name for field in fields(IndexCard)}:
        return None
    return IndexCard(**found)


def require_card(home: IndexHome) -> IndexCard:
    """Return the card of the complete index that this embedder built.

    Raises:
        WorkspaceError: there is none, or its vectors are another embedder's: then no distance means anything.
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


def plan_sync(home: IndexHome, material: IndexSource) -> SyncPlan:
    """Return what `sync` would do; nothing is changed."""
    now = material.versions()
    card = _current_card(home)
    if card is None:
        other = read_card(home.folder)
        reason = "there is no index yet" if other is None else f"index {other.name} was made by another store"
        return compare_versions({}, now, anew=reason)
    before = home.open_index(card).documents()
    plan = compare_versions(before, now, unsettled=material.unsettled)
    if card.key != home.layout_key(material.chunking):
        return compare_versions(before, now, anew=_why(card, home))
    if len(plan.added) + len(plan.changed) > _MOST_IN_PLACE:
        return compare_versions(before, now, anew="much has changed")
    return plan


def sync(home: IndexHome, material: IndexSource, plan: SyncPlan, *, notify: Notify = silent) -> IndexCard:
    """Carry out a plan of `plan_sync`, and return the card of the index, which then holds exactly the documents.

    The caller holds the workspace's lock. Interrupted, the index is what it was, and the next sync goes on.
    """
    start = perf_counter()
    card = _current_card(home)
    key = home.layout_key(material.chunking)
    if card is not None and plan.empty and card.fingerprint == _content_fingerprint(home.open_index(card), key):
        return card
    building = BuildContext(
        store=home.store,
        embedder=home.embedder,
        before=home.open_index(card) if card is not None else None,
        same_embedder=card is not None and card.embedder_fingerprint == home.embedder.fingerprint,
    )
    if card is None or plan.anew:
        begun = _resume_or_start(home, key, card)
        start -= begun.seconds
        done = build_beside(building, begun, material, notify=notify, keep=partial(_record_progress, home, key))
    else:
        done = change_in_place(building, card.name, material, plan, notify)
    new = _make_card(home, done, key, card, perf_counter() - start)
    write_json(home.folder / _MANIFEST, asdict(new))
    (home.folder / _BUILDING).unlink(missing_ok=True)
    return new


def open_stored(folder: Path, store: Store) -> StoredIndex:
    """Open the complete index in a folder without its embedder: for its history, not for searches.

    Raises:
        WorkspaceError: there is none.
    """
    card = read_card(folder)
    if card is None or card.name not in store.names():
        raise _no_index(folder)
    return store.open(card.name, dimensions=card.dimensions)


def restore_index(folder: Path, store: Store, number: int) -> IndexCard:
    """Make the index what it was in one of its versions, and return its card.

    The documents themselves are not changed: the next sync brings their state back.

    Raises:
        WorkspaceError: there is no index, or no such version.
    """
    index = open_stored(folder, store)
    card = read_card(folder)
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
    card = read_card(home.folder)
    return card if card is not None and card.name in home.store.names() else None


def _why(card: IndexCard, home: IndexHome) -> str:
    if card.embedder_fingerprint != home.embedder.fingerprint:
        return "the embedder is another"
    return "documents are cut or stored in another way"


def _content_fingerprint(index: StoredIndex, key: str) -> str:
    return fingerprint(sorted(index.documents().items()), key)


def _resume_or_start(home: IndexHome, key: str, card: IndexCard | None) -> BuildResult:
    """Return the interrupted build of the same kind to go on with, or an empty one under a new name."""
    found = read_json(home.folder / _BUILDING)
    same = isinstance(found, dict) and found.get("key") == key and found.get("name") in home.store.names()
    if same and not (card is not None and card.name == found["name"]):  # killed after the swap: that one is in use
        return BuildResult(name=found["name"], embedded=found["embedded"], seconds=found["seconds"])
    _clean(home, {card.name} if card is not None else set())
    taken = set(home.store.names())
    begun = BuildResult(
        name=next(name for n in count(1) if (name := f"{key}-{n}") not in taken), embedded=0, seconds=0.0
    )
    _record_progress(home, key, begun)
    return begun


def _record_progress(home: IndexHome, key: str, done: BuildResult) -> None:
    write_json(home.folder / _BUILDING, {"key": key, **asdict(done)})


def _clean(home: IndexHome, keep: set[str]) -> None:
    for name in home.store.names():
        if name not in keep:
            home.store.drop(name)


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
