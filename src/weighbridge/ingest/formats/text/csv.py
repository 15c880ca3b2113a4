"""Delimited tables: commas, semicolons, tabs or bars, as the lines themselves tell."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import chain, islice
from pathlib import Path

from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.decode.encodings import DecodedText, decode_head
from weighbridge.ingest.decode.text import LARGEST, read_decoded, unix_lines
from weighbridge.ingest.formats.markdown_writer import row, ruler, trim_cells

PARSER = 3
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_MOST_ROWS = 1_000_000
_MOST_COLUMNS = 1_000
"""A file with more is data for a database, and no document."""
_SAMPLE = 65_536
_SAMPLED_ROWS = 200
"""Characters and rows that tell the delimiter."""
_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?[ \t]*\n', re.IGNORECASE)
_VALUE = re.compile(
    r"[-+]?[\d.,' ]*\d[\d.,' ]*%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?|true|false|null", re.IGNORECASE
)
_LONGEST_VALUE = 40
"""Characters of a number or a date; a longer cell of the first row is a name."""
_LONGEST_LOOSE = 131_072
"""Characters of a cell where quotes do not pair: a longer one was never closed. It is the default of Python's csv."""
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How cells are parted. `strict` refuses quotes that do not pair; without `quoted` they are characters."""

    delimiter: str
    strict: bool = True
    quoted: bool = True


def read_csv(path: Path) -> Parsed:
    """Read a delimited table as one Markdown table with the first row as its header.

    A table says the names once. Repeated in each row as `name: value`, they would be half of the text in most files
    and would make all rows look alike to an embedder. A chunk that begins within the table is given its header row as
    context, so no row is without its names. Where the first row holds values and no names, the columns are numbered.
    Blank rows are dropped; rows with more or fewer cells are kept. These are reported, and so is the rest of a file
    with more than 1,000,000 rows, 1,000 columns or 50 MB.

    Raises:
        UnreadableError: where the file is not text, or its encoding cannot be told.
    """
    decoded = _decode_file(path)
    text = decoded.text
    if marked := _SEPARATOR.match(text):
        text = text[marked.end() :]
    delimiter = marked[1] if marked else _delimiter(text[:_SAMPLE])
    losses = list(decoded.losses)
    for dialect in (_Dialect(delimiter), _Dialect(delimiter, strict=False), _Dialect(delimiter, quoted=False)):
        try:
            with _cells_up_to(_LONGEST_LOOSE if dialect.quoted and not dialect.strict else LARGEST):
                rendered = _render_table(text, dialect)
        except csv.Error as error:
            if not losses or losses[-1].place != "quotes":
                losses.append(Loss("quotes", f"do not pair ({error}); read as well as they can be"))
        else:
            return Parsed((rendered.contents[0],), (*losses, *rendered.losses))
    raise UnreadableError("not a table")


@contextmanager
def _cells_up_to(longest: int) -> Iterator[None]:
    before = csv.field_size_limit(longest)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _decode_file(path: Path) -> DecodedText:
    if path.stat().st_size <= LARGEST:
        return read_decoded(path)
    with path.open("rb") as file:
        decoded = decode_head(file.read(LARGEST))
    whole = unix_lines(decoded.text)
    lost = Loss("", f"what follows the first {LARGEST // 1_000_000} MB left out")
    return DecodedText(whole[: whole.rfind("\n") + 1], (*decoded.losses, lost))


def _records(text: str, dialect: _Dialect) -> Iterator[list[str]]:
    """Yield the rows that are not blank.

    Raises:
        csv.Error: quotes do not pair and the dialect is strict, or a cell is too long.
    """
    lines = StringIO(text, newline="")
    if dialect.quoted:
        reader = csv.reader(lines, delimiter=dialect.delimiter, strict=dialect.strict)
    else:
        reader = csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
    for cells in reader:
        if any(cell and not cell.isspace() for cell in cells):
            yield cells


def _delimiter(sample: str) -> str:
    """Return the delimiter that takes the most lines apart into the same number of cells, above one; else a comma."""
    scores: dict[str, tuple[float, int]] = {}
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(map(len, islice(_records(sample, _Dialect(delimiter, strict=False)), _SAMPLED_ROWS)))
        except csv.Error:
            widths = Counter(line.count(delimiter) + 1 for line in sample.split("\n")[:_SAMPLED_ROWS] if line.strip())
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        scores[delimiter] = (count / max(widths.total(), 1) if width > 1 else 0.0, width)
    best = max(_DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best][0] else ","


def _render_table(text: str, dialect: _Dialect) -> Parsed:
    records = _records(text, dialect)
    first = next(records, None)
    if first is None:
        return Parsed((Content(text=""),), (Loss("", "no rows"),))
    header = list(trim_cells(first))
    losses: list[Loss] = []
    body: Iterator[Sequence[str]] = records
    if not _is_header(header):
        body = chain([first], records)
        header = [f"column {number}" for number, _ in enumerate(header, start=1)]
        losses.append(Loss("row 1", "no names of columns: they are numbered"))
    if len(header) > _MOST_COLUMNS:
        losses.append(Loss("", f"{len(header) - _MOST_COLUMNS:,} columns after the first {_MOST_COLUMNS:,} left out"))
    text_of_table = StringIO()
    text_of_table.write(f"{row(header[:_MOST_COLUMNS])}\n{ruler(min(len(header), _MOST_COLUMNS))}")
    ragged: list[int] = []
    for number, cells in enumerate(islice(body, _MOST_ROWS), start=1):
        filled = trim_cells(cells)
        if len(filled) > len(header) or len(cells) < len(header):
            ragged.append(number)
        text_of_table.write(f"\n{row(filled[:_MOST_COLUMNS])}")
    if ragged:
        losses.append(Loss(f"row {ragged[0]:,}", f"has not as many cells as the header; {len(ragged):,} such row(s)"))
    if next(records, None) is not None:
        losses.append(Loss("", f"rows after the first {_MOST_ROWS:,} left out"))
    return Parsed((Content(text=text_of_table.getvalue()),), tuple(losses))


def _is_header(cells: Sequence[str]) -> bool:
    """Tell whether a row holds names: no number but years, no date, no truth value, and at most half empty cells."""
    named = [cell.strip() for cell in cells if cell.strip()]
    short = [cell for cell in named if len(cell) < _LONGEST_VALUE and not _YEAR.fullmatch(cell)]
    return not any(map(_VALUE.fullmatch, short)) and 2 * len(named) >= len(cells)
