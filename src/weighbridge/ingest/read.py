"""Reads documents from a folder of files, one file, or a JSONL of documents."""

import stat
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from weighbridge.errors import DataError, WorkspaceError, show_path
from weighbridge.ingest.content import Loss
from weighbridge.ingest.decode.text import Skipped
from weighbridge.ingest.files.cache import (
    CachedDocument,
    CachedDocuments,
    CacheEntry,
    ParsedPiece,
    cache_key,
    finish_entry,
    load_entry,
    prune_cache,
)
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.files.pool import Task, parse_elsewhere, parse_in_workers
from weighbridge.ingest.files.rows import DataRow, read_jsonl_rows
from weighbridge.ingest.files.scan import (
    describe_os_error,
    files_below,
    make_unique,
    name_files,
    reason_to_skip,
    relative_name,
)
from weighbridge.ingest.reading_report import DocumentReading, describe_reading, group_by_reason
from weighbridge.protocols import Executor, Notify, silent
from weighbridge.types import Document, Progress
from weighbridge.workspace import load_json, write_json

__all__ = ["DocumentReading", "Memory", "ReadingLimits", "Skipped", "describe_reading", "read_documents"]

_SUPPORTED = (
    "text, Markdown, HTML, PDF, Word, PowerPoint, Excel, CSV, JSON, EPUB, mail, notebooks, source code, images, "
    "and ZIP archives of these; or one .jsonl file of documents"
)
_USUAL = ReadingLimits()
# A file that changes while it is read is read again, at most this often: a log that grows never rests.
_TRIES = 3
# Seconds between two reports of progress: nobody reads faster.
_NOTIFY_EVERY = 0.1
_NAMES = "names.json"
"""In the cache: the id that each file was given, so that another file of the same name never takes it away."""


_EXACT = 2.0
"""Seconds that times of files may be off; some file systems count in twos."""


State = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as an earlier reading in this process found it: its state, its entry, and when that was."""

    state: State
    entry: CacheEntry
    seen: float

    def holds(self, path: Path) -> bool:
        """Tell whether the file is as it was: nothing shows a change, one would show, and the entry is there."""
        return self.state[0] / 1e9 < self.seen - _EXACT and self.state == file_state(path) and self.entry.path.is_file()


Memory = dict[Path, KnownFile]


def file_state(path: Path) -> State:
    """Return when a file was written and changed, in ns, its size and its number; of one that is gone, nothing like it.

    Both times, as many a tool sets the first one back.
    """
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0, 0)
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file to be parsed: the key of its entry, and the state that changes when it is written to."""

    path: Path
    key: str
    size: int
    state: State


def read_documents(
    path: Path,
    *,
    cache: Path | None = None,
    limits: ReadingLimits = _USUAL,
    notify: Notify = silent,
    memory: Memory | None = None,
    executor: Executor | None = None,
) -> DocumentReading:
    """Read a folder with its subfolders, one file, or a .jsonl file of documents.

    The content of a file tells its format. It is parsed in a worker process, within `limits`; one that is broken,
    hostile, empty, or of a kind that is not read is skipped with a reason. The id of a file is its path inside the
    folder, without the suffix where that is unique, and stays while the file is there; of one inside a file it is
    `archive.zip/inner/path`. Names that begin with a dot are passed over; links are followed, each folder once.

    A .jsonl file named itself has lines `{"id", "text"}` with optional `"title"` and `"groups"`, and must be right.

    Args:
        path: the folder or file to read.
        cache: a folder, of this source alone, that keeps parsed files: an unchanged file is not parsed again, and
            documents are read from there as they are asked for. The ids of files are remembered there, and
            entries of files that are gone are deleted. Without it all documents are held in memory, and the id of a
            file may change when another file of its name has appeared.
        limits: the time, memory and size that a file may take.
        notify: told how many files are done.
        memory: entries of an earlier reading of the same path, cache and limits. They are trusted for files with the
            same size and times, and this reading adds its own. Pass an empty one first.
        executor: parses the files in its processes, which see this path and `cache`; by default `limits.workers`
            processes of this machine do.

    Raises:
        DataError: where nothing is left, a folder cannot be opened, or a line, its types, or its id is wrong.
        WorkspaceError: parsed files cannot be written, as on a full disk.
    """
    began = time.monotonic()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        advice = "correct 'documents' in weighbridge.yaml"
        raise DataError(f"{show_path(path)}: there is no such file or folder; {advice}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if stat.S_ISDIR(mode):
        reading = _read_files(_Job(path, cache, limits, notify, memory, executor), tuple(files_below(path)))
    elif not stat.S_ISREG(mode):
        raise DataError(f"{path}: is neither a file nor a folder")
    elif path.suffix.lower() == ".jsonl":
        reading = _read_jsonl_documents(path)
    else:
        reading = _read_files(_Job(path.parent, cache, limits, notify, memory, executor), (path,))
    if not reading.documents:
        reasons = "; ".join(group_by_reason((item.reason, item.path) for item in reading.skipped))
        why = f"skipped {reasons}" if reasons else "it is empty"
        raise DataError(f"{path}: holds no document that can be read ({why}). Weighbridge reads {_SUPPORTED}")
    return replace(reading, seconds=time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class _Job:
    """The parameters of one reading of a folder."""

    folder: Path
    cache: Path | None
    limits: ReadingLimits
    notify: Notify
    memory: Memory | None
    executor: Executor | None

    def known_entry(self, path: Path) -> CacheEntry | None:
        """Return the entry of a file that was read before and has not been touched since."""
        known = self.memory.get(path) if self.memory is not None else None
        return known.entry if known and known.holds(path) else None


def _read_files(job: _Job, paths: Sequence[Path]) -> DocumentReading:
    ordered = sorted(paths, key=lambda path: path.relative_to(job.folder).as_posix())
    with ExitStack() as stack:
        shelves = job.cache or Path(stack.enter_context(TemporaryDirectory(prefix="weighbridge-")))
        try:
            entries = _parse_all(job, ordered, shelves)
        except OSError as error:
            raise WorkspaceError(f"{shelves}: parsed documents cannot be written there ({error.strerror})") from error
        reading = _assemble(job.folder, entries, _name_documents(job, entries))
        if job.cache is None:
            return replace(reading, documents=tuple(reading.documents))
        prune_cache(job.cache, frozenset(entry.path.name for entry in entries.values()))
        return reading


def _parse_all(job: _Job, paths: Sequence[Path], cache: Path) -> Mapping[Path, CacheEntry]:
    """Return the entry of each path, in order, parsing files that have none. A file that changes is read again."""
    entries = {path: entry for path in paths if (entry := job.known_entry(path))}
    waiting: Sequence[Path] = [path for path in paths if path not in entries]
    for _ in range(_TRIES):
        found = _find_unparsed(waiting, entries, cache, job)
        _parse_unparsed(found, entries, cache, job, _Counter(job.notify, len(paths), len(entries)))
        waiting = [file.path for file in found if file.path not in entries or file_state(file.path) != file.state]
        if not waiting:
            break
    for path in waiting:
        entries[path] = _refuse("changed while it was read")
    return {path: entries[path] for path in paths}


def _find_unparsed(paths: Sequence[Path], entries: dict[Path, CacheEntry], cache: Path, job: _Job) -> list[_Found]:
    """Add stored entries and files that cannot be opened to `entries`; return the other files."""
    found: list[_Found] = []
    for path in paths:
        if reason := reason_to_skip(path, largest=job.limits.file_mb * 1_000_000):
            entries[path] = _refuse(reason, lasting=True)
            continue
        try:
            state = file_state(path)
            key = cache_key(path, job.limits)
        except OSError as error:
            entries[path] = _refuse(describe_os_error(error))
            continue
        if entry := load_entry(cache, key):
            entries[path] = entry
            if job.memory is not None:
                job.memory[path] = KnownFile(state, entry, time.time())
        else:
            found.append(_Found(path, key, state[2], state))
    return found


def _parse_unparsed(
    found: Sequence[_Found], entries: dict[Path, CacheEntry], cache: Path, job: _Job, counter: "_Counter"
) -> None:
    """Parse each file once, whatever it is called, and enter it, unless it was written to since its key was made."""
    same: dict[str, list[Path]] = {}
    for file in found:
        same.setdefault(file.key, []).append(file.path)
    first = {file.key: file for file in reversed(found)}
    if not first:
        return
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix=".making-") as making:
        # The largest first, as one of them begun last would keep a single process busy after all the others have ended.
        largest_first = sorted(same, key=lambda key: -first[key].size)
        tasks = {Task(first[key].path, Path(making, key), first[key].size): key for key in largest_first}
        parsing = (
            parse_elsewhere(tuple(tasks), job.limits, job.executor)
            if job.executor
            else parse_in_workers(tuple(tasks), job.limits)
        )
        with closing(parsing) as finished:
            for task in finished:
                if file_state(task.path) == first[tasks[task]].state:
                    entry = finish_entry(cache, tasks[task], task.made, task.pieces)
                    entries.update(dict.fromkeys(same[tasks[task]], entry))
                counter.add(len(same[tasks[task]]), task.path.name)


class _Counter:
    """Says how many files are done, not more often than one can read."""

    def __init__(self, notify: Notify, total: int, done: int) -> None:
        self._notify, self._total, self._done, self._last = notify, total, done, 0.0

    def add(self, more: int, name: str) -> None:
        self._done += more
        if self._done >= self._total or time.monotonic() > self._last + _NOTIFY_EVERY:
            self._last = time.monotonic()
            self._notify(
                Progress(task="reading documents", done=self._done, total=self._total, unit="files", note=name)
            )


def _refuse(reason: str, *, lasting: bool = False) -> CacheEntry:
    return CacheEntry(Path(), (ParsedPiece(name="", reason=reason, lasting=lasting),))


def _name_documents(job: _Job, entries: Mapping[Path, CacheEntry]) -> dict[Path, str]:
    """Return the id of each file that gives a document, and remember it for as long as the file is there.

    A file that fails this time only, or gave a document before, keeps its claim to a name.
    """
    kept_in = job.cache / _NAMES if job.cache else None
    found = load_json(kept_in) if kept_in else None
    given = {path: name for path, name in found.items() if isinstance(name, str)} if isinstance(found, dict) else {}
    named = [
        path
        for path, entry in entries.items()
        if relative_name(job.folder, path) in given or any(_is_document(piece) for piece in entry.pieces)
    ]
    names = name_files(job.folder, named, given)
    now = {relative_name(job.folder, path): name for path, name in names.items()}
    if kept_in and now != given:
        write_json(kept_in, now)
    return names


def _assemble(folder: Path, entries: Mapping[Path, CacheEntry], names: Mapping[Path, str]) -> DocumentReading:
    """Gather the documents by their names, with the files that were left out."""
    shelved: list[CachedDocument] = []
    skipped: list[Skipped] = []
    losses: list[Loss] = []
    used: Counter[str] = Counter()
    ids: Counter[str] = Counter(names.values())
    waiting = dict(names)
    for path, entry in entries.items():
        outer = relative_name(folder, path)
        for piece in entry.pieces:
            source = make_unique(f"{outer}/{piece.name}" if piece.name else outer, used)
            title = PurePosixPath(source).name if piece.kind == "code" else ""
            for place in piece.places:
                own = waiting.pop(path, "") if not (place.name or piece.name) else ""
                name = own or make_unique(f"{source}/{place.name}" if place.name else source, ids)
                head = Document(id=name, text="", title=title, source=source, version=place.digest)
                shelved.append(CachedDocument(head, entry.path, place))
            losses += (Loss(f"{source}, {loss.place}" if loss.place else source, loss.what) for loss in piece.losses)
            if not piece.places:
                skipped.append(Skipped(source, piece.reason))
    read = {each.document.id for each in shelved}
    hoped = {names[path] for path, entry in entries.items() if any(map(_is_document, entry.pieces))}
    return DocumentReading(
        documents=CachedDocuments(shelved),
        skipped=tuple(skipped),
        losses=tuple(losses),
        files=sum(len(entry.pieces) for entry in entries.values()),
        unsettled=frozenset(hoped - read),
    )


def _is_document(piece: ParsedPiece) -> bool:
    return not piece.name and (bool(piece.places) or piece.ended or not piece.lasting)


def _read_jsonl_documents(path: Path) -> DocumentReading:
    documents: list[Document] = []
    skipped: list[Skipped] = []
    places: dict[str, str] = {}
    for row in read_jsonl_rows(path):
        name = _identify(row, places)
        if text := _read_row_text(row):
            groups = frozenset(row.names("groups"))
            title = " ".join(row.optional_text("title").split())
            documents.append(Document(id=name, text=text, title=title, source=f"{path.name}", groups=groups))
        else:
            skipped.append(Skipped(row.place, "empty"))
    return DocumentReading(documents=tuple(documents), skipped=tuple(skipped), files=1)


def _identify(row: DataRow, places: dict[str, str]) -> str:
    name = row.name("id") or row.text("id")
    if first := places.get(name):
        raise DataError(f"{row.place}: the id {name!r} was used before, at {first}; ids must be unique")
    places[name] = row.place
    return name


def _read_row_text(row: DataRow) -> str:
    if "text" not in row.values:
        return row.text("text")
    text = row.optional_text("text").replace("\r\n", "\n").replace("\r", "\n")
    return text if text.strip() else ""
