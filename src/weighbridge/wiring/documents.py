"""Reads all sources of a workload into one sequence of documents, with a report of the losses."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from time import perf_counter

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
from weighbridge.ingest.sources.objects import mirror_objects
from weighbridge.ingest.sources.rest import read_rest
from weighbridge.ingest.sources.sql import read_sql
from weighbridge.results import Contradiction, Omission, ReadingReport
from weighbridge.settings.schema import Settings
from weighbridge.settings.sources import ObjectSource, RestSource, Source, SqlSource
from weighbridge.types import Document
from weighbridge.wiring.cluster import cluster
from weighbridge.wiring.offline import require_local_source
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.sequences import Joined, Renamed
from weighbridge.workspace import Workspace, load_json, write_text

COMPARED_DOCUMENTS = 20_000
"""With more documents, conflicts are not searched, and repetitions only if copies are to be dropped."""


def read_sources(
    settings: Settings, workspace: Workspace, reporter: Reporter, *, memory: Memory | None = None
) -> Joined:
    """Read everything under `documents:`, and report the losses to the reporter and in the workspace.

    A report that equals the last one takes one line.

    With several paths, the ids of documents begin with the name of their folder or file. With the `memory` of an
    earlier reading, only changed files are opened, and repetitions are searched only if copies are to be dropped.

    Raises:
        DataError: a source cannot be read, or is empty.
    """
    paths = [source for source in settings.sources if isinstance(source, Path)]
    readings = []
    for source in settings.sources:
        reading = _read(source, settings, workspace, reporter, memory)
        if len(paths) > 1 and isinstance(source, Path):
            name = source.stem or source.resolve().name
            unsettled = frozenset(f"{name}/{id_}" for id_ in reading.unsettled)
            reading = replace(reading, documents=Renamed(reading.documents, name), unsettled=unsettled)
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


def cache_of(workspace: Workspace, source: Path) -> Path:
    """Return the folder with the parsed texts of a source."""
    return workspace.parse_cache / fingerprint(str(source.resolve()))


def reading_report(workspace: Workspace) -> ReadingReport | None:
    """Return the report of the last reading; None if there is none that this version can read."""
    kept = load_json(workspace.reading_report)
    if not isinstance(kept, dict):
        return None
    try:
        omissions = {key: tuple(Omission(**item) for item in kept[key]) for key in ("skipped", "losses")}
        conflicts = []
        for item in kept["conflicts"]:
            if isinstance(item, dict):
                values = {value: tuple(ids) for value, ids in item["values"].items()}
                conflicts.append(Contradiction(**{**item, "values": values, "reasons": tuple(item["reasons"])}))
        sequences = {"repeated": tuple(kept["repeated"]), "conflicts": tuple(conflicts)}
        return ReadingReport(**{**kept, **omissions, **sequences})
    except (KeyError, TypeError):
        return None


def _read(
    source: Source, settings: Settings, workspace: Workspace, reporter: Reporter, memory: Memory | None
) -> DocumentReading:
    require_local_source(source, settings)
    start = perf_counter()
    match source:
        case SqlSource():
            return _as_reading(read_sql(source, notify=reporter.notify), source.label, perf_counter() - start)
        case RestSource():
            return _as_reading(read_rest(source, notify=reporter.notify), source.label, perf_counter() - start)
        case ObjectSource():
            kept = workspace.objects / fingerprint(source.objects)
            files = mirror_objects(source, kept, notify=reporter.notify)
            reading = _read_files(files, settings, workspace, reporter, memory)
            unsettled = frozenset(f"{source.label}/{id_}" for id_ in reading.unsettled)
            return replace(reading, documents=Renamed(reading.documents, source.label), unsettled=unsettled)
        case Path():
            return _read_files(source, settings, workspace, reporter, memory)


def _read_files(
    path: Path, settings: Settings, workspace: Workspace, reporter: Reporter, memory: Memory | None
) -> DocumentReading:
    chosen = settings.reading
    return read_documents(
        path,
        cache=cache_of(workspace, path),
        limits=ReadingLimits(
            seconds=chosen.seconds_per_file, memory_mb=chosen.megabytes_per_file, workers=chosen.workers
        ),
        notify=reporter.notify,
        memory=memory,
        executor=cluster(settings) if memory is None else None,  # a watcher reads few files at a time
    )


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
    """Report documents that repeat or contradict others, and drop copies if the settings say so."""
    documents = reading.documents
    drop = settings.reading.duplicates == "drop"
    few = len(documents) <= COMPARED_DOCUMENTS
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
    """Find contradictions, and report the first ten. Restricted documents are never quoted."""
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
"""Repetitions and contradictions to report: they fit a terminal, and the rest is in the reading report."""
