"""Writes the lines of a page as Markdown: paragraphs, headings, lists and tables, with words at line ends mended."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from weighbridge.ingest.formats.pdf.amounts import head_rows, is_table_row, join_amounts, join_wrapped_labels
from weighbridge.ingest.formats.pdf.glyphs import BROKEN_WORD
from weighbridge.ingest.formats.pdf.layout import LetterRun, PageTable, Row, TextLine, arrange

_LEVELS = ((1.7, "# "), (1.35, "## "), (1.15, "### "))
"""How many times as high as most of its page a heading is."""
_LONGEST_HEADING = 150
"""Characters; a longer line in large print is a paragraph."""
_SENTENCE = (".", ";", ",", ":")
_SHORT_NAME = 4
"""A large line of so few words may end like a sentence and be a heading all the same: "Adobe Inc."."""
_BOXES = re.compile(r"[\u2610-\u2612\u25a1]")
"""Boxes to be ticked: "Yes \u2610 No \u2612" is a line of a form, however large it is."""
_LONG_LINE = 40
"""Characters of a line of prose; cells and labels are shorter."""
_BULLET = re.compile(r"[\u2022\u25e6\u25aa\u2023\u25cf\u25cb\u25a0\u25b8\u27a2\uf0b7\u00b7*-]\s+(?=\S)")
_NUMBERED = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)]\s+\S")
_KEEP_HYPHEN = frozenset({
    "all", "cross", "ex", "half", "high", "long", "low", "mid", "multi", "non", "off", "on", "one", "quasi", "self",
    "semi", "short", "single", "so", "two", "three", "four", "well", "real", "state", "open", "end", "end-to", "day",
})  # fmt: skip
_LETTERS = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st",
}  # fmt: skip
_LIGATURE = re.compile("[\ufb00-\ufb06]")
_CELL_MARKS = re.compile(r"\||(?<=\d)\s+(?=\))")
_HYPHENS = frozenset({"-", "\u2010", "\u00ad"})


def lay(letters: str, rows: Sequence[Row]) -> str:
    """Return the text of a page in reading order."""
    parts = list(arrange([join_amounts(letters, row) for row in rows]))
    body = _body_height(parts)
    text = _Text(letters)
    before: TextLine | None = None
    for place, part in enumerate(parts):
        if isinstance(part, PageTable):
            _table(text, part)
            before = None
        else:
            around = [each for each in parts[max(0, place - 6) : place + 7] if isinstance(each, TextLine)]
            _line(text, _Setting(before, part, around, body))
            before = part
    return text.whole()


@dataclass(frozen=True, slots=True)
class _Setting:
    """A line, the one before it, the lines around it, and the height of most letters on the page."""

    before: TextLine | None
    line: TextLine
    around: Sequence[TextLine]
    body: float


@dataclass(slots=True)
class _Text:
    """The text of a page while it is written."""

    letters: str
    pieces: list[str] = field(default_factory=list)
    heading: str = ""
    item: bool = False

    def insert(self, text: str) -> None:
        self.pieces.extend(text)

    def say(self, start: int, end: int) -> None:
        letters = self.letters[start:end]
        if _is_plain(letters) and not (letters[0] == " " and self.pieces and self.pieces[-1] in " \n"):
            self.pieces.extend(letters)
            return
        if letters[-1:] in _HYPHENS:
            letters = letters[:-1] + BROKEN_WORD
        for letter in letters:
            shown = " " if letter.isspace() else _LETTERS.get(letter, letter)
            if shown == " " and self.pieces and self.pieces[-1] in " \n":
                continue
            self.pieces.extend(each for each in shown if each.isprintable() or each == BROKEN_WORD)

    def is_cut(self) -> bool:
        """Tell whether a word was cut by the end of a line that came last."""
        return bool(self.pieces) and self.pieces[-1] == BROKEN_WORD and "".join(self.pieces[-2:-1]).isalpha()

    def trim(self) -> None:
        while self.pieces and self.pieces[-1] in " \n":
            self.pieces.pop()

    def end(self, mark: str) -> None:
        """End a line or a paragraph with line ends; a hyphen stays a hyphen there."""
        self.trim()
        if self.pieces:
            if self.pieces[-1] == BROKEN_WORD:
                self.pieces[-1] = "-"
            self.insert(mark)

    def join(self, following: str) -> None:
        """Go on after the end of a line, with a space, or within a word that it cut in two."""
        self.trim()
        if not self.pieces or self.pieces[-1] != BROKEN_WORD:
            self.insert(" ")
        elif _is_one_word("".join(self.pieces[-40:-1]), following):
            self.pieces.pop()
        else:
            self.pieces[-1] = "-"

    def whole(self) -> str:
        self.trim()
        return "".join(self.pieces).replace(BROKEN_WORD, "-")


def _is_plain(letters: str) -> bool:
    """Tell whether letters are written as they are: all printed, single spaces, no hyphen at the end, no ligatures."""
    if not letters.isprintable() or "  " in letters or letters[-1:] in _HYPHENS:
        return False
    return letters != "" and (letters.isascii() or _LIGATURE.search(letters) is None)


def _is_one_word(before: str, after: str) -> bool:
    """Tell whether the hyphen between two halves only stood there for the end of the line.

    It is kept where a half is not a lower-case word ("North-South", "3-4"), and after such words as mostly carry one.
    """
    first = re.search(r"[^\W\d_]+(?:-[^\W\d_]+)*$", before)
    second = re.match(r"[^\W\d_]+", after)
    if first is None or second is None or len(first[0]) < 2 or not second[0].islower():  # noqa: PLR2004 - a syllable
        return False
    return "-" not in first[0] and first[0].casefold() not in _KEEP_HYPHEN and not first[0].isupper()


def _body_height(parts: Sequence[TextLine | PageTable]) -> float:
    """Return the height of most letters of a page, in points to the half."""
    heights: Counter[float] = Counter()
    for part in parts:
        runs = part.runs if isinstance(part, TextLine) else [run for row in part.rows for cell in row for run in cell]
        for run in runs:
            heights[round(run.box.height * 2) / 2] += run.end - run.start
    return heights.most_common(1)[0][0] if heights else 0.0


def _table(text: _Text, grid: PageTable) -> None:
    """Write a table. The rows of its head become one, for a table in Markdown has one."""
    text.end("\n\n")
    grid = join_wrapped_labels(text.letters, grid)
    count = head_rows(text.letters, grid)
    head = tuple(tuple(run for cell in column for run in cell) for column in zip(*grid.rows[:count], strict=True))
    for number, row in enumerate((head, *grid.rows[count:])):
        text.insert("| ")
        for place, cell in enumerate(row):
            text.insert(" | " if place else "")
            for part, run in enumerate(cell):
                text.insert(" " if part else "")
                _cell(text, run)
        text.insert(" |\n" if number else f" |\n|{' --- |' * len(row)}\n")
    text.heading = ""
    text.item = False


def _cell(text: _Text, run: LetterRun) -> None:
    """Write the content of a cell. Bars are escaped, and a bracket follows the amount that it closes."""
    start = run.start
    for match in _CELL_MARKS.finditer(text.letters, run.start, run.end):
        text.say(start, match.start())
        start = match.end()
        if match[0] == "|":
            text.insert("\\")
            text.say(match.start(), start)
    text.say(start, run.end)


def _line(text: _Text, setting: _Setting) -> None:
    runs = setting.line.runs
    plain = " ".join(text.letters[run.start : run.end] for run in runs).lstrip()
    mark = _heading(setting, plain)
    bullet = _BULLET.match(plain) if not mark else None
    item = bullet is not None or _NUMBERED.match(plain) is not None
    # A row of a table, and the line after it, stand for themselves.
    rows = any(line is not None and is_table_row(text.letters, line) for line in (setting.before, setting.line))
    if mark:
        near = setting.before is not None and _distance(setting.before, setting.line) < 1.25 * setting.line.height
        if text.heading == mark and near:  # the heading's next line
            text.join("")
        else:
            text.end("\n\n")
            text.insert(mark)
    elif setting.before is None or text.heading or _new_paragraph(setting, after_item=text.item, item=item):
        text.end("\n\n")
    elif item or rows or not (text.is_cut() or _goes_on(setting, plain)):
        text.end("\n")
    else:
        text.join(plain)
        item = text.item
    text.heading, text.item = mark, item
    _say_runs(text, runs, bullet)


def _say_runs(text: _Text, runs: Sequence[LetterRun], bullet: re.Match[str] | None) -> None:
    for place, run in enumerate(runs):
        if place:
            text.insert(" ")
        start = run.start
        if bullet is not None and not place:
            text.insert("- ")
            while start < run.end and text.letters[start] not in bullet[0].strip():
                start += 1
            start += 1
        text.say(start, run.end)


def _heading(setting: _Setting, plain: str) -> str:
    if len(plain) > _LONGEST_HEADING or sum(map(str.isalpha, plain)) < 2:  # noqa: PLR2004 - a word
        return ""
    if (plain.rstrip().endswith(_SENTENCE) and len(plain.split()) > _SHORT_NAME) or _BOXES.search(plain):
        return ""
    times = setting.line.height / setting.body if setting.body > 0 else 0.0
    return next((mark for ratio, mark in _LEVELS if times >= ratio), "")


def _distance(before: TextLine, line: TextLine) -> float:
    return before.box.bottom - line.box.bottom


def _new_paragraph(setting: _Setting, *, after_item: bool, item: bool) -> bool:
    """Tell by the space above a line and by its indentation whether it begins a paragraph."""
    before, line = setting.before, setting.line
    if before is None:
        return True
    usual = sorted(_distance(one, two) for one, two in pairwise(setting.around) if _distance(one, two) > 0)
    leading = usual[len(usual) // 4] if usual else line.height
    other_size = abs(before.height - line.height) > 0.2 * line.height
    if other_size or _distance(before, line) > 1.3 * max(leading, line.height):
        return True
    indent = line.box.left - before.box.left
    return not after_item and not item and 0.7 * line.height < indent < 4 * line.height


def _goes_on(setting: _Setting, plain: str) -> bool:
    """Tell whether a line ended only because the next word had no room.

    That is so in long lines, and in short ones where most of those around reach the edge too.
    """
    before, line = setting.before, setting.line
    if before is None or plain.startswith(("|", "#")):
        return False
    height = line.height
    alike = [each.box for each in setting.around if abs(each.box.left - before.box.left) < 2 * height]
    edge = max((box.right for box in alike), default=before.box.right)
    room = edge - before.box.left
    full = sum(box.right >= edge - 0.2 * room for box in alike)
    first = line.runs[0]
    needed = first.first_word - first.box.left + 0.2 * height
    prose = sum(run.end - run.start for run in before.runs) >= _LONG_LINE or 2 * full >= len(alike)
    return prose and before.box.right + needed > edge - 0.02 * room
