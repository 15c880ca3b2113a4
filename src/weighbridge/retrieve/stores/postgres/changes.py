"""The tables of an index in PostgreSQL, and their changes: makes, names, restores and deletes versions.

A chunk is valid from version `since`, where it was added, until before version `until`, where it was deleted.
`postings` hold the words of the chunks that are valid now; full-text search reads them by an index-only scan.
"""

# ruff: noqa: S608 - what is put together are our own constants and whole numbers; values are parameters
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes, Version
from weighbridge.retrieve.stores.chunk_rows import count_terms, pack_chunk, pack_group
from weighbridge.retrieve.stores.retention import check_name, expired_versions, utc_now
from weighbridge.types import Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection

TABLES = """
CREATE TABLE about (dimensions int NOT NULL);
CREATE TABLE versions (number bigint PRIMARY KEY, made text NOT NULL, chunks bigint NOT NULL, words bigint NOT NULL);
CREATE TABLE tags (name text PRIMARY KEY, number bigint NOT NULL);
CREATE TABLE audiences (audience int PRIMARY KEY, groups text[] NOT NULL UNIQUE, chunks bigint NOT NULL);
CREATE TABLE chunks (
    row bigint PRIMARY KEY, since bigint NOT NULL, until bigint, id text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL, version text NOT NULL, audience int NOT NULL, length int NOT NULL,
    terms text[] NOT NULL, times int[] NOT NULL, chunk text NOT NULL);
CREATE UNIQUE INDEX ON chunks (id, coalesce(until, 0));
CREATE INDEX ON chunks (document_id, until, version);
CREATE INDEX ON chunks (until) WHERE until IS NOT NULL;
CREATE TABLE vectors (
    row bigint PRIMARY KEY, since bigint NOT NULL, until bigint, audience int NOT NULL, vector vector({dimensions}));
CREATE INDEX ON vectors (audience) WHERE until IS NULL;
CREATE TABLE postings (
    term text COLLATE "C" NOT NULL, row bigint NOT NULL, times int NOT NULL, length int NOT NULL, audience int NOT NULL,
    PRIMARY KEY (term, row) INCLUDE (times, length, audience));
"""
"""`groups` are names as JSON; `length` is in terms; `chunk` is JSON."""
_COLUMNS = "row, since, id, document_id, version, audience, length, terms, times, chunk"
_TYPES = ["int8", "int8", "text", "text", "text", "int4", "int4", "text[]", "int4[]", "text"]


def valid_at(number: int | None) -> str:
    """Return the SQL condition of rows in a version; None: the latest."""
    return "until IS NULL" if number is None else f"(since <= {number:d} AND (until IS NULL OR until > {number:d}))"


def create_tables(connection: "Connection[Any]", dimensions: int) -> None:
    """Create the tables of an empty index."""
    for statement in TABLES.format(dimensions=f"{dimensions:d}").split(";\n"):
        if statement:
            connection.execute(statement)
    connection.execute("INSERT INTO about VALUES (%s)", (dimensions,))
    connection.execute("INSERT INTO versions VALUES (1, %s, 0, 0)", (utc_now(),))


def apply_changes(connection: "Connection[Any]", changes: Changes, vectors: "NDArray[np.float32]") -> int:
    """Make a new version, in the transaction of a writer, and return its number."""
    number, before = latest(connection) + 1, _last_row(connection)
    ids = [chunk.id for chunk in changes.added]
    _expire_chunks(connection, number, "document_id = ANY(%s) OR id = ANY(%s)", (sorted(changes.removed), ids))
    if changes.added:
        _add(connection, (number, before + 1), changes.added, vectors)
    _record_version(connection, number, before)
    return number


def restore_version(connection: "Connection[Any]", number: int) -> int:
    """Make a new version with the rows of an old one, and return its number."""
    require_version(connection, number)
    new, before = latest(connection) + 1, _last_row(connection)
    _expire_chunks(connection, new, "since > %s", (number,))
    old = f"FROM chunks WHERE {valid_at(number)} AND until IS NOT NULL"
    again = f"(SELECT row AS old, {before:d} + row_number() OVER (ORDER BY row) AS row {old}) AS again"
    connection.execute(
        "INSERT INTO vectors (row, since, audience, vector) SELECT again.row, %s, audience, vector "
        f"FROM {again} JOIN vectors ON vectors.row = old",
        (new,),
    )
    connection.execute(
        f"INSERT INTO chunks ({_COLUMNS}) SELECT again.row, %s, id, document_id, version, audience, length, terms, "
        f"times, chunk FROM {again} JOIN chunks ON chunks.row = old",
        (new,),
    )
    _record_version(connection, new, before)
    return new


def tag_version(connection: "Connection[Any]", number: int, name: str) -> None:
    """Give a version a name, and take it from any other."""
    require_version(connection, number)
    connection.execute(
        "INSERT INTO tags VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET number = excluded.number",
        (check_name(name), number),
    )


def list_versions(connection: "Connection[Any]") -> Sequence[Version]:
    """Return all versions that are kept, oldest first."""
    rows = connection.execute(
        "SELECT number, made, ARRAY(SELECT name FROM tags WHERE tags.number = versions.number ORDER BY name) "
        "FROM versions ORDER BY number"
    )
    return [Version(number=number, made=made, tags=tuple(tags)) for number, made, tags in rows]


def latest(connection: "Connection[Any]") -> int:
    """Return the number of the latest version."""
    return _select_number(connection, "SELECT max(number) FROM versions")


def require_version(connection: "Connection[Any]", number: int) -> None:
    """Raise `WorkspaceError` if the index has no such version."""
    if not _select_number(connection, "SELECT count(*) FROM versions WHERE number = %s", (number,)):
        kept = ", ".join(str(version.number) for version in list_versions(connection))
        raise WorkspaceError(f"the index has no version {number} (any more); there are {kept}")


def _expire_chunks(connection: "Connection[Any]", number: int, where: str, parameters: tuple[object, ...]) -> None:
    """End the validity of chunks in version `number`."""
    ended = connection.execute(
        f"UPDATE chunks SET until = %s WHERE until IS NULL AND ({where}) RETURNING row", (number, *parameters)
    ).fetchall()
    rows = [row for (row,) in ended]
    if not rows:
        return
    connection.execute("UPDATE vectors SET until = %s WHERE row = ANY(%s)", (number, rows))
    connection.execute(
        "DELETE FROM postings USING (SELECT row, unnest(terms) AS term FROM chunks WHERE row = ANY(%s)) AS gone "
        "WHERE postings.term = gone.term AND postings.row = gone.row",
        (rows,),
    )


def _add(
    connection: "Connection[Any]", first: tuple[int, int], chunks: Sequence[Chunk], vectors: "NDArray[np.float32]"
) -> None:
    """Add chunks. `first` is their version and the row of the first of them."""
    number, row = first
    audiences = _number_audiences(connection, {_pack_groups(chunk) for chunk in chunks})
    with connection.cursor().copy(f"COPY chunks ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(_TYPES)
        for place, chunk in enumerate(chunks, start=row):
            words, audience = count_terms(chunk), audiences[_pack_groups(chunk)]
            about = (chunk.id, chunk.document_id, chunk.version, audience, words.total())
            copy.write_row((place, number, *about, list(words), list(words.values()), pack_chunk(chunk)))
    with connection.cursor().copy("COPY vectors (row, since, audience, vector) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "int8", "int4", "vector"])
        for place, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True), start=row):
            copy.write_row((place, number, audiences[_pack_groups(chunk)], vector))


def _pack_groups(chunk: Chunk) -> tuple[str, ...]:
    return tuple(map(pack_group, sorted(chunk.groups)))


def _number_audiences(
    connection: "Connection[Any]", wanted: Iterable[tuple[str, ...]]
) -> Mapping[tuple[str, ...], int]:
    """Return the number of each set of groups. New sets get one."""
    query = "SELECT audience, groups FROM audiences"
    known = {tuple(groups): audience for audience, groups in connection.execute(query)}
    for groups in sorted(set(wanted) - known.keys()):
        known[groups] = len(known) + 1
        connection.execute("INSERT INTO audiences VALUES (%s, %s, 0)", (known[groups], list(groups)))
    return known


def _record_version(connection: "Connection[Any]", number: int, before: int) -> None:
    """Record a version, its postings and its sizes. Rows after `before` are new in it."""
    connection.execute(
        "INSERT INTO postings SELECT word.term, row, word.times, length, audience "
        "FROM chunks, unnest(terms, chunks.times) AS word (term, times) WHERE row > %s ORDER BY 1, 2",
        (before,),
    )
    connection.execute(
        "WITH moved AS (SELECT audience, CASE WHEN row > %(before)s THEN 1 ELSE -1 END AS chunks FROM chunks "
        "WHERE row > %(before)s OR until = %(number)s), summed AS (SELECT audience, sum(chunks) AS chunks FROM moved "
        "GROUP BY audience) UPDATE audiences SET chunks = audiences.chunks + summed.chunks FROM summed "
        "WHERE audiences.audience = summed.audience",
        {"before": before, "number": number},
    )
    connection.execute(
        "INSERT INTO versions SELECT %(number)s, %(made)s, before.chunks + come.count - gone.count, "
        "before.words + come.words - gone.words FROM (SELECT * FROM versions ORDER BY number DESC LIMIT 1) AS before, "
        "(SELECT count(*), coalesce(sum(length), 0) AS words FROM chunks WHERE row > %(before)s) AS come, "
        "(SELECT count(*), coalesce(sum(length), 0) AS words FROM chunks WHERE until = %(number)s) AS gone",
        {"number": number, "made": utc_now(), "before": before},
    )
    _delete_expired(connection)


def _delete_expired(connection: "Connection[Any]") -> None:
    versions = list_versions(connection)
    tagged = [version.number for version in versions if version.tags]
    for version in expired_versions([version.number for version in versions], tagged):
        connection.execute(
            "WITH gone AS (DELETE FROM chunks WHERE until > %s AND until <= %s AND since > %s RETURNING row) "
            "DELETE FROM vectors USING gone WHERE vectors.row = gone.row",
            astuple(version),
        )
        connection.execute("DELETE FROM versions WHERE number = %s", (version.number,))


def _last_row(connection: "Connection[Any]") -> int:
    """Return the highest number of a row. The number of a row that was deleted with its version may come again."""
    return _select_number(connection, "SELECT coalesce(max(row), 0) FROM chunks")


def _select_number(connection: "Connection[Any]", query: str, parameters: tuple[object, ...] = ()) -> int:
    (value,) = connection.execute(query, parameters).fetchone() or (0,)
    return int(value)
