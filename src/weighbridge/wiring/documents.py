"""All the sources of a workload become one sequence of documents, and a report of what was lost on the way."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any

from weighbridge.errors import DataError
from weighbridge.evaluate.encode import to_json
from weighbridge.fingerprint import fingerprint
from weighbridge.ingest.consistency.conflicts import conflict_lines, documents_by_value, find_conflicts
from weighbridge.ingest.consistency.duplicates import (
    DroppedCopy,
    drop_duplicates,
    duplicate_lines,
    find_duplicates,
    list_dropped_copies,
)
from weighbridge.ingest.content import Parsed
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.read import DocumentReading, Memory, describe_reading, read_documents
from weighbridge.ingest.sources.rest import read_rest
from weighbridge.ingest.sources.sql import read_sql
from weighbridge.results import Contradiction, Omission, ReadingReport
from weighbridge.settings.schema import Settings
from weighbridge.settings.sources import RestSource, Source, SqlSource
from weighbridge.types import Document
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.sequences import Joined, Renamed
from weighbridge.workspace import Workspace, load_json, write_text

_FEW = 20_000
"""Documents up to which repetitions and conflicts are looked for without being asked."""


def read_sources(
    settings: Settings, workspace: Workspace, reporter: Reporter, *, memory: Memory | None = None
) -> Joined:
    """Read everything under `documents:`, and report losses to the reporter and in the workspace.

    A report that is the same as the last one is said in one line.

    Where several paths are given, their documents' ids begin with the name of their folder or file. With the `memory`
    of an earlier reading, only files that were touched are looked into, and no repetitions or conflicts are looked for
    unless copies are to be dropped.

    Raises:
        DataError: a source cannot be read, or gives nothing.
    """
    paths = [source for source in settings.sources if isinstance(source, Path)]
    readings = []
    for source in settings.sources:
        reading = _read(source, settings, workspace, reporter, memory)
        if len(paths) > 1 and isinstance(source, Path):
            reading = _prefix_ids(source.stem or source.resolve().name, reading)
        readings.append(reading)
    whole = readings[0] if len(readings) == 1 else _join(readings)
    if memory is not None and settings.reading.duplicates == "keep":
        return Joined((whole.documents,), whole.unsettled)
    lines = describe_reading(whole)
    documents, dropped, report = _without_copies(whole, settings, workspace, replace(reporter, say=lines.append))
    before = reading_report(workspace)
    if len(lines) > 1 and before and replace(before, seconds=report.seconds) == report:
        reporter.say(f"{lines[0]}, with the same remarks as last time: see {workspace.reading_report}")
    else:
        for line in lines:
            reporter.say(line)
    write_text(workspace.reading_report, to_json(report, indent=2) + "\n")
    return Joined((documents,), whole.unsettled, dropped)


def _prefix_ids(name: str, reading: DocumentReading) -> DocumentReading:
    """Put the name of a source before the ids of its documents."""
    unsettled = frozenset(f"{name}/{id_}" for id_ in reading.unsettled)
    return replace(reading, documents=Renamed(reading.documents, name), unsettled=unsettled)


def cache_of(workspace: Workspace, source: Path) -> Path:
    """Return where the workspace keeps what was parsed of a file or folder."""
    return workspace.parse_cache / fingerprint(str(source.resolve()))


def reading_report(workspace: Workspace) -> ReadingReport | None:
    """Return the report that the last reading wrote; None where there is none that this version can read."""
    kept = load_json(workspace.reading_report)
    if not isinstance(kept, dict):
        return None
    try:
        omissions = {key: tuple(Omission(**item) for item in kept[key]) for key in ("skipped", "losses")}
        conflicts = tuple(_contradiction(item) for item in kept["conflicts"] if isinstance(item, dict))
        return ReadingReport(**{**kept, **omissions, "repeated": tuple(kept["repeated"]), "conflicts": conflicts})
    except (KeyError, TypeError):
        return None


def _contradiction(item: dict[str, Any]) -> Contradiction:
    values = {value: tuple(ids) for value, ids in item["values"].items()}
    return Contradiction(**{**item, "values": values, "reasons": tuple(item["reasons"])})


def _read(
    source: Source, settings: Settings, workspace: Workspace, reporter: Reporter, memory: Memory | None
) -> DocumentReading:
    start = perf_counter()
    match source:
        case SqlSource():
            return _as_reading(read_sql(source, notify=reporter.notify), source.label, perf_counter() - start)
        case RestSource():
            return _as_reading(read_rest(source, notify=reporter.notify), source.label, perf_counter() - start)
        case Path():
            chosen = settings.reading
            limits = ReadingLimits(
                seconds=chosen.seconds_per_file, memory_mb=chosen.megabytes_per_file, workers=chosen.workers
            )
            cache = cache_of(workspace, source)
            return read_documents(source, cache=cache, limits=limits, notify=reporter.notify, memory=memory)


def _as_reading(parsed: Parsed, label: str, seconds: float) -> DocumentReading:
    documents = tuple(
        Document(
            id=f"{label}/{content.name}",
            text=content.text,
            title=content.title,
            source=label,
            groups=content.groups,
            parts=content.parts,
        )
        for content in parsed.contents
    )
    if not documents:
        raise DataError(f"{label}: gave no documents; correct it under documents: in weighbridge.yaml")
    losses = tuple(replace(loss, place=f"{label}, {loss.place}") for loss in parsed.losses)
    return DocumentReading(documents=documents, skipped=(), losses=losses, files=1, seconds=seconds)


def _join(readings: Sequence[DocumentReading]) -> DocumentReading:
    return DocumentReading(
        documents=Joined(tuple(reading.documents for reading in readings)),
        skipped=tuple(chain.from_iterable(reading.skipped for reading in readings)),
        losses=tuple(chain.from_iterable(reading.losses for reading in readings)),
        files=sum(reading.files for reading in readings),
        seconds=sum(reading.seconds for reading in readings),
        unsettled=frozenset(chain.from_iterable(reading.unsettled for reading in readings)),
    )


def _without_copies(
    reading: DocumentReading, settings: Settings, workspace: Workspace, reporter: Reporter
) -> tuple[Sequence[Document], tuple[DroppedCopy, ...], ReadingReport]:
    """Say which documents repeat or contradict others, and drop copies where the settings say so."""
    documents = reading.documents
    drop = settings.reading.duplicates == "drop"
    few = len(documents) <= _FEW
    found = find_duplicates(documents) if drop or few else ()
    repeated = tuple(duplicate_lines(found))
    if repeated:
        reporter.say("Documents that repeat another:")
        for line in repeated[:_SHOWN]:
            reporter.say(f"  {line}")
        if len(repeated) > _SHOWN:
            reporter.say(f"  and {len(repeated) - _SHOWN:,} lines more, in {workspace.reading_report}")
    dropped: tuple[DroppedCopy, ...] = ()
    if drop and found:
        dropped = list_dropped_copies(documents, found)
        documents = tuple(drop_duplicates(documents, found))
        more = "; an example that cites one counts for the document kept" if dropped else ""
        reporter.say(f"{len(dropped):,} of them dropped (reading.duplicates){more}")
    contradictions = _settle(tuple(reading.documents), workspace, reporter) if few else ()
    report = ReadingReport(
        files=reading.files,
        documents=len(documents),
        seconds=reading.seconds,
        skipped=tuple(Omission(item.path, item.reason) for item in reading.skipped),
        losses=tuple(Omission(loss.place, loss.what) for loss in reading.losses),
        repeated=repeated,
        conflicts=contradictions,
    )
    return documents, dropped, report


def _settle(documents: Sequence[Document], workspace: Workspace, reporter: Reporter) -> tuple[Contradiction, ...]:
    """Find what documents contradict each other in, and say the first ten, none that quotes a restricted document."""
    conflicts = find_conflicts(documents)
    restricted = frozenset(document.id for document in documents if document.groups)
    public = [one for one in conflicts if restricted.isdisjoint(reading.document_id for reading in one.readings)]
    if public:
        reporter.say("To be settled by you:")
        for line in conflict_lines(public[:_SHOWN], width=reporter.width - 2):
            reporter.say(f"  {line}")
    if len(public) > _SHOWN:
        reporter.say(f"  and {len(public) - _SHOWN:,} more: see conflicts in {workspace.reading_report}")
    if hidden := len(conflicts) - len(public):
        reporter.say(
            f"{hidden:,} more contradictions quote restricted documents; they are in {workspace.reading_report}"
        )
    return tuple(
        Contradiction(
            subject=one.subject,
            values=documents_by_value(one),
            score=one.score,
            reasons=one.reasons,
            restricted=one not in public,
        )
        for one in conflicts
    )


_SHOWN = 10
