"""Finds documents that give different values for one thing, for their owner to settle.

Versions of one document (near-duplicates that do not bear the names of different things, or the same title over much
of the same text) are compared sentence by sentence, cell by cell, and by their "key: value" lines. Of other documents
only sentences are compared that are the same but for one value. Conflicts are ranked by how surely the
documents speak of one thing, and by how much it matters: rules, limits and prices first. No model reads them, and a
person decides which document is right.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from weighbridge.ingest.consistency.contradictions import (
    MOST_COMPARED,
    Budget,
    Difference,
    StatementCorpus,
    ValuePlace,
    differences,
    find_differing_spans,
)
from weighbridge.ingest.consistency.shared_sentences import find_shared_sentences
from weighbridge.ingest.consistency.statements import Kind, StatementToken, tokenise
from weighbridge.ingest.consistency.versions import version_pairs
from weighbridge.types import Document

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_LEAST_SCORE = 0.5
"""The least score worth a person's time: figures of two quarters and forms filled in score less."""
_TO_AND_FRO = 0.15
"""Added to the score where a later document returns to the value of an earlier one."""
_FORM = 4
"""Where so many documents each have a value of their own, it is theirs, unless their names call them versions."""
_RULES = frozenset({
    "must", "shall", "required", "requires", "require", "only", "limit", "limits", "limited", "maximum", "minimum",
    "most", "least", "within", "fee", "fees", "cost", "costs", "price", "prices", "charge", "charged", "charges",
    "fine", "pay", "paid", "pays", "deadline", "due", "allowed", "forbidden", "permitted", "prohibited", "entitled",
    "up", "until", "before", "after", "every", "per", "vest", "vests", "expire", "expires", "dose",
})  # fmt: skip
_MATTERS: Mapping[Kind, tuple[float, str]] = {
    "not": (1.0, "one denies it"),
    "figure": (0.95, "another figure"),
    "turn": (0.92, "turned round"),
    "day": (0.92, "another day"),
    "name": (0.9, "another name"),
    "word": (0.85, "other words"),
}
"""How much a difference of each kind matters, the first that is there counting; a rule matters most (1)."""


@dataclass(frozen=True, slots=True)
class StatedValue:
    """The statement of one document, `quote == document.text[start:end]`, and the value that others differ from."""

    document_id: str
    start: int
    end: int
    quote: str
    value: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Different values for one thing: the statement with an ellipsis for the value, and that of each document.

    Readings are in the order of the documents' ids; at least two of their values differ. The score, up to 1, is how
    sure it is that they speak of one thing times how much that matters; the reasons say why, the weightiest first.
    """

    subject: str
    readings: tuple[StatedValue, ...]
    score: float = 1.0
    reasons: tuple[str, ...] = ()


def find_conflicts(documents: Sequence[Document], *, limit: int = 1000) -> tuple[Conflict, ...]:
    """Find statements of two or more documents that agree but for their values, the best `limit`, best first.

    The result does not depend on the order of the documents. Their ids must differ. Documents with the same text are
    compared once.
    """
    copies: dict[str, list[str]] = defaultdict(list)
    distinct = []
    for document in sorted(documents, key=lambda document: document.id):
        if document.text not in copies:
            distinct.append(document)
        copies[document.text].append(document.id)
    corpus = StatementCorpus(distinct)
    groups = _Groups()
    for difference in _all_differences(corpus):
        groups.join(difference)
    found = (_conflict(corpus, places, best) for places, best in groups.sets())
    worth = sorted((one for one in found if one and one.score >= _LEAST_SCORE), key=_order)[:limit]
    ids = {own[0]: own for own in copies.values()}
    return tuple(replace(one, readings=_with_copies(one.readings, ids)) for one in worth)


def documents_by_value(conflict: Conflict) -> Mapping[str, tuple[str, ...]]:
    """Return each value with the ids of the documents that give it, in the order of the readings."""
    said: dict[str, dict[str, None]] = defaultdict(dict)
    for reading in conflict.readings:
        said[reading.value][reading.document_id] = None
    return {value: tuple(ids) for value, ids in said.items()}


def conflict_lines(conflicts: Iterable[Conflict], *, width: int = 100) -> Iterator[str]:
    """Yield lines for each conflict: its subject, the documents by value, and its reasons; none beyond `width`."""
    for conflict in conflicts:
        yield _window(conflict.subject, width)
        for value, ids in documents_by_value(conflict).items():
            shown = _window(value, width // 2) or "(nothing)"
            yield f"  {shown}: {_some(ids, width - len(shown) - 4)}"
        if conflict.reasons:
            reasons = "; ".join(conflict.reasons)
            yield f"  {_window(f'({reasons})', width - 2)}"


def _all_differences(corpus: StatementCorpus) -> Iterator[Difference]:
    pairs = version_pairs(corpus.documents, corpus.periods)
    budget = Budget(MOST_COMPARED)
    for one, other in sorted(pairs, key=lambda pair: (-pairs[pair], pair)):
        yield from differences(corpus, one, other, budget)
    yield from find_shared_sentences(corpus, pairs.keys())


class _Groups:
    """Places that are joined, directly or through others: a union-find."""

    def __init__(self) -> None:
        self._parents: dict[ValuePlace, ValuePlace] = {}
        self._best: dict[ValuePlace, Difference] = {}

    def join(self, difference: Difference) -> None:
        left, right = self._root(difference.left), self._root(difference.right)
        known = (self._best[root] for root in (left, right) if root in self._best)
        self._parents[left] = right
        self._best[right] = max((difference, *known), key=lambda one: (one.sure, one.reason))

    def sets(self) -> Iterable[tuple[Sequence[ValuePlace], Difference]]:
        found: dict[ValuePlace, list[ValuePlace]] = defaultdict(list)
        for place in self._parents:
            found[self._root(place)].append(place)
        return [(places, self._best[root]) for root, places in found.items()]

    def _root(self, place: ValuePlace) -> ValuePlace:
        while (parent := self._parents.setdefault(place, place)) != place:
            self._parents[place] = self._parents[parent]
            place = parent
        return place


def _order(conflict: Conflict) -> tuple[float, str, int, str]:
    first = conflict.readings[0]
    return -conflict.score, first.document_id, first.start, conflict.subject


def _conflict(corpus: StatementCorpus, places: Sequence[ValuePlace], best: Difference) -> Conflict | None:
    documents = corpus.documents
    places = sorted(places, key=lambda place: (place.document, place.start))
    texts = [documents[place.document].text for place in places]
    if places[0].label:
        values, subject = [place.value for place in places], places[0].label
        changed = [token for value in values for token in tokenise(value, 0, len(value))]
        around = list(tokenise(subject, 0, len(subject)))
    else:
        spans = find_differing_spans([place.tokens for place in places])
        values = [_text_between(text, place, span) for text, place, span in zip(texts, places, spans, strict=True)]
        subject = _around(texts[0], places[0], spans[0])
        changed = [
            token for place, (start, end) in zip(places, spans, strict=True) for token in place.tokens[start:end]
        ]
        around = list(places[0].tokens)
    distinct = len(set(values))
    if distinct < 2 or (distinct == len(places) >= _FORM and not best.by_name):  # noqa: PLR2004 - no difference
        return None
    weight, why = _weight(changed, around)
    readings = tuple(
        StatedValue(documents[place.document].id, place.start, place.end, text[place.start : place.end], value)
        for place, text, value in zip(places, texts, values, strict=True)
    )
    sure, reasons = best.sure, [best.reason, why]
    if not best.by_name and _goes_to_and_fro([corpus.periods[place.document].order for place in places], values):
        sure = min(sure + _TO_AND_FRO, 1.0)
        reasons.append("the same before and after")
    return Conflict(subject, readings, round(sure * weight, 3), tuple(reasons))


def _goes_to_and_fro(times: Sequence[str], values: Sequence[str]) -> bool:
    """Tell whether a value comes again after another one: a rule that was changed does not."""
    if not all(times):
        return False
    in_order = [value for _, value in sorted(zip(times, values, strict=True))]
    return sum(one != other for one, other in pairwise(in_order)) > len(set(values)) - 1


def _weight(changed: Sequence[StatementToken], around: Sequence[StatementToken]) -> tuple[float, str]:
    kinds = {token.kind for token in changed}
    weight, why = next((_MATTERS[kind] for kind in _MATTERS if kind in kinds), _MATTERS["word"])
    if kinds & {"figure", "day", "turn"} and any(token.norm in _RULES for token in around):
        return 1.0, "a rule, limit or price"
    return weight, why


def _with_copies(readings: Sequence[StatedValue], ids: Mapping[str, Sequence[str]]) -> tuple[StatedValue, ...]:
    """Return the readings with those of the documents that have the same text."""
    every = [replace(reading, document_id=each) for reading in readings for each in ids[reading.document_id]]
    return tuple(sorted(every, key=lambda reading: (reading.document_id, reading.start)))


def _text_between(text: str, place: ValuePlace, span: tuple[int, int]) -> str:
    start, end = span
    return " ".join(text[place.tokens[start].start : place.tokens[end - 1].end].split()) if start < end else ""


def _around(text: str, place: ValuePlace, span: tuple[int, int]) -> str:
    start, end = span
    before = text[place.start : place.tokens[start].start if start < len(place.tokens) else place.end]
    after = text[place.tokens[end - 1].end : place.end] if end else ""
    return re.sub(r"\s+", " ", f"{before}{_ELLIPSIS}{after}")


def _window(text: str, width: int) -> str:
    """Return a text of at most `width` characters, cut between words around the ellipsis that stands for a value."""
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    at = text.find(_ELLIPSIS)
    start = 0 if at < width * 3 // 4 else min(at - width // 2, len(text) - width + 1)
    end = start + width - (1 if start else 0)
    cut = text[start:end]
    if start:
        cut = _ELLIPSIS + (cut[cut.find(" ") :] if " " in cut[: width // 4] else cut)
    if end < len(text):
        cut = (cut[: cut.rfind(" ")] if " " in cut[-width // 4 :] else cut[:-1]).rstrip(" " + _ELLIPSIS) + _ELLIPSIS
    return cut


def _some(ids: Sequence[str], width: int) -> str:
    """Return the ids that fit, the first cut where it must be, and how many more there are."""
    fitting = len(ids)
    while fitting > 1 and len(", ".join(ids[:fitting])) + len(_more(ids, fitting)) > width:
        fitting -= 1
    more = _more(ids, fitting)
    return _window(", ".join(ids[:fitting]), max(width - len(more), 1)) + more


def _more(ids: Sequence[str], shown: int) -> str:
    return f" and {len(ids) - shown:,} more" if shown < len(ids) else ""
