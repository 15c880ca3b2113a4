"""The sources under `documents:` in `weighbridge.yaml`.

A source is a path, a query of a SQL database, a REST endpoint that returns JSON, or a store of objects. `ingest` reads
them.
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

_Count = Annotated[int, Field(ge=1)]
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""An environment variable in a setting: ${DB_PASSWORD}."""

_ASIDE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""The parts of a query that may hold any words: quoted texts, quoted names and comments."""
_READING = frozenset({"select", "with", "values", "table"})
_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!:memory:|file:|\$\{)([^?]+)(.*)", re.DOTALL)
_STORED = (
    "an address is stored and shown, so it must be free of secrets: put the key into an environment variable, "
    "OPENAI_API_KEY or the one that model.key_variable names"
)
_API_VERSION = re.compile(r"api-version=[\w.-]+")
"""The one parameter of an address: Azure wants it, and it is no secret."""
_STORED_IN_OPTIONS = "put the key into an environment variable, and name it under options, like `secret: ${S3_SECRET}`"
_AFTER_LOGIN = re.compile(r"\w+(?:\+\w+)?://(?:[^:/]*(?::[^@]*)?@)?(.*)", re.DOTALL)


class Section(BaseModel):
    """A part of the settings. It is immutable, and refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SqlSource(Section):
    """A query of a database. Each row becomes a document with the id `<label>/<id>`."""

    sql: str = Field(repr=False)
    """An SQLAlchemy URL, or ${NAME} alone. ${NAME} in one of its parts is that environment variable's value."""
    query: str
    """One statement that reads. Its columns are the text of the document, except those named below."""
    id: str
    """The column with a unique value for each document of this source."""
    title: str = ""
    groups: str = ""
    """The column that holds access groups: a list, a JSON list, or names with commas. A row without any is public."""
    related: Mapping[str, str] = Field(default={})
    """Queries by heading. Their rows are added to each document; `:name` is the document's column of that name."""
    name: str = ""
    maximum_documents: _Count | None = None

    @field_validator("sql")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if not _AFTER_LOGIN.fullmatch(url) and not VARIABLE.fullmatch(url):
            raise ValueError(
                "must be a database URL, like sqlite:///shop.db or postgresql://user:${DB_PASSWORD}@host/shop"
            )
        return url

    @field_validator("query")
    @classmethod
    def _reads(cls, query: str) -> str:
        if problem := _unreadable(query):
            raise ValueError(problem)
        return query

    @field_validator("related")
    @classmethod
    def _all_read(cls, queries: Mapping[str, str]) -> Mapping[str, str]:
        for heading, query in queries.items():
            if problem := _unreadable(query):
                raise ValueError(f"{heading!r} {problem}")
        return queries

    @property
    def label(self) -> str:
        """The first part of the ids of this source: its name, or that of the database."""
        match = _AFTER_LOGIN.fullmatch(VARIABLE.sub("", self.sql))
        database = match[1].partition("?")[0].partition("/")[2] if match else ""
        return self.name or Path(database).stem or "sql"


class RestSource(Section):
    """An endpoint that answers GET with JSON. Each item of its list becomes a document with the id `<label>/<id>`.

    Fields are dotted paths into the JSON, like `author.name`. A whole number is a position in a list.
    """

    rest: str = Field(repr=False)
    """An http or https URL. ${NAME} in it is that environment variable's value, quoted."""
    items: str = ""
    """The field that holds the list. Empty: the answer itself is the list."""
    id: str = "id"
    title: str = ""
    text: tuple[str, ...] = ()
    """The fields of the document's text. Empty: all except those named here."""
    groups: str = ""
    """The field that holds access groups: a list, or names with commas. An item without any is public."""
    next: str = ""
    """The field with the URL of the next page; with `page_parameter`, the field with the parameter's next value."""
    page_parameter: str = ""
    """The query parameter that numbers pages. Reading starts at `first_page` and ends at an empty page."""
    first_page: Annotated[int, Field(ge=0)] = 1
    header: str = "Authorization"
    header_variable: str = ""
    """The environment variable that holds the header's value. Empty: no header is sent."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """For one page."""
    name: str = ""
    maximum_documents: _Count | None = None

    @field_validator("rest")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if not re.match(r"https?://[^/?#]", url):
            raise ValueError("must be a URL that begins with http:// or https://")
        _ = urlsplit(url).hostname  # raises ValueError for an open bracket
        return url

    @property
    def label(self) -> str:
        """The first part of the ids of this source: its name, or the last part of the URL's path."""
        parts = urlsplit(VARIABLE.sub("", self.rest))
        return self.name or Path(parts.path).stem or parts.hostname or "rest"


class ObjectSource(Section):
    """The objects below a URL of a store, read as the files of a folder are. Ids begin with `<label>/`."""

    objects: str = Field(repr=False)
    """A URL that fsspec knows, like s3://bucket/manuals or gs://bucket/manuals. ${NAME} is an environment variable."""
    options: Mapping[str, str | bool | int] = Field(default={}, repr=False)
    """The options of the store, as fsspec names them, like `anon: true` or `key: ${S3_KEY}`."""
    name: str = ""

    @field_validator("objects")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if not re.match(r"[a-z][a-z0-9+.-]*://.", url):
            raise ValueError("must be the URL of a store, like s3://bucket/manuals")
        if urlsplit(VARIABLE.sub("", url)).netloc.rpartition("@")[0].strip(":"):
            raise ValueError(f"holds a login, before the @; {_STORED_IN_OPTIONS}")
        return url

    @property
    def label(self) -> str:
        """The first part of the ids of this source: its name, or the last part of the URL."""
        parts = urlsplit(VARIABLE.sub("", self.objects))
        return self.name or Path(parts.path).stem or parts.hostname or "objects"


Source = Path | SqlSource | RestSource | ObjectSource
TAGS: Mapping[str, type[Section] | None] = {
    "<path>": None,
    "<list>": None,
    "<sql>": SqlSource,
    "<rest>": RestSource,
    "<objects>": ObjectSource,
}
"""The names of the branches of `Documents` in pydantic's errors, and their sections."""


def _tag(value: Any) -> str | None:
    """Return the branch that a value is meant for, even if some of its keys are wrong; None if that is unclear."""
    match value:
        case str() | Path():
            return "<path>"
        case SqlSource() | RestSource() | ObjectSource():
            return next(tag for tag, section in TAGS.items() if section is type(value))
        case list() | tuple():
            return "<list>"
        case Mapping():
            return _guess_branch(value.keys())
        case _:
            return None


def _guess_branch(keys: Any) -> str | None:
    named = [
        key for key in ("sql", "rest", "objects") if difflib.get_close_matches(key, map(str, keys), n=1, cutoff=0.75)
    ]
    if len(named) == 1:
        return f"<{named[0]}>"
    shared = {tag: len(keys & section.model_fields.keys()) for tag, section in TAGS.items() if section}
    most = max(shared.values())
    return next(iter(tag for tag, count in shared.items() if count == most)) if most else None


_WHICH = Discriminator(
    _tag,
    custom_error_type="source",
    custom_error_message="must be a path, a group of keys that begins with sql, rest or objects, or a list of these",
)
_One = Annotated[
    Annotated[Path, Tag("<path>")]
    | Annotated[SqlSource, Tag("<sql>")]
    | Annotated[RestSource, Tag("<rest>")]
    | Annotated[ObjectSource, Tag("<objects>")],
    _WHICH,
]
Documents = Annotated[
    Annotated[Path, Tag("<path>")]
    | Annotated[SqlSource, Tag("<sql>")]
    | Annotated[RestSource, Tag("<rest>")]
    | Annotated[ObjectSource, Tag("<objects>")]
    | Annotated[tuple[_One, ...], Tag("<list>")],
    _WHICH,
]
"""The value of `documents:`: one source, or a list of them."""


def address_problem(address: str) -> str:
    """Return the problem of an endpoint's address, or an empty text. The address itself is not repeated.

    Addresses are stored and shown, so none may hold a secret.
    """
    if not re.match(r"https?://[^/?#]", address):
        return "must be a URL that begins with http:// or https://"
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return "must be a URL like http://127.0.0.1:8000/v1"
    if "@" in parts.netloc:
        return f"holds a login, before the @; {_STORED}"
    query = parts.query if _API_VERSION.fullmatch(parts.query) else ""
    bare = address.removesuffix(f"?{query}") if query else address
    return f"holds parameters, after the ? or #; {_STORED}" if "?" in bare or "#" in bare else ""


def resolve_source(source: Source, folder: Path) -> Source:
    """Return a source with a folder before its path, or before its SQLite file, if that is relative."""
    if isinstance(source, Path):
        return resolve_path(folder, source)
    if isinstance(source, SqlSource) and (match := _FILE.fullmatch(source.sql)):
        return source.model_copy(update={"sql": f"{match[1]}{resolve_path(folder, Path(match[2]))}{match[3]}"})
    return source


def resolve_path(folder: Path, path: Path) -> Path:
    """Return a path with a folder before it if it is relative. `~` is the home of the user."""
    try:
        return folder / path.expanduser()
    except RuntimeError:  # the home of an unknown user
        return folder / path


def _unreadable(query: str) -> str:
    """Return the problem of a query, or an empty text. The check needs no database."""
    bare = _ASIDE.sub(" ", query).strip().rstrip("; \n\t")
    first = re.match(r"[\s(]*(\w*)", bare)
    word = first[1] if first else ""
    if word.lower() not in _READING:
        return f"must be a query that reads, like select ..., not {word.upper() or 'an empty one'}"
    return "must be a single statement; there is a semicolon inside" if ";" in bare else ""
