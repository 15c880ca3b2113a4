"""Changes an index in SQLite: makes, names, restores and deletes versions."""

# ruff: noqa: S608 - what is put together are our own constants and whole numbers; values are parameters
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING

import numpy as np

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes, Version
from weighbridge.retrieve.stores.chunk_rows import count_terms, pack_chunk
from weighbridge.retrieve.stores.faiss.sqlite import NOW, has_version, json_list, last_row, latest, valid_at
from weighbridge.retrieve.stores.retention import check_name, expired_versions, utc_now
from weighbridge.types import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AMONG = "IN (SELECT value FROM json_each(?))"


def apply_changes(connection: sqlite3.Connection, changes: Changes, vectors: "NDArray[np.float32]") -> int:
    """Make a new version, in the transaction of a writer, and return its number."""
    number, before = latest(connection) + 1, last_row(connection)
    end = f"UPDATE chunks SET until = ? WHERE {NOW} AND"
    connection.execute(f"{end} document_id {_AMONG}", (number, json_list(changes.removed)))
    connection.execute(f"{end} id {_AMONG}", (number, json_list(chunk.id for chunk in changes.added)))
    _add(connection, number, changes.added, vectors)
    _record_version(connection, number, before)
    return number


def restore_version(connection: sqlite3.Connection, number: int) -> int:
    """Make a new version with the rows of an old one, and return its number."""
    require_version(connection, number)
    new, before = latest(connection) + 1, last_row(connection)
    connection.execute(f"UPDATE chunks SET until = ? WHERE {NOW} AND since > ?", (new, number))
    old = f"SELECT row FROM chunks WHERE {valid_at(number)} AND until IS NOT NULL"
    for (row,) in connection.execute(old).fetchall():
        again = connection.execute(
            "INSERT INTO chunks (id, document_id, version, groups, since, chunk) "
            "SELECT id, document_id, version, groups, ?, chunk FROM chunks WHERE row = ?",
            (new, row),
        ).lastrowid
        connection.execute(
            "INSERT INTO searched SELECT ?, length, words, vector FROM searched WHERE row = ?", (again, row)
        )
    _record_version(connection, new, before)
    return new


def tag_version(connection: sqlite3.Connection, number: int, name: str) -> None:
    """Give a version a name, and take it from any other."""
    require_version(connection, number)
    connection.execute("INSERT OR REPLACE INTO tags VALUES (?, ?)", (check_name(name), number))


def list_versions(connection: sqlite3.Connection) -> Sequence[Version]:
    """Return all versions that are kept, oldest first."""
    tags: dict[int, list[str]] = {}
    for number, name in connection.execute("SELECT number, name FROM tags ORDER BY name"):
        tags.setdefault(number, []).append(name)
    rows = connection.execute("SELECT number, made FROM versions ORDER BY number")
    return [Version(number=number, made=made, tags=tuple(tags.get(number, ()))) for number, made in rows]


def require_version(connection: sqlite3.Connection, number: int) -> None:
    """Raise `WorkspaceError` if the index has no such version."""
    if not has_version(connection, number):
        kept = ", ".join(str(version.number) for version in list_versions(connection))
        raise WorkspaceError(f"the index has no version {number} (any more); there are {kept}")


def _add(connection: sqlite3.Connection, number: int, chunks: Sequence[Chunk], vectors: "NDArray[np.float32]") -> None:
    counts = [count_terms(chunk) for chunk in chunks]
    numbers = _number_terms(connection, {term for count in counts for term in count})
    for chunk, count, vector in zip(chunks, counts, vectors, strict=True):
        row = connection.execute(
            "INSERT INTO chunks (id, document_id, version, groups, since, chunk) VALUES (?, ?, ?, ?, ?, ?)",
            (chunk.id, chunk.document_id, chunk.version, json_list(chunk.groups), number, pack_chunk(chunk)),
        ).lastrowid
        words = np.array([(numbers[term], times) for term, times in count.items()], "<i4").tobytes()
        connection.execute(
            "INSERT INTO searched VALUES (?, ?, ?, ?)", (row, count.total(), words, vector.astype("<f4").tobytes())
        )


def _number_terms(connection: sqlite3.Connection, terms: Iterable[str]) -> Mapping[str, int]:
    """Return the number of each term. New terms get one."""
    given = json_list(terms)
    connection.execute("INSERT OR IGNORE INTO terms (term) SELECT value FROM json_each(?)", (given,))
    return dict(connection.execute(f"SELECT term, number FROM terms WHERE term {_AMONG}", (given,)).fetchall())


def _record_version(connection: sqlite3.Connection, number: int, before: int) -> None:
    """Record a version with its size. Rows after `before` are new in it."""
    size = "SELECT count(*), ifnull(sum(length), 0) FROM chunks JOIN searched USING (row) WHERE"
    gone, gone_words = connection.execute(f"{size} until = ?", (number,)).fetchone()
    come, come_words = connection.execute(f"{size} row > ?", (before,)).fetchone()
    chunks, words = connection.execute("SELECT chunks, words FROM versions ORDER BY number DESC").fetchone()
    size_now = (chunks + come - gone, words + come_words - gone_words)
    connection.execute("INSERT INTO versions VALUES (?, ?, ?, ?)", (number, utc_now(), *size_now))
    _delete_expired(connection)


def _delete_expired(connection: sqlite3.Connection) -> None:
    versions = list_versions(connection)
    tagged = [version.number for version in versions if version.tags]
    for version in expired_versions([version.number for version in versions], tagged):
        gone, span = "FROM chunks WHERE until > ? AND until <= ? AND since > ?", astuple(version)
        connection.execute(f"DELETE FROM searched WHERE row IN (SELECT row {gone})", span)
        connection.execute(f"DELETE {gone}", span)
        connection.execute("DELETE FROM versions WHERE number = ?", (version.number,))
