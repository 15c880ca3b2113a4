"""Chunks become an index on disk, complete or not there at all.

    index/
      manifest.json     the card of the one complete index; written last
      <fingerprint>/    its table

An index is named by what it holds. A changed one is built beside the old and swapped in by the manifest; vectors of
texts that did not change are taken from the old. What an interrupted build left behind is removed by the next.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.errors import WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Changes, Embedder, Notify, silent
from weighbridge.retrieve.searchable import searchable_text
from weighbridge.retrieve.stores.lance import LAYOUT, LanceIndex, open_lance
from weighbridge.types import Chunk, Progress
from weighbridge.workspace import read_json, write_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MANIFEST = "manifest.json"
_PIECE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCard:
    """What a complete index holds and what it took to build."""

    fingerprint: str
    """Of the chunks (texts, titles, places, groups), the embedder, and the layout of the table."""
    documents: int
    chunks: int
    embedded: int
    """Chunks embedded by this build; the vectors of the others were taken from the index before."""
    seconds: float
    """What a fresh build would have taken, by what was measured: this build, and `embedding_seconds` it was spared."""
    embedding_seconds: float
    """The part of `seconds` that went into vectors; for those taken from before, their share of what it was then."""
    bytes: int
    embedder: str
    embedder_fingerprint: str
    dimensions: int


def read_card(folder: Path) -> IndexCard | None:
    """Return the card of the complete index in a folder; None where there is none."""
    found = read_json(folder / _MANIFEST)
    if not isinstance(found, dict) or set(found) != {field.name for field in fields(IndexCard)}:
        return None
    card = IndexCard(**found)
    return card if (folder / card.fingerprint).is_dir() else None


def open_index(folder: Path, *, dimensions: int) -> LanceIndex:
    """Open the complete index in a folder.

    Raises:
        WorkspaceError: there is none, or it was built by an embedder of other dimensions.
    """
    card = read_card(folder)
    if card is None:
        raise WorkspaceError(f"{folder}: no complete index; run: weighbridge index")
    if card.dimensions != dimensions:
        raise WorkspaceError(
            f"{folder}: built by {card.embedder} with {card.dimensions} dimensions, but the embedder has {dimensions}; "
            "run: weighbridge index"
        )
    return open_lance(folder / card.fingerprint, dimensions=dimensions)


def require_card(folder: Path, embedder: Embedder) -> IndexCard:
    """Return the card of the complete index that this embedder built.

    Raises:
        WorkspaceError: there is none, or its vectors are another embedder's: then no distance means anything.
    """
    card = read_card(folder)
    if card is None:
        raise WorkspaceError(f"{folder}: no complete index; run: weighbridge index")
    if card.embedder_fingerprint != embedder.fingerprint:
        raise WorkspaceError(
            f"{folder}: built by another embedder ({card.embedder}, {card.embedder_fingerprint}) than the settings "
            f"name ({embedder.name}, {embedder.fingerprint}); run: weighbridge index"
        )
    return card


def build_index(folder: Path, chunks: Sequence[Chunk], embedder: Embedder, *, notify: Notify = silent) -> IndexCard:
    """Make the folder hold an index of exactly these chunks; nothing is done where it does already.

    The caller holds the workspace's lock. Readers that opened the index before must open it again.
    """
    start = perf_counter()
    content = _content(chunks, embedder)
    before = read_card(folder)
    _clean(folder, keep=before)
    if before is not None and before.fingerprint == content:
        return before
    known = _known(folder, before, embedder)
    reused = sum(searchable_text(chunk) in known for chunk in chunks)
    spared = before.embedding_seconds * reused / before.chunks if before and reused else 0.0
    embedding = perf_counter()
    vectors = _vectors(chunks, embedder, known, notify)
    embedding = perf_counter() - embedding
    index = open_lance(folder / content, dimensions=embedder.dimensions)
    index.apply(Changes(added=chunks, vectors=vectors))
    card = IndexCard(
        fingerprint=content,
        documents=len({chunk.document_id for chunk in chunks}),
        chunks=len(chunks),
        embedded=len(chunks) - reused,
        seconds=perf_counter() - start + spared,
        embedding_seconds=embedding + spared,
        bytes=sum(file.stat().st_size for file in (folder / content).rglob("*") if file.is_file()),
        embedder=embedder.name,
        embedder_fingerprint=embedder.fingerprint,
        dimensions=embedder.dimensions,
    )
    write_json(folder / _MANIFEST, asdict(card))
    _clean(folder, keep=card)
    return card


def _content(chunks: Sequence[Chunk], embedder: Embedder) -> str:
    rows = sorted((c.id, c.document_id, c.title, c.text, c.start, c.end, sorted(c.groups)) for c in chunks)
    return fingerprint(rows, embedder.fingerprint, LAYOUT)


def _clean(folder: Path, *, keep: IndexCard | None) -> None:
    if folder.is_dir():
        for inside in folder.iterdir():
            if inside.is_dir() and (keep is None or inside.name != keep.fingerprint):
                shutil.rmtree(inside)


def _known(folder: Path, card: IndexCard | None, embedder: Embedder) -> Mapping[str, "NDArray[np.float32]"]:
    """Return the vectors of the texts that the index before holds, if this embedder made them and it can be read."""
    if card is None or card.embedder_fingerprint != embedder.fingerprint:
        return {}
    try:
        contents = open_lance(folder / card.fingerprint, dimensions=card.dimensions).contents()
    except WorkspaceError:
        return {}
    return {searchable_text(chunk): vector for chunk, vector in zip(contents.chunks, contents.vectors, strict=True)}


def _vectors(
    chunks: Sequence[Chunk], embedder: Embedder, known: Mapping[str, "NDArray[np.float32]"], notify: Notify
) -> "NDArray[np.float32]":
    texts = [searchable_text(chunk) for chunk in chunks]
    rows = np.empty((len(texts), embedder.dimensions), np.float32)
    fresh = []
    for place, text in enumerate(texts):
        if text in known:
            rows[place] = known[text]
        else:
            fresh.append(place)
    fresh.sort(key=lambda place: len(texts[place]))
    notify(Progress(task="index", done=len(texts) - len(fresh), total=len(texts), unit="chunks"))
    for first in range(0, len(fresh), _PIECE):
        piece = fresh[first : first + _PIECE]
        rows[piece] = embedder.embed([texts[place] for place in piece], kind="document")
        done = first + len(piece)
        notify(Progress(task="index", done=len(texts) - len(fresh) + done, total=len(texts), unit="chunks"))
    return rows
