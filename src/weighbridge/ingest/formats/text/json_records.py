"""JSON and JSON lines: objects with a "text" are documents of their own; any other JSON is one document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weighbridge.errors import DataError
from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.decode.encodings import DecodedText, decode
from weighbridge.ingest.decode.text import LARGEST, read_decoded, unix_lines
from weighbridge.ingest.files.rows import DataRow, describe_json_kind
from weighbridge.ingest.formats.markdown_writer import assemble, join_lines
from weighbridge.ingest.formats.text.json_values import mend_surrogates, parse_json, render_value
from weighbridge.types import PUBLIC

PARSER = 3
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_KNOWN = frozenset({"id", "text", "title", "groups"})
_SHOWN_KEYS = 8
_LONGEST_KEY = 50
"""Keys in a report, and characters of each: a file may have thousands."""
_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks of UTF-16."""


@dataclass(slots=True)
class _Records:
    """The values of a file, each with its place ("line 3", "record 3"), and the losses."""

    values: list[tuple[str, Any]] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


def read_json(path: Path) -> Parsed:
    """Read JSON. A list with objects that have a "text" is one document an object; anything else is one document.

    An object is `{"text"}` with optional "id", "title" and "groups" (who may read it). `Content.name` is the id, else
    "record 3". Numbers keep their digits; NaN and infinities are read, and halves of surrogate pairs replaced.

    Raises:
        UnreadableError: where it is not JSON.
        DataError: where the groups of an object are not a list of names, or an object inside a document has some.
            Groups are never ignored: that would make a restricted document public.
    """
    decoded = read_decoded(path)
    value = parse_json(decoded.text.removeprefix("\ufeff"))
    losses = list(decoded.losses)
    listed = _find_documents(value, losses)
    if listed:
        return _documents(_Records([(f"record {number}", item) for number, item in enumerate(listed, start=1)], losses))
    return Parsed((_content("the file", value, ""),), decoded.losses)


def read_jsonl(path: Path) -> Parsed:
    """Read JSON lines as `read_json` reads a list; a line that is not JSON is reported, and costs that line alone.

    Where no line has a "text" or "groups", they are one document, with a part a line.

    Raises:
        UnreadableError: where no line is JSON.
        DataError: where the groups of a line are not a list of names, or an object inside a line has some.
    """
    read = _Records()
    for number, line in _lines(path):
        place = f"line {number:,}"
        if len(line) > LARGEST:
            read.losses.append(Loss(place, f"longer than {LARGEST // 1_000_000} MB"))
            continue
        try:
            decoded = decode(line)
            if decoded.text.strip():
                read.losses += [Loss(place, loss.what) for loss in decoded.losses]
                read.values.append((place, parse_json(decoded.text.removeprefix("\ufeff"))))
        except UnreadableError as error:
            read.losses.append(Loss(place, str(error).replace(" at line 1,", " at")))
    if not read.values and read.losses:
        raise UnreadableError(f"no line of it is JSON; {read.losses[0].place}: {read.losses[0].what}")
    if any(_is_record(value) for _, value in read.values):
        return _documents(read)
    text = assemble((place, _content(place, value, "").text) for place, value in read.values)
    return Parsed((Content(text=text.text, parts=text.parts),), tuple(read.losses))


def _find_documents(value: Any, losses: list[Loss]) -> list[Any]:
    """Return the list that holds documents: the file itself, or the value of its only such key; else nothing."""
    if isinstance(value, list):
        return value if any(map(_is_record, value)) else []
    if not isinstance(value, Mapping) or _is_record(value):
        return []
    holding = [key for key, item in value.items() if isinstance(item, list) and any(map(_is_record, item))]
    if len(holding) != 1:
        return []
    if len(value) > 1:
        losses.append(Loss("", f"left out, as {holding[0]!r} holds documents: {_list_keys(set(value) - set(holding))}"))
    listed: list[Any] = value[holding[0]]
    return listed


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield numbered lines. UTF-16 is decoded as a whole, for its line ends are not single bytes."""
    with path.open("rb") as file:
        if file.read(2) in _WIDE:
            whole: DecodedText = read_decoded(path)
            yield from enumerate((line.encode() for line in whole.text.split("\n")), start=1)
            return
        file.seek(0)
        number = 0
        while line := file.readline(LARGEST + 1):
            number += 1
            yield number, line
            while len(line) > LARGEST and not line.endswith(b"\n"):
                line = file.readline(LARGEST + 1)


def _is_record(value: Any) -> bool:
    """Tell whether a value is a document of its own: it has a text, or names its readers."""
    return isinstance(value, Mapping) and ("text" in value or "groups" in value)


def _documents(read: _Records) -> Parsed:
    contents: list[Content] = []
    losses = list(read.losses)
    first: dict[str, str] = {}
    unread: set[str] = set()
    for place, value in read.values:
        if isinstance(value, Mapping) and isinstance(value.get("text"), str):
            unread |= value.keys() - _KNOWN
        content = _content(place, value, place)
        if content.name in first:
            losses.append(Loss(place, f"its id {content.name!r} was used before, at {first[content.name]}; left out"))
        elif not content.text.strip():
            is_object = isinstance(value, Mapping) and value
            losses.append(Loss(place, "empty" if is_object else f"{describe_json_kind(value)} that holds nothing"))
        else:
            first[content.name] = place
            contents.append(content)
    if unread:
        losses.append(Loss("", f"keys of its documents left out: {_list_keys(unread)}"))
    return Parsed(tuple(contents), tuple(losses))


def _list_keys(keys: set[str]) -> str:
    shown = ", ".join(repr(mend_surrogates(key)[:_LONGEST_KEY]) for key in sorted(keys)[:_SHOWN_KEYS])
    return shown if len(keys) <= _SHOWN_KEYS else f"{shown} and {len(keys) - _SHOWN_KEYS:,} more"


def _content(place: str, value: Any, name: str) -> Content:
    """Return a value as a document. A "text" that is none is rendered with the rest of the object."""
    if not isinstance(value, Mapping):
        return Content(text=_whole(place, value), name=name)
    row = DataRow(place, value)
    text = value.get("text")
    others = {key: item for key, item in value.items() if key != "groups"}
    whole = text if isinstance(text, str) else _whole(place, others)
    title, identifier = value.get("title"), value.get("id")
    if type(identifier) is int:  # not a truth value, though Python counts these as integers
        identifier = str(identifier)
    own_name = mend_surrogates(identifier).strip() if isinstance(identifier, str) else ""
    return Content(
        text=unix_lines(mend_surrogates(whole)),
        title=join_lines(mend_surrogates(title)) if isinstance(title, str) else "",
        groups=_groups(row),
        name=own_name or name,
    )


def _whole(place: str, value: Any) -> str:
    """Return a value as one text.

    Raises:
        DataError: an object inside it may restrict its readers.
    """
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, Mapping):
            named = next((key for key in here if key.strip().casefold() == "groups"), None)
            if named is not None and here is not value and here[named] and isinstance(here[named], str | list):
                raise DataError(
                    f"{place}: an object inside it has {named!r}, which may say who may read that; "
                    "make one list of such objects, or name it otherwise if it does not"
                )
            stack.extend(here.values())
        elif isinstance(here, list):
            stack.extend(here)
    return render_value(value)


def _groups(row: DataRow) -> frozenset[str]:
    try:
        return frozenset(map(mend_surrogates, row.names("groups"))) or PUBLIC
    except DataError as error:
        raise DataError(f"{error}, since it says who may read this; name it otherwise if it does not") from error
