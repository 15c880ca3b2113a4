"""A store in LanceDB: a table in a folder for each index, with no server.

- One `apply` is one Lance commit, so a reader sees all of it or nothing, also after a crash. Writers take turns by a
  file lock, in this process and others. Each read is of the latest commit, as a whole.
- `nearest` runs on vectors kept in the process (`resident.py`), which are moved on when there is a new commit.
- `matching` is Lance's BM25 over our own terms (`analyse.py`); rows its index does not hold yet are scanned.
- Access groups are part of the filter inside both searches, never a step after them.
- Upkeep (`lance_upkeep.py`) follows changes that leave too many rows to scan, except large additions, whose maker calls
  `optimise` at the end. The latest 20 versions, those of the last minute, and named ones are kept.
"""

import shutil
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from weighbridge.errors import MissingExtraError, WorkspaceError
from weighbridge.protocols import Changes, Contents, Index, Version
from weighbridge.retrieve.stores.lance_kept import name_version, open_kept, put_back, read_kept
from weighbridge.retrieve.stores.lance_rows import LAYOUT, READ, checked, one_of, schema, table_of
from weighbridge.retrieve.stores.lance_upkeep import finish, is_behind, made_at, read_notes, settle, tend
from weighbridge.retrieve.stores.lance_view import LanceView
from weighbridge.retrieve.stores.resident import Resident
from weighbridge.types import Chunk, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TABLE = "chunks"
_LOCK = "writer.lock"
_TURN_SECONDS = 600.0
"""How long a writer waits for its turn."""
_LARGE = 1000
"""Chunks added by one change from which on upkeep is left to `optimise`."""
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class LanceStore:
    """A `Store` of one folder for each index."""

    folder: Path

    @property
    def layout(self) -> str:
        return LAYOUT

    def open(self, name: str, *, dimensions: int) -> "LanceIndex":
        return open_lance(self.folder / name, dimensions=dimensions)

    def names(self) -> Sequence[str]:
        return sorted(table.parent.name for table in self.folder.glob(f"*/{_TABLE}.lance"))

    def drop(self, name: str) -> None:
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def bytes(self, name: str) -> int:
        return sum(file.stat().st_size for file in (self.folder / name).rglob("*") if file.is_file())


def open_lance(folder: Path, *, dimensions: int) -> "LanceIndex":
    """Open the index in a folder, or create an empty one there.

    Raises:
        WorkspaceError: the folder holds another kind of table, or cannot be used.
        MissingExtraError: LanceDB is not installed.
    """
    try:
        import lancedb
    except ModuleNotFoundError as error:
        raise MissingExtraError("the LanceDB index", "lancedb") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = lancedb.connect(folder, read_consistency_interval=timedelta(0))
        table = _opened(connection, folder, dimensions)
    except (OSError, ValueError, RuntimeError) as error:
        raise WorkspaceError(f"{folder}: cannot be opened as an index ({error}); delete it and index again") from error
    if table.schema != schema(dimensions):
        raise WorkspaceError(f"{folder}: holds an index of another kind, or of other dimensions; index again")
    return LanceIndex(folder, connection, dimensions)


def _opened(connection: Any, folder: Path, dimensions: int) -> Any:
    if (folder / f"{_TABLE}.lance").exists() and (table := connection.open_table(_TABLE)).list_indices():
        return table
    with _turn(folder):
        table = connection.create_table(_TABLE, schema=schema(dimensions), exist_ok=True)
        if not table.list_indices():
            tend(table, folder)
    return table


class LanceIndex:
    """A `StoredIndex` in a LanceDB table. Safe to use from several threads and processes."""

    def __init__(self, folder: Path, connection: Any, dimensions: int) -> None:
        self.dimensions = dimensions
        self._folder, self._connection = folder, connection
        self._latest = connection.open_table(_TABLE)
        self._lock = threading.Lock()
        self._view: LanceView | None = None

    @property
    def version(self) -> int:
        number, notes = int(self._latest.version), read_notes(self._folder)
        while notes.made(number):
            number -= 1
        return number

    def apply(self, changes: Changes) -> int:
        """Commit the changes and return the new version; a chunk whose id is there already is replaced.

        Raises:
            ValueError: two chunks have one id, or the vectors do not fit the chunks; nothing is changed.
            WorkspaceError: other writers took too long.
        """
        vectors = checked(changes, self.dimensions)
        if not (changes.removed or changes.added):
            return self.version
        with self._writing() as table:
            _commit(table, changes, vectors)
            number = self.version
            if len(changes.added) < _LARGE and is_behind(table):
                tend(table, self._folder)
            return number

    def optimise(self) -> None:
        """Write the table anew with all its indexes. The versions that a filling made go, but for named ones."""
        with self._writing() as table:
            finish(table, self._folder)

    def count(self) -> int:
        return self.now().count()

    def documents(self) -> Mapping[str, str]:
        return self.now().documents()

    def nearest(self, vector: "NDArray[np.float32]", *, limit: int, groups: frozenset[str]) -> Sequence[Passage]:
        """Return the passages of highest dot product with the vector (their score), ties in order of chunk id."""
        return self.now().nearest(vector, limit=limit, groups=groups)

    def matching(
        self, text: str, *, limit: int, groups: frozenset[str], among: Collection[str] | None = None
    ) -> Sequence[Passage]:
        """Return the passages of highest BM25 with any of the words, ties in order of chunk id. Any text is allowed."""
        return self.now().matching(text, limit=limit, groups=groups, among=among)

    def vectors(self, ids: Sequence[str], *, groups: frozenset[str]) -> "NDArray[np.float32]":
        return self.now().vectors(ids, groups=groups)

    def chunks_of(self, document_id: str, *, groups: frozenset[str]) -> Sequence[Chunk]:
        return self.now().chunks_of(document_id, groups=groups)

    def contents(self, document_ids: Sequence[str]) -> Contents:
        return self.now().contents(document_ids)

    def versions(self) -> Sequence[Version]:
        kept, notes = read_kept(self._folder), read_notes(self._folder)
        made = {listed["version"]: made_at(listed).isoformat() for listed in self._latest.list_versions()}
        made = {**kept.made, **{number: when for number, when in made.items() if not notes.made(number)}}
        return [kept.version(number, made[number]) for number in sorted(made)]

    def at(self, number: int) -> Index:
        self._known(number)
        return self._past(number)

    def restore(self, number: int) -> int:
        self._known(number)
        with self._writing() as table:
            if self._is_there(number):
                table.checkout(number)
                table.restore()
            else:
                put_back(table, open_kept(self._connection, number))
            return int(table.version)

    def tag(self, number: int, name: str) -> None:
        version = self._known(number)
        size = len(name.encode("utf-8", "replace"))
        if not 0 < size <= _LONGEST_NAME:
            raise WorkspaceError(f"a version's name has 1 to {_LONGEST_NAME} bytes, and {name!r} has {size}")
        with self._writing():
            name_version(self._connection, self._folder, self._past(number).rows(), version, name)

    def _known(self, number: int) -> Version:
        for version in self.versions():
            if version.number == number:
                return version
        raise WorkspaceError(f"{self._folder}: there is no version {number}; see: weighbridge versions")

    def _is_there(self, number: int) -> bool:
        return number in {listed["version"] for listed in self._latest.list_versions()}

    def _past(self, number: int) -> LanceView:
        if self._is_there(number):
            return self._view_of(number)
        return LanceView(open_kept(self._connection, number), number, self.dimensions)

    def now(self) -> LanceView:
        """Return the index as it is now, for several reads that must agree with each other."""
        number = int(self._latest.version)
        view = self._view
        if view is None or view.version < number:
            with self._lock:
                view = self._view
                if view is None or view.version < number:
                    self._view = view = self._view_of(number, view.kept() if view is not None else None)
        return view

    def _view_of(self, number: int, before: Resident | None = None) -> LanceView:
        table = self._connection.open_table(_TABLE)
        try:
            table.checkout(number)
        except (ValueError, RuntimeError) as error:
            message = f"{self._folder}: there is no version {number} any more; see: weighbridge versions"
            raise WorkspaceError(message) from error
        return LanceView(table, number, self.dimensions, before)

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """Hold the writers' lock, and give the table at its latest version."""
        with _turn(self._folder):
            table = self._connection.open_table(_TABLE)
            settle(table, self._folder)
            yield table


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / _LOCK).acquire(timeout=_TURN_SECONDS, poll_interval=0.01):
            yield
    except Timeout:
        message = f"{folder}: other writers kept it for {_TURN_SECONDS:.0f} seconds; nothing was changed"
        raise WorkspaceError(message) from None


def _commit(table: Any, changes: Changes, vectors: "NDArray[np.float32]") -> None:
    """Make one commit of the changes, or none where they change nothing."""
    removed = one_of("document_id", changes.removed)
    if not changes.added:
        if table.count_rows(removed):
            table.delete(removed)
    elif not table.count_rows():
        table.add(table_of(changes.added, vectors, {}))
    else:
        found = table.search().where(f"{removed} AND {READ}").select(["id", "document_id"]).to_list()
        added = {chunk.id for chunk in changes.added}
        stones = {row["id"]: row["document_id"] for row in found if row["id"] not in added}
        merge = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        merge.execute(table_of(changes.added, vectors, stones))
