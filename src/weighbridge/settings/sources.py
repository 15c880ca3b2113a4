"""Where documents come from: the nouns under `documents:` in `weighbridge.yaml`.

A source is a path, a query of a SQL database, or a REST endpoint that returns JSON. `ingest` reads them.
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
"""How a setting names an environment variable: ${DB_PASSWORD}."""

_ASIDE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""What in a query is no statement: quoted texts and names, and comments."""
_READING = frozenset({"select", "with", "values", "table"})
_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!:memory:|file:|\$\{)([^?]+)(.*)", re.DOTALL)
_STORED = (
    "an address is stored and shown, so it must be free of secrets: put the key into an environment variable, "
    "OPENAI_API_KEY or the one that model.key_variable names"
)
_AFTER_LOGIN = re.compile(r"\w+(?:\+\w+)?://(?:[^:/]*(?::[^@]*)?@)?(.*)", re.DOTALL)


class Section(BaseModel):
    """A part of the settings: immutable, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SqlSource(Section):
    """A query of a database: each of its rows becomes a document called `<label>/<id>`."""

    sql: str = Field(repr=False)
    """An SQLAlchemy URL, or ${NAME} alone. ${NAME} in one of its parts is that environment variable's value."""
    query: str
    """One statement that reads. Its columns, other than those named below, are the document's text."""
    id: str
    """The column that tells a document from the others of this source."""
    title: str = ""
    groups: str = ""
    """The column that holds access groups: a list, a JSON list, or names with commas. A row without any is public."""
    related: Mapping[str, str] = Field(default={})
    """By heading, queries whose rows join each document; `:name` in one is the document's column of that name."""
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
        """What documents of this source are called by: its name, or that of the database."""
        match = _AFTER_LOGIN.fullmatch(VARIABLE.sub("", self.sql))
        database = match[1].partition("?")[0].partition("/")[2] if match else ""
        return self.name or Path(database).stem or "sql"


class RestSource(Section):
    """An endpoint that answers GET with JSON: each item of its list becomes a document called `<label>/<id>`.

    Fields are dotted paths into the JSON: `author.name`; a whole number counts into a list.
    """

    rest: str = Field(repr=False)
    """An http or https URL. ${NAME} in it is that environment variable's value, quoted."""
    items: str = ""
    """The field that holds the list; empty: the answer is the list."""
    id: str = "id"
    title: str = ""
    text: tuple[str, ...] = ()
    """The fields that are the document's text; empty: all but those named here."""
    groups: str = ""
    """The field that holds access groups: a list, or names with commas. An item without any is public."""
    next: str = ""
    """The field that holds the next page's URL; with `page_parameter`, the value of that parameter instead."""
    page_parameter: str = ""
    """The query parameter that numbers pages, from `first_page`, until one is empty."""
    first_page: Annotated[int, Field(ge=0)] = 1
    header: str = "Authorization"
    header_variable: str = ""
    """The environment variable that holds the header's value; empty: no such header is sent."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """For one page."""
    name: str = ""
    maximum_documents: _Count | None = None

    @field_validator("rest")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if not re.match(r"https?://[^/?#]", url):
            raise ValueError("must be a URL that begins with http:// or https://")
        _ = urlsplit(url).hostname  # ValueError where brackets are open
        return url

    @property
    def label(self) -> str:
        """What documents of this source are called by: its name, or the last part of the URL's path."""
        parts = urlsplit(VARIABLE.sub("", self.rest))
        return self.name or Path(parts.path).stem or parts.hostname or "rest"


Source = Path | SqlSource | RestSource
TAGS: Mapping[str, type[Section] | None] = {"<path>": None, "<list>": None, "<sql>": SqlSource, "<rest>": RestSource}
"""What pydantic calls the branches of `Documents` in the places of its errors, and the section each stands for."""


def _tag(value: Any) -> str | None:
    """Return the branch that a value was meant for, though keys of it may be wrong; None where that cannot be told."""
    match value:
        case str() | Path():
            return "<path>"
        case SqlSource():
            return "<sql>"
        case RestSource():
            return "<rest>"
        case list() | tuple():
            return "<list>"
        case Mapping():
            return _guess_branch(value.keys())
        case _:
            return None


def _guess_branch(keys: Any) -> str | None:
    named = [key for key in ("sql", "rest") if difflib.get_close_matches(key, map(str, keys), n=1, cutoff=0.75)]
    if len(named) == 1:
        return f"<{named[0]}>"
    shared = {tag: len(keys & section.model_fields.keys()) for tag, section in TAGS.items() if section}
    most = max(shared.values())
    return next(iter(tag for tag, count in shared.items() if count == most)) if most else None


_WHICH = Discriminator(
    _tag,
    custom_error_type="source",
    custom_error_message="must be a path, a group of keys that begins with sql or rest, or a list of these",
)
_One = Annotated[
    Annotated[Path, Tag("<path>")] | Annotated[SqlSource, Tag("<sql>")] | Annotated[RestSource, Tag("<rest>")], _WHICH
]
Documents = Annotated[
    Annotated[Path, Tag("<path>")]
    | Annotated[SqlSource, Tag("<sql>")]
    | Annotated[RestSource, Tag("<rest>")]
    | Annotated[tuple[_One, ...], Tag("<list>")],
    _WHICH,
]
"""What `documents:` may hold: one source, or a list of them."""


def address_problem(address: str) -> str:
    """Return why an endpoint cannot have this address, without repeating it; empty where it can.

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
    return f"holds parameters, after the ? or #; {_STORED}" if "?" in address or "#" in address else ""


def resolve_source(source: Source, folder: Path) -> Source:
    """Return a source whose path, or SQLite file, is taken from a folder where it is relative."""
    if isinstance(source, Path):
        return resolve_path(folder, source)
    if isinstance(source, SqlSource) and (match := _FILE.fullmatch(source.sql)):
        return source.model_copy(update={"sql": f"{match[1]}{resolve_path(folder, Path(match[2]))}{match[3]}"})
    return source


def resolve_path(folder: Path, path: Path) -> Path:
    """Return a path, taken from a folder where it is relative; `~` is the user's home."""
    try:
        return folder / path.expanduser()
    except RuntimeError:  # a home folder that is nobody's
        return folder / path


def _unreadable(query: str) -> str:
    """Return why a query is refused before any database sees it; empty where it is not."""
    bare = _ASIDE.sub(" ", query).strip().rstrip("; \n\t")
    first = re.match(r"[\s(]*(\w*)", bare)
    word = first[1] if first else ""
    if word.lower() not in _READING:
        return f"must be a query that reads, like select ..., not {word.upper() or 'an empty one'}"
    return "must be a single statement; there is a semicolon inside" if ";" in bare else ""
