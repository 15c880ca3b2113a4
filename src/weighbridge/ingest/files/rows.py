"""Reads JSONL and CSV files as records, each with its place, before anything is known of their meaning."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.errors import DataError
from weighbridge.ingest.decode.text import LARGEST, Skipped, load_text


@dataclass(frozen=True, slots=True)
class DataRow:
    """A record and where it stands, as `file:line`. Each accessor raises `DataError` that names the place."""

    place: str
    values: Mapping[str, Any]

    def text(self, key: str) -> str:
        """Return a required text that is not blank."""
        if key not in self.values:
            keys = ", ".join(map(repr, list(self.values)[:8])) or "no keys"
            raise DataError(f"{self.place}: has no {key!r}; it has {keys}")
        if not (value := self.optional_text(key)).strip():
            raise DataError(f"{self.place}: {key!r} is empty")
        return value

    def optional_text(self, key: str) -> str:
        """Return a text, empty where it is absent or null."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise DataError(f"{self.place}: {key!r} must be a text, not {describe_json_kind(value)}")
        return value or ""

    def name(self, key: str) -> str:
        """Return an identifier, without blanks around it: a text, or a whole number as text; empty where absent."""
        value = self.values.get(key)
        return str(value) if type(value) is int else self.optional_text(key).strip()

    def names(self, key: str) -> tuple[str, ...]:
        """Return a list of identifiers that are not blank; empty where it is absent or null.

        A key that differs in case alone is refused, since its value would be lost.
        """
        for other in self.values:
            if other != key and other.strip().casefold() == key:
                raise DataError(f"{self.place}: has {other!r}; call it {key!r}")
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise DataError(f"{self.place}: {key!r} must be a list of texts that are not empty")
        return tuple(item.strip() for item in value)


_KINDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def describe_json_kind(value: object) -> str:
    """Return the kind of a JSON value in words for people."""
    return _KINDS.get(type(value), type(value).__name__)


def read_jsonl_rows(path: Path) -> Iterator[DataRow]:
    """Yield the objects of a JSONL file, line by line; blank lines are passed over.

    Raises:
        DataError: with file and line, where a line is not UTF-8, not a JSON object, or longer than a document may be.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LARGEST + 1):
                number += 1
                place = f"{path}:{number}"
                if len(line) > LARGEST:
                    raise DataError(f"{place}: the line is longer than {LARGEST // 1_000_000} MB; cut the document up")
                if text := _decode_line(line, place):
                    yield DataRow(place, _parse_object(text, place))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def read_csv_rows(path: Path, *, known: frozenset[str]) -> Iterator[DataRow]:
    """Yield the records of a CSV file by its header, in lower case; comma, semicolon or tab, as the header tells.

    One of the header names `known` must be there. Cells are texts; `file:line` is where a record begins.
    """
    text = load_text(path)
    if isinstance(text, Skipped):
        raise DataError(f"{path}: {text.reason}")
    reader = csv.reader(text.splitlines(keepends=True), delimiter=_find_delimiter(path, text, known), strict=True)
    began = 1
    try:
        header = [cell.strip().lower() for cell in next(reader)]
        if len(set(header)) < len(header):
            raise DataError(f"{path}:1: two columns have the same name; the header is {', '.join(header)}")
        began = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield DataRow(f"{path}:{began}", _name_cells(cells, header, f"{path}:{began}"))
            began = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}:{began}: is not valid CSV ({error})") from error


def _decode_line(line: bytes, place: str) -> str:
    try:
        return line.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: is not UTF-8; save the file as UTF-8") from error


def _parse_object(text: str, place: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: is not valid JSON ({error.msg} at column {error.colno})") from error
    except UnicodeEncodeError as error:
        raise DataError(f"{place}: holds half of a surrogate pair, which is no character") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: is not usable JSON (too deep, or a number too long)") from error
    if not isinstance(value, dict):
        raise DataError(f"{place}: must be a JSON object in {{ }}, not {describe_json_kind(value)}")
    return value


def _find_delimiter(path: Path, text: str, known: frozenset[str]) -> str:
    lines = text.splitlines()
    header = lines[0] if lines else ""
    for delimiter in ",;\t":
        if known & {cell.strip().strip('"').lower() for cell in header.split(delimiter)}:
            return delimiter
    raise DataError(f"{path}:1: a CSV file must begin with a header that names one of: {', '.join(sorted(known))}")


def _name_cells(cells: Sequence[str], header: Sequence[str], place: str) -> dict[str, str]:
    if len(cells) != len(header):
        raise DataError(f"{place}: has {len(cells)} cells where the header has {len(header)}; quote cells with commas")
    return dict(zip(header, cells, strict=True))
