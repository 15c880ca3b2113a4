"""Reads the rows of a database as documents: one a row, with the rows that belong to it.

The database is only read: a query that is no SELECT is refused by the settings, the transaction is read-only where the
database knows such (SQLite, PostgreSQL), and it is rolled back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.errors import DataError, MissingExtraError
from weighbridge.ingest.content import Parsed
from weighbridge.ingest.sources.entity import Entity, make_documents
from weighbridge.ingest.sources.secret import ENVIRONMENT, fill_secrets, hide_secrets, read_variable
from weighbridge.protocols import Notify, silent
from weighbridge.settings.sources import VARIABLE, SqlSource
from weighbridge.types import Progress

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult, Engine, TextClause

_AT_A_TIME = 500
"""Rows fetched at a time, and between two reports of progress."""
_POSTGRESQL = "postgresql+psycopg"
_DRIVERS = {"postgresql": _POSTGRESQL, "postgres": _POSTGRESQL}
_PACKAGES = {"psycopg": "'weighbridge[sql]'", "MySQLdb": "mysqlclient", "cx_Oracle": "oracledb"}
"""The package to install for a module that SQLAlchemy misses, where pip calls it otherwise."""
_READ_ONLY: Mapping[str, Sequence[str]] = {
    "sqlite": ("pragma query_only = on", "begin"),
    "postgresql": ("set transaction isolation level repeatable read, read only",),
}
"""How a database is told that this transaction sees one state and changes nothing."""


def read_sql(source: SqlSource, *, environment: Mapping[str, str] = ENVIRONMENT, notify: Notify = silent) -> Parsed:
    """Return a document for each row of a source's query, called by its id, in the order of the rows.

    Rows are streamed, unless there are related queries: some drivers cannot run these beside a stream. Null and blank
    values are left out; binary ones are losses, and so are rows without an id.

    Raises:
        UserError: an environment variable that the URL names is not set.
        MissingExtraError: SQLAlchemy is not installed.
        DataError: the database cannot be reached or refuses a query, a column is not there, or two rows with the same
            id differ. No message holds a password.
    """
    try:
        import sqlalchemy as _  # noqa: F401 - only asked whether it is here
    except ImportError:
        raise MissingExtraError("a SQL source", "sql") from None
    with _connect(_Place(source, _url(source, environment))) as tables:
        return make_documents(_read_entities(source, tables, notify), tables.where, source.maximum_documents)


@dataclass(frozen=True, slots=True)
class _Place:
    """A source's database, its name in errors, and the secrets that errors must not show."""

    source: SqlSource
    url: "URL"

    @property
    def where(self) -> str:
        bare = self.url.set(query={}).render_as_string(hide_password=True)
        return f"{self.source.label} ({bare})"

    @contextmanager
    def translate_errors(self, what: str) -> Iterator[None]:
        """Raise an error of the database as a `DataError` in its own words, without the secrets."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            said = getattr(error, "orig", None) or error
            raise DataError(f"{self.where}: {what}: {hide_secrets(said, self._secrets)}") from None

    @property
    def _secrets(self) -> frozenset[str]:
        named = {key: value for key, value in self.url.query.items() if "pass" in key.lower()}
        return frozenset(str(value) for value in (self.url.password, *named.values()) if value)


@dataclass(frozen=True, slots=True)
class _Tables:
    """An open database, and the two ways of asking it."""

    place: _Place
    connection: "Connection"

    @property
    def where(self) -> str:
        return self.place.where

    def rows(self, query: str, *, stream: bool) -> "CursorResult[Any]":
        """Run a query as it is written: a colon or a percent sign in it has no meaning."""
        options = {"no_parameters": True, "stream_results": stream, "max_row_buffer": _AT_A_TIME}
        with self.place.translate_errors("the query failed"):
            return self.connection.exec_driver_sql(query.rstrip().rstrip(";"), execution_options=options)

    def related_rows(self, heading: str, statement: "TextClause", values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of a related query, with its `:name` taken from the document's row."""
        with self.place.translate_errors(f"the query of related.{heading} failed"):
            result = self.connection.execute(statement, dict(values))
            columns = _column_names(result, f"{self.where}: related.{heading}")
            return [dict(zip(columns, row, strict=True)) for row in result]


def _url(source: SqlSource, environment: Mapping[str, str]) -> "URL":
    """Return the database's URL, each ${NAME} filled in where it stands, so that no sign in a password matters."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    whole = VARIABLE.fullmatch(source.sql)
    try:
        url = make_url(read_variable(whole[1], environment) if whole else source.sql)
    except (ArgumentError, ValueError):
        told = f"what {whole[0]} holds is" if whole else "`sql` is"
        raise DataError(f"{source.label}: {told} not a database URL, like postgresql://user@host/shop") from None
    if not whole:
        parts = {"username": url.username, "password": url.password, "host": url.host, "database": url.database}
        url = url.set(**{name: fill_secrets(part, environment) for name, part in parts.items() if part})  # type: ignore[arg-type]
        url = url.set(query={name: fill_secrets(str(value), environment) for name, value in url.query.items()})
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


@contextmanager
def _connect(place: _Place) -> Iterator[_Tables]:
    engine = _engine(place)
    try:
        with place.translate_errors("cannot be reached"):
            connection = engine.connect()
        with connection, place.translate_errors("the query failed"):
            for statement in _READ_ONLY.get(engine.dialect.name, ()):
                connection.exec_driver_sql(statement)
            yield _Tables(place, connection)
            connection.rollback()
    finally:
        engine.dispose()


def _engine(place: _Place) -> "Engine":
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.exc import NoSuchModuleError

    url = place.url
    file = url.database or ":memory:"
    if url.get_backend_name() == "sqlite" and not file.startswith((":memory:", "file:")) and not Path(file).is_file():
        raise DataError(f"{place.where}: there is no such database file; correct 'sql' under documents")
    try:
        return create_engine(url, poolclass=NullPool)
    except NoSuchModuleError:
        raise DataError(f"{place.where}: SQLAlchemy knows no database called {url.drivername!r}") from None
    except ImportError as error:
        package = _PACKAGES.get(error.name or "", error.name or url.get_driver_name())
        raise DataError(f"{place.where}: its driver is not installed: pip install {package}") from None


def _read_entities(source: SqlSource, tables: _Tables, notify: Notify) -> Iterator[Entity]:
    result = tables.rows(source.query, stream=not source.related)
    columns = _column_names(result, tables.where)
    _check_named(source, columns, tables.where)
    statements = _statements(source, columns, tables.where)
    named = {source.id, source.title, source.groups}
    for number, row in enumerate(result, start=1):
        values = dict(zip(columns, row, strict=True))
        fields = {name: value for name, value in values.items() if name not in named}
        for heading, related in statements.items():
            fields[heading] = tables.related_rows(
                heading, related.statement, {name: values[name] for name in related.names}
            )
        if number % _AT_A_TIME == 0:
            notify(Progress(task=f"read {source.label}", done=number, total=0, unit="rows"))
        yield Entity(
            place=f"row {number:,}",
            id=values[source.id],
            title=values.get(source.title),
            groups=values.get(source.groups),
            fields=fields,
        )


def _column_names(result: "CursorResult[Any]", where: str) -> tuple[str, ...]:
    columns = tuple(result.keys()) if result.returns_rows else ()
    if not columns:
        raise DataError(f"{where}: the query returns no rows at all; write one that selects")
    if twice := next((name for name in columns if columns.count(name) > 1), ""):
        raise DataError(f"{where}: two columns are called {twice!r}; name one of them otherwise with `as`")
    return columns


def _check_named(source: SqlSource, columns: Sequence[str], where: str) -> None:
    for key, name in (("id", source.id), ("title", source.title), ("groups", source.groups)):
        if name and name not in columns:
            raise DataError(f"{where}: {key}: the query has no column {name!r}{_suggest_column(name, columns)}")
    if both := next((heading for heading in source.related if heading in columns), ""):
        raise DataError(f"{where}: related.{both}: the query has a column of this name too; choose another heading")


@dataclass(frozen=True, slots=True)
class _Related:
    statement: "TextClause"
    names: tuple[str, ...]


def _statements(source: SqlSource, columns: Sequence[str], where: str) -> Mapping[str, _Related]:
    from sqlalchemy import text

    statements: dict[str, _Related] = {}
    for heading, query in source.related.items():
        statement = text(query.rstrip().rstrip(";"))
        names = tuple(statement.compile().params)
        if unknown := next((name for name in names if name not in columns), ""):
            told = f"`:{unknown}` is no column of the query{_suggest_column(unknown, columns)}"
            raise DataError(f"{where}: related.{heading}: {told}")
        statements[heading] = _Related(statement, names)
    return statements


def _suggest_column(name: str, columns: Sequence[str]) -> str:
    close = get_close_matches(name.lower(), [column.lower() for column in columns], n=1)
    found = next((column for column in columns if close and column.lower() == close[0]), "")
    return f"; did you mean {found!r}?" if found else f"; it has {', '.join(columns[:12])}"
