"""Keeps parsed files on disk, so that a file is parsed once and a large folder is never held in memory.

An entry is one file, under the SHA-256 of all that its parsing depends on. It holds, one after another: for each
document a JSON object that describes it, and its text; a JSON object with their places; and a footer with the
length of that object and the SHA-256 of all that is before it. A file without a right footer is no entry.
"""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, overload

from weighbridge.errors import DataError
from weighbridge.ingest.content import Content, Loss
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.files.kinds import SNIFFER, Kind, reader_origin, version_of
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.types import Document, Part

_LAYOUT = 2
_FOOTER = 16 + 64
_DAY = 86_400
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that some database or encoder refuses. Replaced one by one, so that offsets stay right."""


@dataclass(frozen=True, slots=True)
class StoredPlace:
    """Where a document stands in its entry: bytes of its description, then bytes of its text. `name` is its own."""

    name: str
    start: int
    described: int
    length: int
    digest: str
    """Of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedPiece:
    """The documents and losses of one file: of the outer one, where `name` is empty, or of one inside it."""

    name: str
    kind: Kind | None = None
    places: tuple[StoredPlace, ...] = ()
    losses: tuple[Loss, ...] = ()
    reason: str = ""
    """Why it gave no document; empty where it gave one."""
    lasting: bool = True
    """Whether it would come out the same if it were tried again at once."""
    ended: bool = False
    """Whether its worker had to be ended; on a less busy machine it might not be."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A parsed file: where it is kept, and its pieces in order."""

    path: Path
    pieces: tuple[ParsedPiece, ...]


@dataclass(frozen=True, slots=True)
class CachedDocument:
    """A document without its text, and where the text is."""

    document: Document
    entry: Path
    place: StoredPlace


@dataclass(frozen=True, slots=True)
class CachedDocuments(Sequence[Document]):
    """Documents that are read from their entries each time they are asked for.

    Raises:
        DataError: an entry is gone or damaged since, as after a later reading into the same cache.
    """

    shelved: Sequence[CachedDocument]

    @property
    def heads(self) -> Sequence[Document]:
        """Return the documents without their texts: their ids, sources and versions."""
        return [each.document for each in self.shelved]

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | Sequence[Document]:
        if isinstance(index, slice):
            return CachedDocuments(self.shelved[index])
        return _load_document(self.shelved[index])

    def __len__(self) -> int:
        return len(self.shelved)

    def __iter__(self) -> Iterator[Document]:
        return map(_load_document, self.shelved)


def cache_key(path: Path, limits: ReadingLimits) -> str:
    """Return the name of a file's entry: its bytes and suffix, the limits, sniffer, layout and reader decide it.

    Raises:
        OSError: the file cannot be read.
    """
    suffix = path.suffix.lower() or path.name.lower()
    bounds = asdict(replace(limits, workers=0, recycled_after=0, file_mb=0))
    own = [origin] if (origin := reader_origin(path.name)) else []
    digest = hashlib.sha256(json.dumps([_LAYOUT, SNIFFER, suffix, bounds, *own]).encode() + b"\n")
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_content(file: IO[bytes], content: Content) -> StoredPlace:
    """Append a document to an entry that is being made. A text over the size limit is cut there by the caller."""
    described = {"title": content.title, "groups": sorted(content.groups), "parts": content.parts}
    head = json.dumps(described, default=asdict).encode()
    text = _UNSTORABLE.sub("\ufffd", content.text).encode()
    start = file.seek(0, os.SEEK_END)
    file.write(head)
    file.write(text)
    return StoredPlace(content.name, start, len(head), len(text), _digest(head + text))


def cut_to_largest(content: Content) -> Content:
    """Return a document with no more characters than a document may have."""
    if len(content.text) <= LARGEST:
        return content
    parts = (replace(part, end=min(part.end, LARGEST)) for part in content.parts if part.start < LARGEST)
    return replace(content, text=content.text[:LARGEST], parts=tuple(parts))


def to_piece(values: dict[str, Any]) -> ParsedPiece:
    """Return the piece that `asdict` and JSON made a mapping of."""
    places = tuple(StoredPlace(**place) for place in values["places"])
    return ParsedPiece(**{**values, "places": places, "losses": tuple(Loss(**loss) for loss in values["losses"])})


def finish_entry(cache: Path, key: str, made: Path, pieces: Sequence[ParsedPiece]) -> CacheEntry:
    """Close the entry that is being made at `made` (absent where nothing was written) and put it into its place."""
    versions = {piece.kind: version_of(piece.kind) for piece in pieces if piece.kind is not None}
    index = json.dumps({"versions": versions, "pieces": [asdict(piece) for piece in pieces]}).encode()
    with made.open("ab+") as file:
        file.write(index)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.write(f"{len(index):016d}{digest}".encode())
    path = cache / key[:2] / key
    path.parent.mkdir(parents=True, exist_ok=True)
    made.replace(path)
    return CacheEntry(path, tuple(pieces))


def load_entry(cache: Path, key: str) -> CacheEntry | None:
    """Return an entry, or None where there is none that is whole, of today's parsers, and good for another time.

    A file that a worker was ended for is not tried again for a day: a repeated scan would wait for it each time.
    """
    path = cache / key[:2] / key
    try:
        with path.open("rb") as file:
            index = _read_index(file)
        pieces = tuple(map(to_piece, index["pieces"]))
        good = all(version_of(kind) == version for kind, version in index["versions"].items())
        good &= not any(piece.ended for piece in pieces) or time.time() - path.stat().st_mtime < _DAY
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return CacheEntry(path, pieces) if good and all(piece.lasting for piece in pieces) else None


def prune_cache(cache: Path, keep: frozenset[str]) -> None:
    """Delete the entries of other keys, and folders that runs left when they were killed a day ago or more."""
    for path in cache.glob("[0-9a-f][0-9a-f]/*"):
        if path.name not in keep:
            path.unlink(missing_ok=True)
    for folder in cache.glob(".making-*"):
        if time.time() - folder.stat().st_mtime > _DAY:
            shutil.rmtree(folder, ignore_errors=True)


def _read_index(file: IO[bytes]) -> dict[str, Any]:
    """Return the index of an entry; `ValueError` where the file is not whole."""
    size = file.seek(0, os.SEEK_END) - _FOOTER
    if size < 0:
        raise ValueError("no footer")
    file.seek(0)
    digest = hashlib.sha256()
    left = size
    while left and (block := file.read(min(left, 1 << 20))):
        digest.update(block)
        left -= len(block)
    footer = file.read(_FOOTER).decode("ascii")
    if footer[16:] != digest.hexdigest():
        raise ValueError("wrong digest")
    file.seek(size - int(footer[:16]))
    index: dict[str, Any] = json.loads(file.read(int(footer[:16])))
    return index


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _check_digest(content: bytes, place: StoredPlace) -> bytes:
    if _digest(content) != place.digest:
        raise ValueError("wrong digest")
    return content


def _load_document(shelved: CachedDocument) -> Document:
    place = shelved.place
    try:
        with shelved.entry.open("rb") as file:
            file.seek(place.start)
            content = file.read(place.described + place.length)
        described = json.loads(_check_digest(content, place)[: place.described])
        return replace(
            shelved.document,
            text=content[place.described :].decode(),
            title=described["title"] or shelved.document.title,
            groups=frozenset(described["groups"]),
            parts=tuple(Part(**part) for part in described["parts"]),
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"{shelved.document.source}: its stored text is gone; read the documents again") from error
