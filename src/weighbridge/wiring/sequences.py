"""Sequences of documents that read each document on access, so that memory holds one at a time."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from typing import overload

from weighbridge.ingest.consistency.duplicates import DroppedCopy
from weighbridge.ingest.files.cache import CachedDocuments
from weighbridge.types import Document


@dataclass(frozen=True, slots=True)
class Joined(Sequence[Document]):
    """The documents of several sources, one after the other. Each is read on access."""

    parts: tuple[Sequence[Document], ...]
    unsettled: frozenset[str] = frozenset()
    """Ids of documents that could not be read this time. The index keeps their last known text."""
    dropped: tuple[DroppedCopy, ...] = ()
    """Copies that were left out. Examples may still cite them."""

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | Sequence[Document]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = index if index >= 0 else len(self) + index
        ends = list(accumulate(map(len, self.parts)))
        if not 0 <= place < len(self):
            raise IndexError(index)
        part = bisect_right(ends, place)
        return self.parts[part][place - (ends[part - 1] if part else 0)]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[Document]:
        return chain.from_iterable(self.parts)


@dataclass(frozen=True, slots=True)
class Renamed(Sequence[Document]):
    """Documents with the name of their source before each id."""

    documents: Sequence[Document]
    name: str

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | Sequence[Document]:
        if isinstance(index, slice):
            return Renamed(self.documents[index], self.name)
        document = self.documents[index]
        return replace(document, id=f"{self.name}/{document.id}")

    def __len__(self) -> int:
        return len(self.documents)


def heads_of(documents: Sequence[Document]) -> Sequence[Document]:
    """Return the documents; those that know their version come without their text, so no file is opened."""
    match documents:
        case CachedDocuments():
            return documents.heads
        case Renamed():
            return [replace(head, id=f"{documents.name}/{head.id}") for head in heads_of(documents.documents)]
        case Joined():
            return list(chain.from_iterable(map(heads_of, documents.parts)))
        case _:
            return documents
