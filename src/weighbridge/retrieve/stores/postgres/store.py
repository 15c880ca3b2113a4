"""Keeps indexes in a PostgreSQL database with pgvector, each in a schema of its own.

The path of a workspace's folder names its schemas. Two machines with the same path therefore share their indexes; give
each a database of its own if they must not.
"""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve.index.analyser import ANALYSER
from weighbridge.retrieve.stores.postgres.changes import create_tables
from weighbridge.retrieve.stores.postgres.index import PostgresIndex
from weighbridge.retrieve.stores.postgres.server import Server, register_vectors

if TYPE_CHECKING:
    from psycopg import Connection

_LONGEST = 63
"""Bytes of a name in PostgreSQL: it cuts longer ones without an error."""


class PostgresStore:
    """A `Store` in a database, given as a URL. `${NAME}` in it stands for an environment variable."""

    layout = f"postgres 1; {ANALYSER}"
    """Enters the fingerprint of an index: count up whenever its tables change, so that it is rebuilt."""

    def __init__(self, url: str, folder: Path, *, environment: Mapping[str, str] = os.environ) -> None:
        """Connect on first use.

        Raises:
            MissingExtraError: psycopg is not installed.
        """
        self._prefix = f"weighbridge_{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}_"
        self._server = Server(url, "public", environment)

    def open(self, name: str, *, dimensions: int) -> PostgresIndex:
        server = self._server.of_schema(self._schema(name))
        with server.lend() as connection:
            found = _dimensions(connection, server.schema)
        if found is None:
            with server.write_transaction() as connection:
                _create(connection, server.schema, dimensions)
                found = _dimensions(connection, server.schema)
        if found != dimensions:
            raise WorkspaceError(
                f"the index {name!r} in PostgreSQL has vectors of {found} dimensions, and the embedder's have "
                f"{dimensions}; index again"
            )
        return PostgresIndex(server, dimensions)

    def names(self) -> Sequence[str]:
        with self._server.lend() as connection:
            rows = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY nspname", (self._prefix,)
            )
            return [row[0].removeprefix(self._prefix) for row in rows]

    def drop(self, name: str) -> None:
        from psycopg import sql

        with self._server.lend() as connection:
            schema = sql.Identifier(self._schema(name))
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))

    def bytes(self, name: str) -> int:
        with self._server.lend() as connection:
            row = connection.execute(
                "SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0) FROM pg_class "
                "JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = %s AND relkind = 'r'",
                (self._schema(name),),
            ).fetchone()
        return int(row[0]) if row else 0

    def _schema(self, name: str) -> str:
        if not re.fullmatch(r"[\w.-]+", name) or len((self._prefix + name).encode()) > _LONGEST:
            raise WorkspaceError(f"{name!r} cannot be the name of an index in PostgreSQL; use a shorter, plain name")
        return self._prefix + name


def _dimensions(connection: "Connection[Any]", schema: str) -> int | None:
    """Return the dimensions of the index in a schema; None if it has none."""
    from psycopg import sql

    made = connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = 'about'", (schema,))
    if not made.fetchone():
        return None
    row = connection.execute(sql.SQL("SELECT dimensions FROM {}").format(sql.Identifier(schema, "about"))).fetchone()
    return int(row[0]) if row else None


def _create(connection: "Connection[Any]", schema: str, dimensions: int) -> None:
    """Create an empty index, in the transaction of a writer, unless another process has just created it."""
    import psycopg
    from psycopg import sql

    if _dimensions(connection, schema) is not None:
        register_vectors(connection)  # this connection may be older than the extension
        return
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise WorkspaceError(
            f"PostgreSQL has no pgvector, and it could not be added ({reason}); install pgvector on the server, then "
            "run as a superuser in this database: CREATE EXTENSION vector"
        ) from None
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    if not register_vectors(connection):
        raise WorkspaceError("PostgreSQL did not add pgvector; run in this database: CREATE EXTENSION vector")
    create_tables(connection, dimensions)
