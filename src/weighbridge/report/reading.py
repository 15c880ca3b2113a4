"""Losses on the way from the sources to the documents, for people."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from weighbridge.report.safe_text import count_noun, one_line
from weighbridge.results import Omission, ReadingReport

_PLACES = 3
_REASONS = 30


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason, how often it was met, and where, for instance."""

    reason: str
    count: int
    places: str


def group_omissions(omissions: Iterable[Omission]) -> Sequence[ReasonLine]:
    """Gather omissions by their reason, the most frequent first; at most 30 reasons."""
    places: dict[str, list[str]] = {}
    for omission in omissions:
        places.setdefault(omission.reason, []).append(omission.place)
    found = sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    return [ReasonLine(one_line(reason, 300), len(at), _some(at)) for reason, at in found[:_REASONS]]


def count_omissions(report: ReadingReport) -> Iterator[str]:
    """Yield the numbers of files, documents and losses, as sentences."""
    yield f"{count_noun(report.files, 'file')} became {count_noun(report.documents, 'document')}"
    told = (
        (len(report.skipped), "file was left out", "files were left out"),
        (len(report.losses), "thing in a file was lost", "things in files were lost"),
        (len(report.repeated), "document repeats another", "documents repeat another"),
        (len(report.conflicts), "statement is contradicted", "statements are contradicted"),
    )
    for count, one, many in told:
        if count:
            yield count_noun(count, one, many)


def _some(places: Sequence[str]) -> str:
    more = f" and {len(places) - _PLACES:,} more" if len(places) > _PLACES else ""
    return f"{', '.join(one_line(place, 120) for place in places[:_PLACES])}{more}"
