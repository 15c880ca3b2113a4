"""Looks up the documents that examples cite, by their id or by the name of their file."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import chain
from pathlib import PurePosixPath

from weighbridge.errors import DataError
from weighbridge.ingest.consistency.duplicates import DroppedCopy
from weighbridge.types import Document, Example

_SHOWN = 5
_MOST_COMPARED = 10_000
"""With more documents, no closest id is sought: five names against 100,000 ids took 21 s on a busy core."""


@dataclass(frozen=True, slots=True)
class _Readers:
    """The groups of each document, the other names it may be cited by, and the document kept for each dropped copy."""

    groups: Mapping[str, frozenset[str]]
    others: Mapping[str, Sequence[str]]
    kept: Mapping[str, str]


def resolve_evidence(
    examples: Sequence[Example], documents: Iterable[Document], dropped: Sequence[DroppedCopy] = ()
) -> tuple[Example, ...]:
    """Return the examples with the ids of the documents that they cite; whoever asks may read all of these.

    A document may be cited with the suffix of its file, whether its id has it or not, and without it where only one
    document is called so: its id changes when it is first read beside another of its name. An example that cites a
    dropped copy counts for the document kept. Whoever asks must have been allowed to read the copy, since it may say
    more than the public document that is kept.

    Only the groups of the question decide who sees its answer, so the answer must not rest on a document that they
    may not read.
    Without documents there is nothing to check against.

    Raises:
        DataError: naming the first unknown ids, the examples that cite them, and how many there are; or the first
            answerable examples that cite a document of none of their own groups.
    """
    readers = _list_readers(documents, dropped)
    if not readers.groups:
        return tuple(examples)
    unknown: dict[str, str] = {}
    hidden: dict[str, str] = {}
    resolved = []
    for example in examples:
        evidence: list[str] = []
        for name in example.evidence:
            meant = (name,) if name in readers.groups else readers.others.get(name, ())
            stands = {readers.kept.get(one, one) for one in meant}
            if len(stands) != 1:
                unknown.setdefault(name, example.id)
                continue
            evidence.extend(stands)
            for groups in (readers.groups[one] for one in meant):
                if example.answerable and groups and groups.isdisjoint(example.question.groups):
                    hidden.setdefault(example.id, f"{example.id!r} cites {name!r}, for {', '.join(sorted(groups))}")
        resolved.append(replace(example, evidence=tuple(dict.fromkeys(evidence))))
    if unknown:
        missing = "1 document that is" if len(unknown) == 1 else f"{len(unknown):,} documents that are"
        raise DataError(
            f"examples cite {missing} not there: {_describe_unknown(unknown, readers)}. "
            f"Document ids look like {min(readers.groups)!r}; correct 'doc_ids' in the examples, or add the documents"
        )
    if hidden:
        raise DataError(
            f"{len(hidden):,} answerable examples cite documents that their askers may not read: "
            f"{_join_first(hidden, '; ')}. Their answers would be shown to everybody who may see the question; add "
            '"groups" with one of the document\'s groups to each of these examples'
        )
    return tuple(resolved)


def _describe_unknown(unknown: Mapping[str, str], readers: _Readers) -> str:
    """Return unknown names, each with the example that cites it, and the documents that it may stand for."""
    described: dict[str, str] = {}
    for name, example_id in unknown.items():
        hint = ""
        if meant := readers.others.get(name):
            hint = f"; this could be {' or '.join(map(repr, sorted(meant)[:_SHOWN]))}: cite one of them"
        elif len(described) < _SHOWN and len(readers.groups) <= _MOST_COMPARED:
            close = get_close_matches(name, readers.groups, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
        described[name] = f"{name!r} (example {example_id!r}{hint})"
    return _join_first(described, ", ")


def _list_readers(documents: Iterable[Document], dropped: Sequence[DroppedCopy]) -> _Readers:
    groups: dict[str, frozenset[str]] = {}
    others: defaultdict[str, list[str]] = defaultdict(list)
    for document in chain(documents, (copy.document for copy in dropped)):
        groups[document.id] = document.groups
        for name in _list_other_names(document):
            others[name].append(document.id)
    return _Readers(groups, others, {copy.document.id: copy.kept for copy in dropped})


def _list_other_names(document: Document) -> Iterator[str]:
    """Yield the other names of a document: its id with the suffix of its file, or without it."""
    suffix = PurePosixPath(document.source).suffix
    for name, other in ((document.id + suffix, document.id + suffix), (document.id, document.id.removesuffix(suffix))):
        if suffix and f"/{name}".endswith(f"/{document.source}"):
            yield other


def _join_first(told: Mapping[str, str], separator: str) -> str:
    more = f" and {len(told) - _SHOWN:,} more" if len(told) > _SHOWN else ""
    return separator.join(list(told.values())[:_SHOWN]) + more
