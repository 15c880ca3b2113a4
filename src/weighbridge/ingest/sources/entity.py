"""Turns an entity, a row of a database or an object of JSON, into a document in Markdown.

Its title is the first heading; short fields are a list, long ones have a heading each, and so have tables: the rows
that belong to it. A field that is the only one is the text alone.
"""

import html
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from weighbridge.errors import DataError
from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.markdown_writer import heading, join_lines, table
from weighbridge.ingest.formats.text.json_values import mend_surrogates
from weighbridge.types import PUBLIC

_SHORT = 120
"""Characters of a field that is a line of a list or a cell of a table; longer ones get a heading."""
_MARKUP = re.compile(
    r"</(?:p|div|span|a|ul|ol|li|h[1-6]|table|tr|td|b|i|em|strong|pre|blockquote)\s*>|<(?:br|p|hr|img)\b[^<>]*>",
    re.IGNORECASE,
)
"""Tags that plain text about HTML rarely has: the end of a common element, or one that needs no end."""
_CHARACTER = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z]{2,8});", re.IGNORECASE)
_BINARY = (bytes, bytearray, memoryview)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """The values of one document as a source gives them. A list of mappings among the fields is a table."""

    place: str
    """Where it stood, for those who look for it: "row 7", "page 2, item 3"."""
    id: Any
    title: Any = None
    groups: Any = None
    fields: Mapping[str, Any]


def make_documents(entities: Iterable[Entity], where: str, maximum: int | None = None) -> Parsed:
    """Return a document for each entity, called by its id, in their order.

    One without an id, a text or readable access groups is a loss; so is a field that is binary. A document that comes
    twice, word for word, is kept once.

    Raises:
        DataError: two entities of one id differ.
    """
    found: dict[str, Content] = {}
    places: dict[str, str] = {}
    losses: dict[str, list[str]] = {}
    for number, entity in enumerate(entities):
        if number == maximum:
            losses[f"left out, with all that follows: maximum_documents is {maximum:,}"] = [entity.place]
            break
        missed: list[str] = []
        try:
            content = _make_content(entity, missed)
        except RecursionError:
            content, missed = None, ["left out: it is nested too deeply"]
        for what in missed:
            losses.setdefault(what, []).append(entity.place)
        if content is None:
            continue
        if found.setdefault(content.name, content) != content:
            raise DataError(
                f"{where}: {places[content.name]} and {entity.place} have the same id, {content.name!r}, and differ; "
                "ids must be unique: take another field for `id`, or join what belongs together"
            )
        places.setdefault(content.name, entity.place)
    listed: list[Loss] = []
    for what, lost_at in losses.items():
        more = f" and {len(lost_at) - 1:,} more" if len(lost_at) > 1 else ""
        listed.append(Loss(f"{lost_at[0]}{more}", what))
    return Parsed(tuple(found.values()), tuple(listed))


def _make_content(entity: Entity, missed: list[str]) -> Content | None:
    missed.extend(f"{name}: is binary, not text" for name in _binary_fields(entity.fields))
    groups = _read_groups(entity.groups)
    title = _one_line(entity.title)
    content = Content(
        name=_one_line(entity.id), title=title, text=entity_text(title, entity.fields), groups=groups or PUBLIC
    )
    wanting = {"id": not content.name, "text": not content.text, "readable access groups": groups is None}
    if missing := [what for what, wants in wanting.items() if wants]:
        missed.append(f"left out: it has no {' and no '.join(missing)}")
        return None
    return content


def _binary_fields(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, _BINARY):
            yield name
        elif _is_table(value):
            yield from dict.fromkeys(f"{name}.{column}" for row in value for column in _binary_fields(row))


def entity_text(title: str, fields: Mapping[str, Any]) -> str:
    """Return an entity as Markdown; empty where no field says anything. Null, blank and binary fields say nothing."""
    fields = {join_lines(mend_surrogates(name)): value for name, value in fields.items()}
    tables = {name: _format_table(value) for name, value in fields.items() if _is_table(value)}
    said = {name: _say_value(value) for name, value in fields.items() if name not in tables}
    said = {name: value for name, value in said.items() if value}
    short = [f"- {name}: {value}" for name, value in said.items() if _is_short(value)]
    long = [f"{heading(name, 2)}\n\n{value}" for name, value in said.items() if not _is_short(value)]
    parts = ["\n".join(short), *long]
    if sum(not isinstance(value, list) or name in said for name, value in fields.items() if name not in tables) == 1:
        parts = list(said.values())
    parts += [f"{heading(name, 2)}\n\n{rows}" for name, rows in tables.items() if rows]
    whole = mend_surrogates("\n\n".join(part for part in parts if part))
    return f"# {title}\n\n{whole}".strip() if title else whole


def _is_table(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _is_short(text: str) -> bool:
    return len(text) <= _SHORT and "\n" not in text


def _one_line(value: Any) -> str:
    return mend_surrogates(join_lines(_say_value(value)))


def _say_value(value: Any) -> str:
    """Return one value as text for people and search; empty where there is nothing to say."""
    if isinstance(value, str):
        return _tidy(value)
    if isinstance(value, list | tuple | set | frozenset):
        nested = any(isinstance(item, Mapping | list) for item in value)
        return _json(value) if nested else ", ".join(filter(None, map(_one_line, value)))
    return _json(value) if isinstance(value, Mapping) else _atom(value)


def _atom(value: Any) -> str:
    if value is None or isinstance(value, _BINARY) or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _json(value: Any) -> str:
    return _tidy(json.dumps(value, ensure_ascii=False, default=str))


def _tidy(text: str) -> str:
    """Return a text without markup and null characters, with Unix line ends."""
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    if _MARKUP.search(text):
        return _read_markup(text)
    return _CHARACTER.sub(lambda written: html.unescape(written[0]), text).strip()


def _read_markup(text: str) -> str:
    from weighbridge.ingest.formats.web.html import read_page

    try:
        return read_page(mend_surrogates(text).encode()).contents[0].text.strip()
    except UnreadableError:
        return text.strip()


def _format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as a table; as a list where they have one column, or a cell is long."""
    cells = [{name: _one_line(value) for name, value in row.items()} for row in rows]
    columns = list(dict.fromkeys(name for row in cells for name, value in row.items() if value))
    if len(columns) <= 1:
        return "\n".join(f"- {value}" for row in cells for value in row.values() if value)
    if any(len(value) > _SHORT for row in cells for value in row.values()):
        lines = ("; ".join(f"{name}: {value}" for name, value in row.items() if value) for row in cells)
        return "\n".join(f"- {line}" for line in lines if line)
    return table([columns, *([row.get(name, "") for name in columns] for row in cells)])


def _read_groups(value: Any) -> frozenset[str] | None:
    """Return access groups, public where none is named; None where they cannot be read, and that is never public."""
    listed = [] if value is None else _list_groups(value) if isinstance(value, str) else value
    if not isinstance(listed, list | tuple | set | frozenset):
        return None
    if not all(isinstance(item, str) or type(item) is int for item in listed):
        return None
    names = [str(item).strip() for item in listed]
    return frozenset(names) if all(names) else None


def _list_groups(text: str) -> Any:
    if not text.strip().startswith("["):
        return text.split(",") if text.strip() else []
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
