"""Connects to a PostgreSQL server with pgvector, and reports its errors without passwords.

The URL has passwords as `${NAME}`. The environment variable is read when a connection is made, and never shown.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from weighbridge.errors import MissingExtraError, WorkspaceError
from weighbridge.retrieve.stores.connection_pool import Pool
from weighbridge.settings.sources import VARIABLE

if TYPE_CHECKING:
    from psycopg import Connection

_TURN = "600s"
"""How long a writer waits for its turn."""
_LONGEST = 300
"""Characters of a server's message that are shown."""
_CONNECT_SECONDS = 10


class Server:
    """One schema of a database. Safe to use from several threads; each at work has a connection of its own."""

    def __init__(self, url: str, schema: str, environment: Mapping[str, str]) -> None:
        """Connect on first use."""
        try:
            import psycopg  # noqa: F401 - to fail here, not in the first search
        except ModuleNotFoundError as error:
            raise MissingExtraError("the PostgreSQL index", "postgres") from error
        self.schema = schema
        self._url, self._environment = url, environment
        self._pool: Pool[Connection[Any]] = Pool(self._connect)

    def of_schema(self, schema: str) -> "Server":
        """Return the same database with another schema."""
        return Server(self._url, schema, self._environment)

    @contextmanager
    def read_transaction(self) -> "Iterator[Connection[Any]]":
        """Lend a connection that sees one committed state until it is returned."""
        with self.lend() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def write_transaction(self) -> "Iterator[Connection[Any]]":
        """Lend the only connection that writes. Its transaction is committed, unless an error leaves the block."""
        with self.lend() as connection:
            connection.execute("BEGIN")
            connection.execute(f"SET LOCAL lock_timeout = '{_TURN}'")
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (self.schema,))
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def lend(self) -> "Iterator[Connection[Any]]":
        """Lend a connection outside of any transaction.

        Raises:
            WorkspaceError: the server cannot be reached, or refuses a statement.
        """
        import psycopg

        try:
            with self._pool.lend() as connection:
                yield connection
        except psycopg.OperationalError as error:
            self._pool.close()
            raise WorkspaceError(
                f"{self._place()}: cannot be reached or used ({self._redact(error)}); "
                "check that PostgreSQL runs there, or correct retrieval.store in weighbridge.yaml"
            ) from None
        except psycopg.Error as error:
            raise WorkspaceError(
                f"{self._place()}: PostgreSQL refused ({self._redact(error)}); grant what it names, or index again"
            ) from None

    def _connect(self) -> "Connection[Any]":
        import psycopg
        from psycopg import sql

        try:
            connection = psycopg.connect(
                self._resolved_url(), autocommit=True, connect_timeout=_CONNECT_SECONDS, application_name="weighbridge"
            )
        except (psycopg.ProgrammingError, UnicodeError):  # its message may hold a part of the password
            raise WorkspaceError(
                "retrieval.store in weighbridge.yaml is not a URL that PostgreSQL can read; write it like "
                "postgresql://user:${DB_PASSWORD}@host:5432/database, with @ : / % in a name as %40 %3A %2F %25"
            ) from None
        try:
            path = [self.schema, *_extension_schema(connection), "public"]
            names = sql.SQL(", ").join(map(sql.Identifier, path))
            connection.execute(sql.SQL("SET search_path TO {}").format(names))
            register_vectors(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _resolved_url(self) -> str:
        return VARIABLE.sub(lambda match: quote(self._variable(match[1]), safe=""), self._url)

    def _variable(self, name: str) -> str:
        if value := self._environment.get(name, ""):
            return value
        raise WorkspaceError(
            f"the environment variable {name} is not set, or empty; retrieval.store in weighbridge.yaml names it"
        )

    def _place(self) -> str:
        """Return the host, port and name of the database, without user and password."""
        known = self._parse_url()
        host = known.get("host") or known.get("hostaddr") or "this machine"
        port = f":{known['port']}" if "port" in known else ""
        return f"PostgreSQL at {host}{port}, database {known.get('dbname') or 'of the user'}"

    def _redact(self, error: Exception) -> str:
        """Return an error's message as one short line without passwords."""
        line = " ".join(str(error).split())
        known = self._parse_url()
        secrets = {str(known.get(name) or "") for name in ("password", "sslpassword")}
        secrets |= {self._environment.get(name, "") for name in VARIABLE.findall(self._url)}
        if found := re.search(r"//[^:@/]*:(.*)@", self._url):  # also if the URL cannot be parsed
            secrets.add(found[1])
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            line = line.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."

    def _parse_url(self) -> Mapping[str, Any]:
        """Return the URL's parts; empty if it cannot be parsed."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            return conninfo_to_dict(self._resolved_url())
        except (psycopg.ProgrammingError, WorkspaceError):
            return {}


def _extension_schema(connection: "Connection[Any]") -> list[str]:
    """Return the schema of pgvector; empty if the database does not have it."""
    rows = connection.execute(
        "SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector'"
    )
    return [row[0] for row in rows]


def register_vectors(connection: "Connection[Any]") -> bool:
    """Send numpy arrays to pgvector in its binary format; return False if the database has no pgvector."""
    import numpy as np
    from psycopg.adapt import Dumper
    from psycopg.pq import Format
    from psycopg.types import TypeInfo

    known = TypeInfo.fetch(connection, "vector")
    if known is None:
        return False
    known.register(connection)
    number = known.oid

    class Sent(Dumper):
        oid = number
        format = Format.BINARY

        def dump(self, obj: Any) -> bytes:
            return len(obj).to_bytes(2) + bytes(2) + bytes(obj.astype(">f4").tobytes())

    connection.adapters.register_dumper(np.ndarray, Sent)
    return True
