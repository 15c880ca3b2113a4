"""Reports a reading: every file gave documents or a reason why not, and every loss is listed."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from weighbridge.ingest.content import Loss
from weighbridge.ingest.decode.text import Skipped
from weighbridge.types import Document

# Lines of reasons on one screen; the workspace has all of them.
_KINDS_SHOWN = 20
_COUNTED = re.compile(r"(.+): (\d{1,3}(?:,\d{3})*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReading:
    """The documents that were read, sorted as their files are, and the files left out."""

    documents: Sequence[Document]
    """To be gone through as often as one likes; read from the cache each time where there is one."""
    skipped: tuple[Skipped, ...]
    losses: tuple[Loss, ...] = ()
    """`Loss.place` begins with the file: "report.pdf, page 7"."""
    files: int = 0
    """Files looked at, those inside archives and mails counted. Each is the source of a document or skipped, once."""
    seconds: float = 0.0
    unsettled: frozenset[str] = frozenset()
    """Ids of documents with a file that could not be read this time, though it may be another time."""


def describe_reading(reading: DocumentReading) -> list[str]:
    """Return lines for people: the files read, left out and lost, a line each reason, the most frequent first."""
    documents = f"Read {_count(len(reading.documents), 'document')}"
    lines = [f"{documents} from {_count(reading.files - len(reading.skipped), 'file')} in {reading.seconds:.1f} s"]
    if reading.skipped:
        lines.append(f"Left out {_count(len(reading.skipped), 'file')}:")
        lines += _indent(group_by_reason((item.reason, item.path) for item in reading.skipped))
    if reading.losses:
        lines.append(f"Lost or doubtful in what was read, {_count(len(reading.losses), 'time')}:")
        lines += _indent(group_by_reason((loss.what, loss.place) for loss in reading.losses))
    return lines


def group_by_reason(told: Iterable[tuple[str, str]]) -> list[str]:
    """Gather (reason, place) by reason: "a.png and 2 more: not text", the most frequent first.

    Reasons that end with a count ("hidden pictures: 3") are one reason, with the sum of the counts.
    """
    places: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for reason, place in told:
        counted = _COUNTED.fullmatch(reason)
        kind = counted[1] if counted else reason
        places.setdefault(kind, []).append(place)
        if counted:
            counts[kind] = counts.get(kind, 0) + int(counted[2].replace(",", ""))
    lines: list[str] = []
    for kind, at in sorted(places.items(), key=lambda item: -len(item[1])):
        more = f" and {len(at) - 1:,} more" if len(at) > 1 else ""
        lines.append(f"{at[0]}{more}: {kind}{f': {counts[kind]:,}' if kind in counts else ''}")
    return lines


def _indent(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - _KINDS_SHOWN
    return [f"  {line}" for line in lines[:_KINDS_SHOWN]] + ([f"  and {rest:,} reasons more"] if rest > 0 else [])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
