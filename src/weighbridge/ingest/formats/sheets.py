"""Excel workbooks: a part a sheet, as a table of the cells that are used."""

import re
import warnings
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZipFile

from weighbridge.ingest.content import Content, Loss, Parsed
from weighbridge.ingest.formats.assemble import assemble, heading, one_line, paragraph, table
from weighbridge.ingest.formats.office import members, understood
from weighbridge.ingest.text import LARGEST

PARSER = 1
"""To be raised whenever the same bytes would give another result: what was read before is then read anew."""

_MOST_SHEETS = 1_000
_MOST_ROWS = 1_048_576
_MOST_PLACES = 2_000_000
"""Cells of a file that are looked at, empty ones between others included."""
_LARGEST_XML = 1_000_000_000
_UNCOMPUTED = re.compile(
    rb"<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:</(?:\w+:)?c>|<(?:\w+:)?v\s*/>|<(?:\w+:)?v></)"
)
_MERGED = re.compile(rb"mergeCell[\s/]")
_SHORTEST_MERGED = 9
"""Bytes that are looked at twice for merged cells: one less than what tells them."""
_PIECE = 1 << 20
_OVERLAP = 1 << 15
"""Bytes that are looked at twice where a piece holds no end of a cell: more than a formula may have."""
_BESIDE = {
    "media": "picture(s) left out",
    "charts": "chart(s) left out",
    "chartsheets": "sheet(s) that are a chart left out",
    "threadedComments": "sheet(s) with comments left out",
    "comments": "sheet(s) with comments left out",
    "embeddings": "embedded object(s) left out",
    "diagrams": "diagram(s) left out",
}
_PLAIN = range(-10, 21)
"""Powers of ten within which a number is written without an exponent."""


@dataclass(slots=True)
class _Left:
    """What may still be read of a file: cells, and characters, which shared texts can multiply beyond its size."""

    places: int = _MOST_PLACES
    characters: int = LARGEST

    @property
    def spent(self) -> bool:
        return self.places <= 0 or self.characters <= 0


@dataclass(slots=True)
class _Sheet:
    name: str
    rows: list[list[str]] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


def read_xlsx(path: Path) -> Parsed:
    """Read a .xlsx or .xlsm file. Title: the document's property. Values are those last computed by Excel.

    Empty rows and columns are dropped; lines of a single cell above a table stand before it as paragraphs, and the
    first other row is its header. Dates are ISO 8601; numbers are plain, with 15 digits at most, or per cent.
    Reported: formulas that were never computed, merged and hidden things, pictures, charts, comments, and what lies
    beyond 1,000 sheets, 2,000,000 cells or 50,000,000 characters.

    Raises:
        UnreadableError: where the package is damaged, encrypted or a bomb.
    """
    names = members(path, largest=_LARGEST_XML)
    with understood(), warnings.catch_warnings(), redirect_stdout(StringIO()):  # openpyxl prints, too
        warnings.simplefilter("ignore")
        return _read(path, names)


def _read(path: Path, names: Sequence[str]) -> Parsed:
    lost = _beside(names)
    with path.open("rb") as file, ZipFile(path) as package, closing(_workbook(file)) as book:
        left = _Left()
        sheets: list[_Sheet] = []
        losses = [Loss("workbook", f"{count} {what}" if "(s)" in what else what) for what, count in lost.items()]
        for number, sheet in enumerate(book.worksheets):
            if number == _MOST_SHEETS or left.spent:
                rest = len(book.worksheets) - number
                losses.append(Loss("workbook", f"{rest:,} sheets from {sheet.title!r} on left out"))
                break
            sheets.append(_sheet(sheet, left))
            sheets[-1].losses += _unseen(package, sheet)
        title = one_line(book.properties.title or "")
    text = assemble((f"sheet {sheet.name}", _rendered(sheet)) for sheet in sheets)
    losses += [Loss(f"sheet {sheet.name}", what) for sheet in sheets for what in sheet.losses]
    return Parsed((Content(text=text.text, title=title, parts=text.parts),), tuple(losses))


def _workbook(file: BinaryIO) -> Any:
    from openpyxl import load_workbook

    return load_workbook(file, read_only=True, data_only=True, keep_links=False)


def _beside(names: Sequence[str]) -> Counter[str]:
    """Return what the package holds besides cells, and how often."""
    lost: Counter[str] = Counter()
    for name in names:
        folder = re.match(r"xl/([A-Za-z]+?)\d*(?:/[^/]+|\.xml)$", name)
        if folder and folder[1] in _BESIDE and not re.search(r"/(style|colors)\d*\.xml$", name):
            lost[_BESIDE[folder[1]]] += 1
    return lost


def _unseen(package: ZipFile, sheet: Any) -> Iterator[str]:
    """Yield what the reader of cells does not tell of a sheet: formulas without a value, and merged cells."""
    uncomputed = merged = 0
    with package.open(sheet._worksheet_path) as file:  # noqa: SLF001 - nothing public names a sheet's member
        rest = before = b""
        while piece := file.read(_PIECE):
            merged += len(_MERGED.findall(before + piece))
            before = piece[-_SHORTEST_MERGED:]
            rest += piece
            whole = rest.rfind(b"c>") + 2
            uncomputed += len(_UNCOMPUTED.findall(rest[:whole]))
            rest = rest[whole:] if whole > 1 else rest[-_OVERLAP:]
    if uncomputed:
        yield f"{uncomputed:,} formula(s) without a value: Excel never computed and saved the file"
    if merged:
        yield f"{merged:,} merged range(s): the value stands in the first cell only"


def _sheet(sheet: Any, left: _Left) -> _Sheet:
    read = _Sheet(one_line(sheet.title))
    if sheet.sheet_state != "visible":
        read.losses.append("hidden in the workbook; read all the same")
    for cells in _rows(sheet):
        left.places -= len(cells) + 1
        written = [_shown(cell) for cell in cells]
        left.characters -= sum(map(len, written))
        if left.spent:
            read.losses.append(f"rows after {len(read.rows):,} used ones left out: the workbook is too large")
            break
        if any(written):
            read.rows.append(written)
    return read


def _rows(sheet: Any) -> Iterator[Sequence[Any]]:
    """Yield the rows; what the sheet says of its size is not believed."""
    sheet.reset_dimensions()
    return islice(sheet.iter_rows(), _MOST_ROWS)


def _shown(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number(value, per_cent="%" in (cell.number_format or ""))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _number(value: float, *, per_cent: bool) -> str:
    """Return a number with the 15 digits that Excel keeps of it."""
    exact = Decimal(f"{value:.15g}") if type(value) is float else Decimal(value)
    if not exact.is_finite():
        return str(value)
    shown = (exact * 100 if per_cent else exact).normalize()
    said = f"{shown:f}" if shown.adjusted() in _PLAIN else str(shown)
    return f"{said}%" if per_cent else said


def _rendered(sheet: _Sheet) -> str:
    """Return the sheet's name, the lone lines at its top, and the table below them."""
    if not sheet.rows:
        return ""
    used = sorted({place for cells in sheet.rows for place, text in enumerate(cells) if text})
    rows = [[cells[place] for place in used[: bisect_left(used, len(cells))]] for cells in sheet.rows]
    above: list[str] = []
    while len(used) > 1 and rows and sum(map(bool, rows[0])) == 1:
        above.append(paragraph("".join(rows.pop(0))))
    return "\n\n".join([heading(sheet.name, 2), *above, table(rows)]).strip()
