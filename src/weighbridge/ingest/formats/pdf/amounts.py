"""Amounts in the tables of a page: joins a sign of currency, a number and a closing bracket that stand apart."""

import re

from weighbridge.ingest.formats.pdf.layout import LetterRun, PageTable, Row, TextLine, enclosing_box

_CURRENCY = re.compile(r"(?:[A-Z]{1,3})?[$\u20ac\u00a3\u00a5\u20b9\u20a9]|EUR|USD|GBP|CHF|JPY")
_NUMBER = re.compile(
    r"[(+\u2212\u2013-]?\s*[$\u20ac\u00a3\u00a5]?\s*(?:\d|\.\d)[\d.,' ]*(?:%|bps|x)?\s*\)?%?|[\u2014\u2013-]|\u2014%"
)
"""An amount as a whole cell, or the dash that stands for none."""
_CLOSING = re.compile(r"\)\s*%?")
_PERCENT = re.compile(r"%\s*\)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_NEAR = 2.0
"""How far a bracket or percent sign may stand from its number, in heights."""
_WORD = re.compile(r"[^\W\d_]{3}")
"""A month is one: "March 31, 2025" is part of a head, "2025-03-31" beside a label is not."""
_MOST_HEADS = 4
"""Rows that the head of a table may have; more above the first amount are a table of words."""
_CELLS = 3
"""Cells that make a line a row of a table, whatever they hold."""


def join_amounts(letters: str, row: Row) -> Row:
    """Return a row with one run for each amount: "$" and "1,234", "(12" and ")", "5" and "%" are joined.

    In a row that ends with a sign of currency, signs belong to the amounts before them.
    """
    if len(row) == 1:
        return row
    last = row[-1]
    sign_follows = _CURRENCY.fullmatch(letters[last.start : last.end].strip()) is not None
    joined: list[LetterRun] = []
    for run in row:
        if joined and _belongs(letters, joined[-1], run, sign_follows=sign_follows):
            before = joined[-1]
            joined[-1] = LetterRun(before.start, run.end, enclosing_box((before.box, run.box)), before.first_word)
        else:
            joined.append(run)
    return joined


def _belongs(letters: str, before: LetterRun, run: LetterRun, *, sign_follows: bool) -> bool:
    if before.end != run.start and not letters[before.end : run.start].isspace():
        return False
    one, two = letters[before.start : before.end].strip(), letters[run.start : run.end].strip()
    if not sign_follows and _CURRENCY.fullmatch(one):
        return _NUMBER.fullmatch(two) is not None
    if run.box.left - before.box.right >= _NEAR * run.box.height or not one[-1:].isdigit():
        return False
    if two.startswith(")"):
        return _CLOSING.fullmatch(two) is not None and "(" in one
    return _PERCENT.fullmatch(two) is not None or (sign_follows and _CURRENCY.fullmatch(two) is not None)


def is_amount(text: str) -> bool:
    """Tell whether a cell holds an amount, or the dash for none; a year is part of the head."""
    text = text.strip()
    currency = _CURRENCY.match(text)
    number = text[currency.end() :].strip() if currency is not None else text
    return _NUMBER.fullmatch(number) is not None and _YEAR.fullmatch(text) is None


def is_table_row(letters: str, line: TextLine) -> bool:
    """Tell whether a line is a row of a table that was not found: words and an amount, or several cells."""
    last = line.runs[-1]
    return len(line.runs) >= _CELLS or (len(line.runs) > 1 and is_amount(letters[last.start : last.end]))


def join_wrapped_labels(letters: str, grid: PageTable) -> PageTable:
    """Return a table with whole labels: one that goes on in the next row, in lower case, is moved there."""
    rows: list[tuple[tuple[LetterRun, ...], ...]] = []
    for row in grid.rows:
        first = letters[row[0][0].start : row[0][0].end].lstrip() if row[0] else ""
        if rows and rows[-1][0] and not any(rows[-1][1:]) and first[:1].islower():
            row = (rows.pop()[0] + row[0], *row[1:])  # noqa: PLW2901 - the row as it is printed
        rows.append(row)
    return PageTable(tuple(rows))


def head_rows(letters: str, grid: PageTable) -> int:
    """Return how many rows are the head of a table: those above its first amounts or first heading, or one."""
    count = 0
    for row in grid.rows:
        texts = [letters[run.start : run.end] for cell in row[1:] for run in cell]
        if any(map(is_amount, texts)) or (count and (not any(row[1:]) or (row[0] and any(map(_is_figure, texts))))):
            break
        count += 1
    return count if 0 < count <= _MOST_HEADS and count < len(grid.rows) else 1


def _is_figure(text: str) -> bool:
    """Tell whether a text is a time, a date or another figure without words; a year alone is none."""
    return any(map(str.isdigit, text)) and not _WORD.search(text) and not _YEAR.fullmatch(text.strip())
