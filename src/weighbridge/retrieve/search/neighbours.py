"""Shows passages with the chunks around them, or with their whole section."""

from collections.abc import Sequence
from dataclasses import dataclass

from weighbridge.fingerprint import fingerprint
from weighbridge.passage_tables import continued_header
from weighbridge.protocols import Index, Retriever
from weighbridge.types import Chunk, Passage, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrounded:
    """A `Retriever` that puts the chunks before and after each passage around it, in the order of the text.

    A chunk is given once, at the place of the best passage it belongs to, with that passage's score. The limit counts
    the passages found; their neighbours come on top.
    """

    retriever: Retriever
    index: Index
    around: int = 1
    """Chunks before, and chunks after."""

    @property
    def fingerprint(self) -> str:
        return fingerprint("surrounded", self.retriever.fingerprint, self.around)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        given: dict[str, Passage] = {}
        found = self.retriever.search(question, limit=limit)
        copies = {passage.chunk.id: passage.copies for passage in found}
        for passage in found:
            for chunk in self._around(passage.chunk, question):
                given.setdefault(chunk.id, Passage(chunk, passage.score, copies.get(chunk.id, ())))
        return tuple(given.values())

    def _around(self, chunk: Chunk, question: Question) -> Sequence[Chunk]:
        chunks = self.index.chunks_of(chunk.document_id, groups=question.groups)
        place = next((place for place, other in enumerate(chunks) if other.id == chunk.id), None)
        if place is None:  # changed since it was found
            return (chunk,)
        return chunks[max(place - self.around, 0) : place + self.around + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSections:
    """A `Retriever` that gives all chunks under the same headings as a passage: its section."""

    retriever: Retriever
    index: Index

    @property
    def fingerprint(self) -> str:
        return fingerprint("whole sections", self.retriever.fingerprint)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        given: dict[str, Passage] = {}
        found = self.retriever.search(question, limit=limit)
        copies = {passage.chunk.id: passage.copies for passage in found}
        for passage in found:
            chunks = self.index.chunks_of(passage.chunk.document_id, groups=question.groups)
            for chunk in [chunk for chunk in chunks if _headings(chunk) == _headings(passage.chunk)] or [passage.chunk]:
                given.setdefault(chunk.id, Passage(chunk, passage.score, copies.get(chunk.id, ())))
        return tuple(given.values())


def _headings(chunk: Chunk) -> tuple[str, ...]:
    """Return the headings of a chunk, without the header row of a table that it continues."""
    return chunk.context[:-1] if continued_header(chunk) else chunk.context
