"""Keeps a whole index in one SQLite file: chunks with their vectors and words, and their history.

A row is valid from version `since`, where it was added, until before version `until`, where it was deleted. So a
version is a set of rows that are there already. Rows never change otherwise, and their numbers are never used twice.
One change is one transaction; readers (WAL) see a whole version, and never wait.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve.stores.connection_pool import Pool
from weighbridge.retrieve.stores.retention import utc_now

TABLES = """
CREATE TABLE IF NOT EXISTS about (dimensions INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
    number INTEGER PRIMARY KEY, made TEXT NOT NULL, chunks INTEGER NOT NULL, words INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tags (name TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS terms (number INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS chunks (
    row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, document_id TEXT NOT NULL, version TEXT NOT NULL,
    groups TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER, chunk TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS by_id ON chunks (id, ifnull(until, 0));
CREATE INDEX IF NOT EXISTS by_document ON chunks (document_id, until, version);
CREATE INDEX IF NOT EXISTS by_end ON chunks (until) WHERE until IS NOT NULL;
CREATE TABLE IF NOT EXISTS searched (
    row INTEGER PRIMARY KEY, length INTEGER NOT NULL, words BLOB NOT NULL, vector BLOB NOT NULL);
"""
"""`groups` is a JSON list; `words` are pairs of int32 (number of a term, how often); `vector` is float32."""
NOW = "until IS NULL"
"""The SQL condition of rows in the latest version."""
VISIBLE = """(groups = '[]' OR EXISTS (
    SELECT 1 FROM json_each(groups) AS one WHERE one.value IN (SELECT value FROM json_each(:groups))))"""
"""The SQL condition of rows that some groups (`json_list`) may read."""
_WAIT_SECONDS = 60.0
"""Waits for short work of another process: opening the file, or a checkpoint."""
_TURN_SECONDS = 600.0
"""How long a writer waits for its turn."""
_LOOK_SECONDS = 0.002
"""Pause between two attempts to write: half of the time of a small change."""
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL}
"""Primary codes of errors that pass by themselves."""
_PAGE = 16_384
"""Bytes of a page. A vector and its words take about two thousand, so that a page holds several."""


class Database:
    """The SQLite file of one index."""

    def __init__(self, file: Path, dimensions: int) -> None:
        """Open the file, or create it.

        Raises:
            WorkspaceError: the file is no index, or holds vectors of other dimensions.
        """
        self.file, self.dimensions = file, dimensions
        self._pool: Pool[sqlite3.Connection] = Pool(self._connect)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        with self.write_transaction() as connection:
            self._begin(connection)

    @contextmanager
    def read_transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one version, the latest, until it is returned."""
        try:
            with self._pool.lend() as connection:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    @contextmanager
    def write_transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend the only connection that writes. Its transaction is committed, unless an error leaves the block."""
        try:
            with self._pool.lend() as connection:
                _take_turn(connection)
                yield connection
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def tidy(self) -> None:
        """Move the write-ahead log into the file, and let SQLite update its statistics."""
        try:
            with self._pool.lend() as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("PRAGMA optimize")
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.file, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            for pragma in (f"page_size = {_PAGE}", "journal_mode = WAL", "synchronous = FULL", "cache_size = -16000"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _begin(self, connection: sqlite3.Connection) -> None:
        for statement in TABLES.split(";\n"):
            connection.execute(statement)
        found = connection.execute("SELECT dimensions FROM about").fetchone()
        if found is None:
            connection.execute("INSERT INTO about VALUES (?)", (self.dimensions,))
            connection.execute("INSERT INTO versions VALUES (1, ?, 0, 0)", (utc_now(),))
        elif found != (self.dimensions,):
            raise WorkspaceError(
                f"{self.file}: its vectors have {found[0]} dimensions, and the embedder's {self.dimensions}; "
                "delete it and index again"
            )

    def _unusable(self, error: Exception) -> WorkspaceError:
        if isinstance(error, sqlite3.OperationalError):  # locked, full, not writable
            return WorkspaceError(f"{self.file}: cannot be read or written ({error}); put that right and try again")
        return WorkspaceError(f"{self.file}: cannot be opened as an index ({error}); delete it and index again")


def _take_turn(connection: sqlite3.Connection) -> None:
    """Begin to write as soon as nobody else does. SQLite's own wait polls too rarely: a busy writer starves another."""
    end = monotonic() + _TURN_SECONDS
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or monotonic() > end:
                raise
            sleep(_LOOK_SECONDS)
        else:
            break
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000:.0f}")


def latest(connection: sqlite3.Connection) -> int:
    """Return the number of the latest version."""
    (number,) = connection.execute("SELECT max(number) FROM versions").fetchone()
    return int(number)


def last_row(connection: sqlite3.Connection) -> int:
    """Return the highest number of a row; 0 if there is none."""
    (row,) = connection.execute("SELECT ifnull(max(row), 0) FROM chunks").fetchone()
    return int(row)


def has_version(connection: sqlite3.Connection, number: int) -> bool:
    """Tell whether the index has a version."""
    return connection.execute("SELECT 1 FROM versions WHERE number = ?", (number,)).fetchone() is not None


def valid_at(number: int | None) -> str:
    """Return the SQL condition of rows in a version; None: the latest."""
    return NOW if number is None else f"(since <= {number:d} AND (until IS NULL OR until > {number:d}))"


def json_list(texts: Iterable[str]) -> str:
    """Return texts as a sorted JSON list, so that many values go into one SQL parameter."""
    return json.dumps(sorted(texts))
