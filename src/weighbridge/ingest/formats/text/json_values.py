"""Parses JSON whatever it holds, and writes its values as Markdown that a person can read."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.formats.markdown_writer import heading, join_lines, paragraph, table

_LONGEST_NUMBER = 4_000
"""Digits that Python turns into an integer; it refuses more than 4,300."""
_SHOWN_KEYS = 6
_LONGEST_KEY = 200
"""Of the path in a heading: the last keys, and characters of each."""
_MOST_COLUMNS = 30
"""Keys that a table has at most: a wider one is hard to read, and its rows are cut from their header in chunks."""
_SHORT = 20
"""Items of a list that is written on one line."""


def parse_json(text: str) -> Any:
    """Parse JSON. Numbers keep their digits (`Decimal`), but NaN and infinities are floats.

    Raises:
        UnreadableError: where it is not JSON, with line and column, or nested more than about 1,000 deep.
    """
    try:
        return json.loads(
            text,
            parse_float=Decimal,
            parse_int=lambda digits: int(digits) if len(digits) < _LONGEST_NUMBER else Decimal(digits),
        )
    except json.JSONDecodeError as error:
        raise UnreadableError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise UnreadableError("JSON that is nested more than about 1,000 deep") from error
    except (ValueError, ArithmeticError) as error:
        raise UnreadableError("JSON with a number that is too long") from error


def mend_surrogates(text: str) -> str:
    """Return a text with the halves of surrogate pairs joined or replaced, for a half is no character."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def render_value(value: Any) -> str:
    """Return a JSON value as Markdown.

    A plain value or a short list of them is a line `- key: value`. A list of alike flat objects is a table. Any other
    list or object is a section under its path, `## orders > 3 > customer`, with the last six keys at most. Sections
    follow one another in the order of the file, an outer one before its inner ones.
    """
    return "\n\n".join(map(mend_surrogates, _sections(value)))


def _sections(value: Any) -> Iterator[str]:
    stack: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while stack:
        path, here = stack.pop()
        if text := _section(here):
            yield "\n\n".join(filter(None, [heading(" > ".join(path), 2) if path else "", text]))
        if not _is_table(here):
            inner = [(key, item) for key, item in _items(here) if not _is_plain(item)]
            stack.extend(((*path, key[:_LONGEST_KEY])[-_SHOWN_KEYS:], item) for key, item in reversed(inner))


def _section(value: Any) -> str:
    """Return a value's own text, without the objects and lists inside it."""
    if not isinstance(value, Mapping | list):
        return paragraph(write_plain(value))
    if _is_table(value):
        columns = list(dict.fromkeys(key for item in value for key in item))
        return table([columns, *([write_plain(item.get(column, "")) for column in columns] for item in value)])
    plain = ((key, write_plain(item)) for key, item in _items(value) if _is_plain(item))
    if isinstance(value, list):
        return "\n".join(f"- {join_lines(text)}" for _, text in plain if text)
    return "\n".join(f"- {join_lines(key)}: {join_lines(text)}" for key, text in plain)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(number), item) for number, item in enumerate(value, start=1))


def _is_table(value: Any) -> bool:
    """Tell whether a list has two or more flat objects that share their keys, so that few cells would be empty."""
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(item, Mapping) for item in value):  # noqa: PLR2004 - a pair is the least that is alike
        return False
    if not all(_is_plain(cell) for item in value for cell in item.values()):
        return False
    columns = {key for item in value for key in item}
    return len(columns) <= _MOST_COLUMNS and 2 * sum(map(len, value)) >= len(columns) * len(value)


def _is_plain(value: Any) -> bool:
    """Tell whether a value fits on a line: no object or list, an empty one, or a short list of such values."""
    if isinstance(value, list) and len(value) <= _SHORT:
        return not any(isinstance(item, Mapping | list) and item for item in value)
    return not isinstance(value, Mapping | list) or not value


def write_plain(value: object) -> str:
    """Return a plain value as JSON writes it, texts without quotes, lists with commas; empty for null and for {}."""
    if value is None or value == {}:
        return ""
    if isinstance(value, list):
        return ", ".join(write_plain(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
