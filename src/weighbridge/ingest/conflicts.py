"""Two documents that give different values for the same thing, for their owner to settle.

Versions of one document (near-duplicates that do not bear the names of different things, or the same title over much
of the same text) are compared sentence by sentence, cell by cell, and by their "key: value" lines. Of other documents
only sentences are compared that are the same but for one value, and name something rare: "The extension is 4402" is
said of many desks. No model reads them; whether a difference matters is for a person to say.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from weighbridge.ingest.contradictions import Place, differences, differing, elsewhere
from weighbridge.ingest.versions import version_pairs
from weighbridge.types import Document


@dataclass(frozen=True, slots=True)
class Reading:
    """What one document says: `quote == document.text[start:end]`, and the value in it that others differ from."""

    document_id: str
    start: int
    end: int
    quote: str
    value: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Different values for one thing: what is said of it, with an ellipsis for the value, and what each document says.

    Readings are in the order of the documents' ids; at least two of their values differ.
    """

    subject: str
    readings: tuple[Reading, ...]


def find_conflicts(documents: Sequence[Document], *, limit: int = 1000) -> tuple[Conflict, ...]:
    """Find statements of two or more documents that agree but for their values, at most `limit`.

    The result does not depend on the order of the documents, whose ids must differ.
    """
    documents = sorted(documents, key=lambda document: document.id)
    groups = _Groups()
    pairs = version_pairs(documents)
    for one, other in pairs:
        for left, right in differences(documents, one, other):
            groups.join(left, right)
    for left, right in elsewhere(documents, frozenset(pairs)):
        groups.join(left, right)
    found = (_conflict(documents, places) for places in groups.sets())
    return tuple(sorted(found, key=_order))[:limit]


def conflict_lines(conflicts: Iterable[Conflict]) -> Iterator[str]:
    """Say what each conflict is about, and below it, indented, which document says what, for the console."""
    for conflict in conflicts:
        yield conflict.subject
        said: dict[str, list[str]] = defaultdict(list)
        for reading in conflict.readings:
            said[reading.value].append(reading.document_id)
        for value, ids in said.items():
            yield f"  {value}: {', '.join(ids)}"


class _Groups:
    """Places that are joined, directly or through others: a union-find."""

    def __init__(self) -> None:
        self._parents: dict[Place, Place] = {}

    def join(self, left: Place, right: Place) -> None:
        self._parents[self._root(left)] = self._root(right)

    def sets(self) -> Iterable[Sequence[Place]]:
        found: dict[Place, list[Place]] = defaultdict(list)
        for place in self._parents:
            found[self._root(place)].append(place)
        return found.values()

    def _root(self, place: Place) -> Place:
        while (parent := self._parents.setdefault(place, place)) != place:
            self._parents[place] = self._parents[parent]
            place = parent
        return place


def _order(conflict: Conflict) -> tuple[str, int, str]:
    return conflict.readings[0].document_id, conflict.readings[0].start, conflict.subject


def _conflict(documents: Sequence[Document], places: Sequence[Place]) -> Conflict:
    places = sorted(places, key=lambda place: (place.document, place.start))
    texts = [documents[place.document].text for place in places]
    if places[0].label:
        values, subject = [place.value for place in places], places[0].label
    else:
        spans = differing([place.tokens for place in places])
        values = [_between(text, place, span) for text, place, span in zip(texts, places, spans, strict=True)]
        subject = _around(texts[0], places[0], spans[0])
    readings = (
        Reading(documents[place.document].id, place.start, place.end, text[place.start : place.end], value)
        for place, text, value in zip(places, texts, values, strict=True)
    )
    return Conflict(subject, tuple(readings))


def _between(text: str, place: Place, span: tuple[int, int]) -> str:
    start, end = span
    return " ".join(text[place.tokens[start].start : place.tokens[end - 1].end].split()) if start < end else ""


def _around(text: str, place: Place, span: tuple[int, int]) -> str:
    start, end = span
    before = text[place.start : place.tokens[start].start if start < len(place.tokens) else place.end]
    after = text[place.tokens[end - 1].end : place.end] if end else ""
    return re.sub(r"\s+", " ", f"{before}\N{HORIZONTAL ELLIPSIS}{after}")
