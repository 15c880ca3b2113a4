"""Tells running headers, footers and page numbers of a PDF from its text.

A line is one of them if the outermost lines of pages nearby are the same at the same height, or the same but for the
number of the page. Lines that differ in any other way stay, and the first page with such a line keeps it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from weighbridge.ingest.formats.pdf.layout import Row, enclosing_box

NEARBY = 4
"""Pages before and after one that are compared with it."""

_DEEPEST = 4
"""Lines at the top and at the bottom of a page that may be running ones."""
_FEWEST = 2
"""Other pages nearby, and at least half of them, that must have a line: left and right pages take turns."""
_SAME_HEIGHT = 4.0
"""Points."""
_APART = 0.8
"""How far a line of several cells must stand from the next, in its heights: nearer, it is the head of a table."""
_CELLS = 2
"""Cells that two lines near each other have if they belong to a table."""
_NUMBER = re.compile(r"\d+")
_ROMAN = re.compile(r"(?=[ivxlc])(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_AMOUNT = re.compile(r"[$\u20ac\u00a3\u00a5%]|\d[.,]\d")
"""Sums, shares and measures are no part of a running line: those of forms may be the same on several pages."""
_WORDS = (
    "page|pages|pg|p|seite|s|p\u00e1gina|pagina|p\u00e1g|pag|folio|side|sida|strona|str|strana|oldal|sayfa|sivu|"
    "\u0441\u0442\u0440|\u0441\u0442\u0440\u0430\u043d\u0438\u0446\u0430|\u0635\u0641\u062d\u0629|\u05e2\u05de\u05d5\u05d3|\u7b2c"
)
_OF = r"(?:\s*(?:of|/|von|de|di|sur|van|av|af|\u0438\u0437|z)\s*\d+)?"
_BAR = "[|\u00b7\u2022\u2013\u2014-]"
_PAGE = re.compile(
    rf"(?:^|\t|{_BAR}\s*|\b(?:{_WORDS})[.:]?\s*)\0(?:{_OF}\s*(?:$|\t|{_BAR}|\u9875)|\s*{_BAR})", re.IGNORECASE
)
"""A page number by itself, between bars or after a word for it; a 0 stands for the number."""
_ONLY_PAGE = re.compile(rf"\W*(?:(?:{_WORDS})[.:]?\s*)?\0{_OF}\W*", re.IGNORECASE)
_NO_NUMBER = -1
_PLACE = "\0"
_SHOWN = 60
"""Characters of a running line that its report quotes."""

Side = Literal["header", "footer"]


@dataclass(frozen=True, slots=True)
class MarginLine:
    """One of the outermost lines of a page: `row` is its place among the rows of the page; cells are parted by tabs."""

    row: int
    side: Side
    text: str
    form: str
    numbers: Sequence[int]
    height: float
    tabular: bool


@dataclass(frozen=True, slots=True)
class RunningLine:
    """A line that is left out: the place of its row, and its description."""

    row: int
    description: str


def margin_lines(letters: str, rows: Sequence[Row]) -> tuple[MarginLine, ...]:
    """Return the outermost lines of a page, those at the top from the top, then those at the bottom from the bottom."""
    boxes = [enclosing_box([run.box for run in row]) for row in rows]
    downwards = sorted(range(len(rows)), key=lambda place: -boxes[place].top)
    upwards = sorted(range(len(rows)), key=lambda place: boxes[place].bottom)
    lines: list[MarginLine] = []
    orders: tuple[tuple[Side, list[int]], ...] = (("header", downwards), ("footer", upwards))
    for side, order in orders:
        for place, inwards in pairwise(order[: _DEEPEST + 1]):
            box, after = boxes[place], boxes[inwards]
            gap = box.bottom - after.top if side == "header" else after.bottom - box.top
            near = gap < _APART * box.height
            text = "\t".join(" ".join(letters[run.start : run.end].split()) for run in rows[place])
            tabular = near and len(rows[place]) >= _CELLS and len(rows[inwards]) >= _CELLS
            form = "#" if _ROMAN.fullmatch(text) else _NUMBER.sub("#", text)
            lines.append(MarginLine(place, side, text, form, _numbers(text), box.bottom, tabular))
    return tuple(lines)


def running_lines(lines: Sequence[MarginLine], nearby: Mapping[int, Sequence[MarginLine]]) -> Iterator[RunningLine]:
    """Yield the lines of a page that are left out; `nearby` has those of other pages, by how many pages after it."""
    halted: set[Side] = set()
    for line in lines:
        found = {distance: _match(line, others, distance) for distance, others in nearby.items()}
        matches = {distance: number for distance, number in found.items() if number is not None}
        number = max(matches.values(), default=_NO_NUMBER)
        is_content = number == _NO_NUMBER and (line.tabular or _AMOUNT.search(line.text) is not None)
        if line.side in halted or len(matches) < max(_FEWEST, len(nearby) / 2) or is_content:
            halted.add(line.side)
            continue
        shown = line.text if number == _NO_NUMBER else _replace_number(line.text, number)
        if _ONLY_PAGE.fullmatch(shown):
            yield RunningLine(line.row, "page number left out")
        elif min(matches) < 0:
            text = " ".join(shown.replace(_PLACE, "(number)").split())
            yield RunningLine(line.row, f"running {line.side} left out after its first page: '{text[:_SHOWN]}'")


def _match(line: MarginLine, others: Sequence[MarginLine], distance: int) -> int | None:
    """Return the place of the page number in a line that another page has too, or `_NO_NUMBER` if it has none.

    None means that no line of the other page is the same. With the number of its page, a line may stand at any height,
    for browsers put it below the last line.
    """
    for other in others:
        if other.side != line.side or other.form != line.form:
            continue
        pairs = enumerate(zip(line.numbers, other.numbers, strict=True))
        changed = [place for place, (one, two) in pairs if one != two]
        if not changed and abs(other.height - line.height) < _SAME_HEIGHT:
            return _NO_NUMBER
        if len(changed) == 1 and other.numbers[changed[0]] - line.numbers[changed[0]] == distance:
            return changed[0] if _PAGE.search(_replace_number(line.text, changed[0])) else None
    return None


def _numbers(text: str) -> list[int]:
    if _ROMAN.fullmatch(text):
        digits = [_ROMAN_DIGITS[letter] for letter in text]
        following = [*digits[1:], 0]
        return [sum(-one if one < two else one for one, two in zip(digits, following, strict=True))]
    return [int(number[-18:]) for number in _NUMBER.findall(text)]


def _replace_number(text: str, place: int) -> str:
    """Return a text with one of its numbers replaced by `_PLACE`."""
    if _ROMAN.fullmatch(text):
        return _PLACE
    match = list(_NUMBER.finditer(text))[place]
    return text[: match.start()] + _PLACE + text[match.end() :]
