"""Reads the cells of one sheet as Excel displays them: in one pass, a row at a time."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import inf, isinf
from typing import Any

from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.formats.excel.workbook import BROKEN, CellStyle, Workbook, WorkbookPackage, discard, rich_text
from weighbridge.ingest.formats.markdown_writer import join_lines, trim_cells
from weighbridge.ingest.formats.number_format.codes import split_code
from weighbridge.ingest.formats.number_format.display import display, display_text
from weighbridge.ingest.formats.office.xml_parsing import local_name, whole_number

_MOST_PLACES = 2_000_000
"""Cells of a file that are read, empty ones between others included: about a minute."""
_MOST_COLUMNS = 16_384
"""Columns of a sheet in Excel, A to XFD."""
_EMPTY_CELLS = 4
"""Cells without text that count as one place: they cost the time to skip them, and no memory."""
_MOST_CELLS_HELD = 1_000
"""Elements of one row that stay in memory until its end; a hostile one has millions."""
_LETTERS = re.compile(r"[A-Za-z]{1,3}")
_RANGE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7}):\$?[A-Za-z]{1,3}\$?(\d{1,7})")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WHOLE = re.compile(r"-?[1-9]\d{0,10}|0")
"""Whole numbers of up to 11 digits: the format General shows them as they are stored."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""Excel's notation for characters that XML has no place for (ECMA-376 part 1, 22.9.2.19)."""
_PAGE_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d+|([LCR])|[A-Za-z]|(&))')
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel has no zones
_LEAP_BUG = 60
"""Serial numbers up to here are one less for a day: from there on, they count a 29th of February 1900."""
_TAGS = ("row", "c", "col", "mergeCell", "oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader",
         "firstFooter")  # fmt: skip


@dataclass(slots=True)
class ReadingBudget:
    """The rest that may be read of a file: cells, and characters, for shared texts can multiply them."""

    places: int = _MOST_PLACES
    characters: int = LARGEST

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be read."""
        return self.places <= 0 or self.characters <= 0


@dataclass(slots=True)
class Cells:
    """The rows of one sheet that show something, its headers and footers, and the losses of both."""

    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """The number of each row in the sheet: those between that are missing are blank."""
    page_texts: dict[str, None] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    """How often something was lost, by its description; the report gives the count of one with an "(s)"."""
    damaged: bool = False


def read_cells(package: WorkbookPackage, part: str, book: Workbook, budget: ReadingBudget) -> Cells:
    """Read the cells of a sheet. Of a damaged one, it reads all that is still XML, and reports the damage."""
    from lxml import etree

    reader = _Reader(book, budget)
    try:
        with package.open(part) as file:
            events = etree.iterparse(
                file,
                events=("start", "end"),
                tag=[f"{{*}}{tag}" for tag in _TAGS],
                resolve_entities=False,
                no_network=True,
                remove_comments=True,
                remove_pis=True,
                recover=True,
            )
            for event, node in events:
                reader.take(event, node)
                if budget.is_spent:
                    rows = len(reader.cells.rows)
                    reader.lose(f"rows after {rows:,} used ones left out: the workbook is too large")
                    break
            if events.error_log:
                reader.lose_damaged(str(events.error_log[0].message))
    except BROKEN as error:
        reader.lose_damaged(str(error))
    reader.repeat_merged()
    return reader.cells


@dataclass(frozen=True, slots=True)
class _Range:
    """Cells of several rows that are merged: their rows, numbered from 1, and their first column, from 0."""

    first_row: int
    last_row: int
    column: int


class _Reader:
    """Takes the elements of a sheet as they come."""

    def __init__(self, book: Workbook, budget: ReadingBudget) -> None:
        self.cells = Cells()
        self._book = book
        self._budget = budget
        self._row: list[str] = []
        self._cells_in_row = 0
        self._hidden_columns: list[range] = []
        self._hidden_used: set[int] = set()
        self._hidden_row = False
        self._row_number = 0
        self._merged: list[_Range] = []

    def lose(self, what: str) -> None:
        """Count one more loss."""
        self.cells.lost[what] += 1

    def lose_damaged(self, reason: str) -> None:
        """Note that the sheet could not be read as it is; the cells met so far stay."""
        self.end_row()
        self.cells.damaged = True
        self.lose(
            f"damaged, cells may be missing or cut: {len(self.cells.rows):,} used rows ({join_lines(reason)[:80]})"
        )

    def take(self, event: str, node: Any) -> None:
        """Take the start or the end of an element."""
        name = local_name(node)
        if name == "row":
            if event == "start":
                self.end_row()  # of a row that a damaged sheet does not end
                self._hidden_row = _is_true(node.get("hidden"))
                self._row_number = max(whole_number(node.get("r")), self._row_number + 1)
            else:
                self.end_row()
                self._budget.places -= 1
                discard(node)
        elif event == "start":
            return
        elif name == "c":
            self._take_cell(node)
            self._cells_in_row += 1
            if self._cells_in_row > _MOST_CELLS_HELD:
                discard(node)
        elif name == "col":
            if _is_true(node.get("hidden")):
                columns = range(whole_number(node.get("min")) - 1, whole_number(node.get("max")))
                self._hidden_columns.append(columns)
        elif name == "mergeCell":
            self.lose("merged range(s): the value stands in the first column only")
            self._take_merged(node.get("ref") or "")
            discard(node)
        else:
            plain = _PAGE_CODES.sub(lambda match: match[2] or (" \n" if match[1] else ""), node.text or "")
            if re.search(r"[^\W\d_]", plain):
                kind = "Header" if name.endswith("Header") else "Footer"
                self.cells.page_texts[f"{kind}: {join_lines(plain)}"] = None

    def end_row(self) -> None:
        """Keep the cells met so far as a row, where one of them shows something."""
        if not self._row:
            return
        self._row = list(trim_cells(self._row))
        self._budget.places -= len(self._row) + self._cells_in_row // _EMPTY_CELLS
        self._budget.characters -= sum(map(len, self._row))
        if any(self._row) and not self._budget.is_spent:
            self.cells.rows.append(self._row)
            self.cells.numbers.append(self._row_number)
            if self._hidden_row:
                self.lose("row(s) hidden in the sheet; read all the same")
        self._row = []
        self._cells_in_row = 0

    def repeat_merged(self) -> None:
        """Write the value of a range that is merged over several rows into each of them that shows something."""
        rows, numbers = self.cells.rows, self.cells.numbers
        for merged in self._merged:
            first = bisect_left(numbers, merged.first_row)
            if first == len(rows) or numbers[first] != merged.first_row or len(rows[first]) <= merged.column:
                continue
            text = rows[first][merged.column]
            for row in rows[first + 1 : bisect_right(numbers, merged.last_row)] if text else ():
                row.extend([""] * (merged.column + 1 - len(row)))
                row[merged.column] = row[merged.column] or text
                self._budget.places -= 1
                self._budget.characters -= len(text)
                if self._budget.is_spent:
                    return

    def _take_merged(self, reference: str) -> None:
        matched = _RANGE.fullmatch(reference)
        column = _column_of(matched[1]) if matched else None
        if matched is not None and column is not None and int(matched[2]) < int(matched[3]):
            self._budget.places -= 1
            self._merged.append(_Range(int(matched[2]), int(matched[3]), column))

    def _take_cell(self, node: Any) -> None:
        reference = node.get("r")
        column = _column_of(reference.rstrip("0123456789")) if reference else None
        if column is None:  # a cell that does not name its column follows the last one
            column = len(self._row)
        if column >= len(self._row):
            self._row += [""] * (column - len(self._row) + 1)
        text = self._display_cell(node)
        if not text:
            return
        self._row[column] = text
        if (
            self._hidden_columns
            and column not in self._hidden_used
            and any(column in hidden for hidden in self._hidden_columns)
        ):
            self._hidden_used.add(column)
            self.lose("column(s) hidden in the sheet; read all the same")

    def _display_cell(self, node: Any) -> str:
        """Return a cell as Excel displays it."""
        kind = node.get("t") or "n"
        stored, has_formula = "", False
        for child in node:
            if child.tag.endswith("}v"):
                stored += child.text or ""
            elif child.tag.endswith("}f"):
                has_formula = True
        if not stored and kind != "inlineStr":
            if kind != "str" and has_formula:
                self.lose("formula(s) without a value: Excel never computed and saved the file")
            return ""
        style = self._style(node.get("s"))
        text = self._display_value(node, kind, stored, style)
        return f"~~{text}~~" if style.struck and text and not text.startswith("~~") else text

    def _style(self, index: str | None) -> CellStyle:
        styles = self._book.styles
        place = int(index) if index and index.isascii() and index.isdecimal() else 0
        if place < len(styles):
            return styles[place]
        if place:
            self.lose("cell(s) of an unknown style: without their format")
        return CellStyle()

    def _display_value(self, node: Any, kind: str, stored: str, style: CellStyle) -> str:
        if kind in {"s", "str", "inlineStr"}:
            text = self._read_text(node, kind, stored)
            return self._report_if_hidden(display_text(text, style.code).strip(), text.strip())
        stored = stored.strip()
        if kind == "b":
            return {"1": "TRUE", "true": "TRUE"}.get(stored, "FALSE")
        if kind == "d":
            return self._display_date(stored, style)
        return stored if kind == "e" else self._display_number(stored, style)

    def _display_number(self, stored: str, style: CellStyle) -> str:
        if style.code == "General" and _WHOLE.fullmatch(stored):
            return stored
        value = float(stored) if _NUMBER.fullmatch(stored) else inf
        if isinf(value):
            self.lose("number cell(s) that hold another text; read as that text")
            return stored
        shown = display(value, style.code, date1904=self._book.date1904)
        return self._report_if_hidden(shown.strip(), stored)

    def _read_text(self, node: Any, kind: str, stored: str) -> str:
        if kind == "s":
            strings = self._book.strings
            if stored.isascii() and stored.isdecimal() and int(stored) < len(strings):
                return _unescape(strings[int(stored)])
            self.lose("cell(s) whose shared text is missing")
            self.cells.damaged = True
            return ""
        if kind == "inlineStr":
            stored = "".join(rich_text(inline) for inline in node.iterfind("{*}is")) or stored
        return _unescape(stored)

    def _report_if_hidden(self, shown: str, stored: str) -> str:
        """Return the displayed text, and report a value that its format hides (`;;;`)."""
        if stored and not shown:
            self.lose("value(s) hidden by their number format left out")
        return shown

    def _display_date(self, stored: str, style: CellStyle) -> str:
        """Return a date under its format from ISO 8601, as strict files may store it."""
        try:
            moment = datetime.fromisoformat(stored).replace(tzinfo=None)
        except ValueError:
            return stored
        if not any(section.shows == "date" for section in split_code(style.code)):
            return stored.removesuffix("T00:00:00").replace("T", " ")
        serial = (moment - _FIRST_DAY) / timedelta(days=1)
        return display(serial - (serial <= _LEAP_BUG), style.code).strip()


@lru_cache(maxsize=_MOST_COLUMNS)
def _column_of(letters: str) -> int | None:
    if not _LETTERS.fullmatch(letters):
        return None
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1 if column <= _MOST_COLUMNS else None


def _is_true(text: str | None) -> bool:
    return text in {"1", "true", "on"}


def _unescape(text: str) -> str:
    """Return a text with the characters that Excel has written as `_x000D_`; control characters become blanks."""
    if "_x" not in text:
        return text

    def character(match: re.Match[str]) -> str:
        decoded = chr(int(match[1], 16))
        return decoded if decoded.isprintable() else " "

    return _ESCAPED.sub(character, text)
