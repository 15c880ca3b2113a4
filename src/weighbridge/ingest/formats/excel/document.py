"""Excel workbooks: a part a sheet, with its used cells as tables, as Excel displays them."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

from weighbridge.ingest.content import Content, Enclosed, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.excel.cells import ReadingBudget, read_cells
from weighbridge.ingest.formats.excel.drawings import read_objects
from weighbridge.ingest.formats.excel.sheet_tables import Block, split_tables
from weighbridge.ingest.formats.excel.workbook import BROKEN, SheetPart, Workbook, WorkbookPackage, read_workbook
from weighbridge.ingest.formats.markdown_writer import assemble, heading, join_lines, paragraph, table
from weighbridge.ingest.formats.office.package import check_package, convert_errors

PARSER = 8
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_MOST_SHEETS = 1_000
"""Sheets that are read: people have tens, and each costs the time to open its parts."""
_UNREAD = {
    "media": "picture(s) left out",
    "embeddings": "embedded object(s) left out",
    "charts": "chart(s) that no sheet refers to left out",
    "comments": "sheet(s) with comments that no sheet refers to left out",
    "dialogsheets": "dialog(s) left out",
    "macrosheets": "sheet(s) of macros left out",
}
_MAYBE_TWO = "blank column(s) between what may be two tables: read as one; two blank columns would part them"
_PART = re.compile(r"xl/([a-z]+?)\d*(?:/[^/]+|\.xml)")


@dataclass(slots=True)
class _Sheet:
    name: str
    tables: list[Block] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    damaged: bool = False


def read_xlsx(path: Path) -> Parsed:
    """Read a .xlsx or .xlsm file. Title: the document's property. Values are those last computed by Excel.

    Numbers and dates come as their number formats show them; where that depends on the country of the reader, dates
    come in ISO 8601. Empty rows and columns are dropped; lines of a single cell above a table stand before it as
    paragraphs, and the first other row is its header. Tables side by side or one below the other are parted where
    their headers and rows show it. A cell merged over several rows stands in each of them. Text boxes, shapes, charts
    and comments follow the tables of their sheet; embedded files are read as files of their own.

    The losses name formulas that were never computed, merged and hidden things, pictures, damage, and the rest of a
    file with more than 1,000 sheets, 2,000,000 cells or 50,000,000 characters.

    Raises:
        UnreadableError: the package is damaged, encrypted or a bomb, or no sheet of it can be read.
    """
    check_package(path, parse=False)
    with convert_errors(), ZipFile(path) as archive:
        return _read(WorkbookPackage(archive))


def _read(package: WorkbookPackage) -> Parsed:
    try:
        book = read_workbook(package)
    except ValueError as error:
        raise UnreadableError("damaged: the list of its sheets cannot be read") from error
    budget = ReadingBudget()
    sheets: list[_Sheet] = []
    losses = book.losses
    for number, part in enumerate(book.sheets):
        if number == _MOST_SHEETS or budget.is_spent:
            rest = len(book.sheets) - number
            losses.append(Loss("workbook", f"{rest:,} sheets from {part.name!r} on left out"))
            break
        sheets.append(_read_sheet(package, part, book, budget))
    enclosed = tuple(_embedded_files(package, losses))
    losses += [Loss("workbook", what) for what in _describe(_count_unread(package))]
    text = assemble((f"sheet {sheet.name}", _render_sheet(sheet)) for sheet in sheets)
    title = ""
    if properties := next(package.iter_related("", "core-properties"), ""):
        with suppress(ValueError):
            title = join_lines(package.tree(properties, recover=True).findtext("{*}title") or "")
    if not text.text and any(sheet.damaged for sheet in sheets):
        raise UnreadableError("damaged: no sheet of it can be read")
    losses += [Loss(f"sheet {sheet.name}", what) for sheet in sheets for what in sheet.losses]
    return Parsed((Content(text=text.text, title=title, parts=text.parts),), tuple(losses), enclosed)


def _read_sheet(package: WorkbookPackage, part: SheetPart, book: Workbook, budget: ReadingBudget) -> _Sheet:
    sheet = _Sheet(part.name)
    if part.hidden:
        sheet.losses.append("hidden in the workbook; read all the same")
    if not part.part:
        sheet.losses.append("left out: the workbook does not say where it is")
        return sheet
    if part.kind == "chartsheet":
        package.unread.discard(part.part)
    else:
        cells = read_cells(package, part.part, book, budget)
        sheet.tables, doubtful = split_tables(Block(cells.rows, cells.numbers))
        sheet.damaged = cells.damaged
        sheet.above = [text for text in cells.page_texts if text.startswith("Header")]
        sheet.below = [text for text in cells.page_texts if not text.startswith("Header")]
        if doubtful:
            cells.lost[_MAYBE_TWO] = doubtful
        sheet.losses += _describe(cells.lost)
    objects = read_objects(package, part.part)
    sheet.below = objects.blocks + sheet.below
    budget.characters -= sum(map(len, objects.blocks))
    sheet.losses += _describe(objects.lost)
    return sheet


def _describe(lost: Counter[str]) -> Iterator[str]:
    """Yield the losses, each with its count where it can be counted."""
    for what, count in lost.items():
        yield f"{count:,} {what}" if "(s)" in what else what


def _embedded_files(package: WorkbookPackage, losses: list[Loss]) -> Iterator[Enclosed]:
    """Yield the files that are embedded whole; objects that only their program can read stay unread."""
    for name in sorted(package.unread):
        if name.startswith("xl/embeddings/") and not name.endswith((".bin", ".rels")):
            try:
                with package.open(name) as file:
                    yield Enclosed(name.rpartition("/")[2], file.read())
            except BROKEN:
                losses.append(Loss("workbook", f"{name.rpartition('/')[2]} is damaged and left out"))


def _count_unread(package: WorkbookPackage) -> Counter[str]:
    """Return the kinds of parts that nobody has read, and how many there are."""
    lost: Counter[str] = Counter()
    for name in sorted(package.unread):
        folder = _PART.fullmatch(name)
        if folder and folder[1] in _UNREAD and not re.search(r"/(style|colors)\d*\.xml$", name):
            lost[_UNREAD[folder[1]]] += 1
    return lost


def _render_sheet(sheet: _Sheet) -> str:
    """Return the sheet's name, its tables, and the objects on it."""
    tables = [text for block in sheet.tables for text in _table(block)]
    blocks = [block for block in [*sheet.above, *tables, *sheet.below] if block.strip()]
    return "\n\n".join([heading(sheet.name, 2), *blocks]) if blocks else ""


def _table(block: Block) -> Iterator[str]:
    """Yield the lone lines at the top of a table, and the table below them without its blank columns."""
    rows = block.rows
    lone = block.lone_lines() if len(_used_columns(rows)) > 1 else 0
    for cells in rows[:lone]:
        yield paragraph("".join(cells))
    rows = rows[lone:]
    used = _used_columns(rows)
    yield table([[cells[place] for place in used[: bisect_left(used, len(cells))]] for cells in rows])


def _used_columns(rows: list[list[str]]) -> list[int]:
    return sorted({place for cells in rows for place, text in enumerate(cells) if text})
