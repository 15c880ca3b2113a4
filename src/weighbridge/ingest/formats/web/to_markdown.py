"""Writes the elements of a web page as Markdown, in one pass over them, however deep they lie."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from weighbridge.ingest.formats.markdown_writer import (
    SpanningCell,
    fence_marks,
    join_lines,
    lay_out_cells,
    paragraph,
    table,
)
from weighbridge.ingest.formats.office.numbering import write_number
from weighbridge.ingest.formats.web.markup_line import MarkupLine, is_atomic, is_reading, is_repeated, is_tex

WITHOUT_TEXT = frozenset({"script", "style", "head", "rp", "-comment", "!doctype"})
DROPPED = {
    "nav": "navigation", "button": "buttons", "noscript": "for browsers without scripts", "template": "templates",
    "svg": "drawings", "datalist": "proposals of a form",
}  # fmt: skip
"""Elements that are left out, and the name of their text among the losses."""
EMBEDDED = frozenset({"iframe", "frame", "object", "embed", "video", "audio", "canvas"})
NOTHING: Mapping[int, str] = MappingProxyType({})
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_PARAGRAPHS = frozenset(_HEADINGS) | {
    "p", "ul", "ol", "dl", "table", "blockquote", "section", "article", "hr", "figure", "form", "fieldset", "details",
    "pre",
}  # fmt: skip
_LINES = frozenset({
    "address", "aside", "body", "br", "caption", "center", "dd", "div", "dt", "figcaption", "footer", "header",
    "legend", "li", "main", "option", "summary", "tbody", "td", "tfoot", "th", "thead", "tr",
})  # fmt: skip
_LISTS = frozenset({"ul", "ol"})
_WIDEST = 100
"""Columns or rows that one cell may reach over."""
_NUMBERS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
"""Types of lists that are counted in letters or Roman numbers, by the names of `write_number`."""
_LONGEST_CELL = 2_000
"""Characters; a table with a longer cell arranges a page, it does not tabulate."""
_DEEPEST = 8
"""Levels of lists and quotations that are indented; deeper ones stay on the last of these."""
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page as Markdown, the losses with their counts, and the text left out."""

    text: str
    lost: Counter[str]
    left_out: str


def render_page(body: Any, furniture: Mapping[int, str] = NOTHING, *, scripts: bool = True) -> RenderedPage:
    """Return the visible text below an element of a selectolax tree, with its structure as Markdown.

    Elements in `furniture` (by their `mem_id`) are left out and counted under the kind that it gives. Without
    `scripts`, elements for browsers without them are text.
    """
    page = _Page()

    def reason(tag: str, node: Any) -> str:
        if (kind := furniture.get(node.mem_id)) is not None:
            return f"words of page furniture left out, {kind}"
        why = DROPPED.get(tag, "") or ("hidden" if node is not body and is_hidden(node) else "")
        if is_repeated(tag, node):
            why = "pictures of formulas that are read"
        elif is_reading(tag, node):
            why = "readings of characters"
        return f"words left out, {why}" if why and (scripts or tag != "noscript") else ""

    for tag, node, begins in _walk(body, reason, page.leave_out):
        if tag == "-text":
            page.say(node.text_content or "")
        elif begins:
            page.begin(tag, node)
        else:
            page.end(tag, node)
    page.flush()
    return RenderedPage("".join(page.pieces), page.lost, " ".join(page.left_out))


def _walk(
    body: Any, reason: Callable[[str, Any], str], leave_out: Callable[[str, Any], None]
) -> Iterator[tuple[str, Any, bool]]:
    """Yield (tag, node, whether it begins or ends here) in the order of the text, with a stack of our own.

    Elements with a `reason` are left out.
    """
    stack: list[tuple[Any, bool]] = [(body, True)]
    while stack:
        node, begins = stack.pop()
        tag: str = node.tag
        if begins and tag != "-text":
            if tag in WITHOUT_TEXT and not is_tex(tag, node):
                continue
            if why := reason(tag, node):
                leave_out(why, node)
                continue
            stack.append((node, False))
            if tag not in EMBEDDED and not is_atomic(tag, node):
                stack.extend((child, True) for child in reversed(list(node.iter(include_text=True))))
        yield tag, node, begins


def _text_of(node: Any) -> str:
    """Return the text below an element, without scripts and styles."""
    if node.css_first("script, style") is None:
        text: str = node.text(separator=" ")
        return text
    texts: list[str] = []
    stack = [node]
    while stack:
        inner = stack.pop()
        if inner.tag == "-text":
            texts.append(inner.text_content or "")
        elif inner.tag not in {"script", "style"}:
            stack.extend(reversed(list(inner.iter(include_text=True))))
    return " ".join(texts)


def is_hidden(node: Any) -> bool:
    """Tell whether an element says of itself that it is not shown. Formulas hidden behind their picture are no such."""
    attributes = node.attributes
    if not attributes:
        return False
    hidden = "hidden" in attributes or _HIDING.search(attributes.get("style") or "") is not None
    formula = hidden and "math" in (attributes.get("class") or "").casefold()
    return hidden and not (formula and node.css_first("math") is not None)


@dataclass(slots=True)
class _Mark:
    """The marks of a block before its first line, and before the others."""

    tag: str
    first: str
    rest: str
    used: bool = False


@dataclass(slots=True)
class _List:
    """A list that is being read: the number of its next item (none where they have none), its step, and its digits."""

    number: int | None = None
    step: int = 1
    digits: str = ""

    def take(self, node: Any) -> str:
        """Return the mark of the next item: "3.", "c.", or a hyphen."""
        if self.number is None:
            return "-"
        number = _number(node, "value", self.number)
        self.number = number + self.step
        return f"- {write_number(number, self.digits)}." if self.digits and number > 0 else f"{number}."


@dataclass(slots=True)
class _Table:
    """A table that is being read, and the table elements that are open inside the page."""

    caption: list[str] = field(default_factory=list)
    rows: list[list[SpanningCell]] = field(default_factory=list)
    size: tuple[int, int] = (1, 1)


@dataclass(slots=True)
class _Page:
    """The page written so far. `gap` is how many line ends the next line wants before it."""

    pieces: list[str] = field(default_factory=list)
    line: MarkupLine = field(default_factory=MarkupLine)
    marks: list[_Mark] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    table: _Table | None = None
    fence: str | None = None
    gap: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)

    def leave_out(self, reason: str, node: Any) -> None:
        """Count the words of an element that the text does without."""
        text = _text_of(node)
        if words := len(text.split()):
            self.lost[reason] += words
            self.left_out.append(text)

    def say(self, text: str) -> None:
        self.line.say(text)

    def begin(self, tag: str, node: Any) -> None:
        self._begin_element(tag, node)
        if tag == "math":
            self.left_out.append(node.text(separator=" "))
        self.line.begin(tag, node)

    def _begin_element(self, tag: str, node: Any) -> None:
        if self.table is not None:
            self._begin_in_table(self.table, tag, node)
        if tag in EMBEDDED:
            self.lost[f"embedded <{tag}>"] += 1
            self.left_out.append(node.text(separator=" "))
        elif tag == "img":
            self._picture(node.attributes.get("alt"))
        elif self.table is not None or self.fence is not None:
            if tag in _LINES:
                self.say("\n")
            elif tag in _PARAGRAPHS and self.fence is None:
                self.say(" ")
        else:
            self._begin_block(tag, node)

    def _begin_block(self, tag: str, node: Any) -> None:
        self._break(tag)
        if tag == "table":
            self.table = _Table()
        elif tag == "pre":
            self.fence = _language(node)
        elif tag in _LISTS:
            self.lists.append(_list_of(node) if tag == "ol" else _List())
        elif mark := self._mark(tag, node):
            self.marks.append(_Mark(tag, *mark))

    def _mark(self, tag: str, node: Any) -> tuple[str, str] | None:
        if tag == "li":
            mark = (self.lists[-1] if self.lists else _List()).take(node)
            return f"{mark} ", " " * (2 if mark.startswith("- ") else len(mark) + 1)
        if tag in _HEADINGS:
            return _HEADINGS[tag], ""
        return {"blockquote": ("> ", "> "), "dd": (": ", "  ")}.get(tag)

    def end(self, tag: str, node: Any) -> None:
        self.line.end(tag, node)
        if self.table is not None:
            self._end_in_table(self.table, tag)
        elif self.fence is not None:
            if tag == "pre":
                self._end_fence(self.fence)
        else:
            self._break(tag)
            if tag in _LISTS and self.lists:
                self.lists.pop()
            if self.marks and self.marks[-1].tag == tag:
                self.marks.pop()
            if tag in {"li", "dd"} or (tag in _LISTS and self.lists):
                self.gap = 1

    def _break(self, tag: str) -> None:
        """End the line where an element does. The first block of an item or heading stays on the line of its mark."""
        if tag not in _PARAGRAPHS and tag not in _LINES:
            return
        wanted = 2 if tag in _PARAGRAPHS else 1
        self.flush()
        if tag in _LISTS and any(mark.tag == "li" for mark in self.marks):
            self.gap = 1
        elif self.marks and not self.marks[-1].used:
            self.gap = max(self.gap, 1)
        else:
            self.gap = max(self.gap, wanted)

    def flush(self) -> None:
        """End the current line, if it says anything."""
        if text := self._take_line():
            self._write(paragraph(text))

    def _write(self, text: str) -> None:
        shown = self.marks[-_DEEPEST:]
        prefix = "".join(mark.rest if mark.used else mark.first for mark in shown)
        for mark in shown:
            mark.used = True
        self.pieces.extend(("\n" * self.gap if self.pieces else "", prefix if text else prefix.rstrip(), text))
        self.gap = 1

    def _end_fence(self, language: str) -> None:
        lines = self.line.take().replace("\u00a0", " ").strip("\n").rstrip().split("\n")
        self.fence = None
        if any(lines):
            marks = fence_marks("\n".join(lines))
            for line in [marks + language, *(line.rstrip() for line in lines), marks]:
                self._write(line)
        self.gap = 2

    def _picture(self, description: str | None) -> None:
        """Write the description of a picture. An empty one means that it is decoration."""
        if description is None:
            self.lost["pictures without a description"] += 1
        elif self.fence is None:
            self.say(f" {description} ")

    def _begin_in_table(self, table: _Table, tag: str, node: Any) -> None:
        if tag in _HEADINGS or tag in {"table", "pre"}:
            self.lost["tables around headings, code or tables, read as plain text"] += 1
            self._dissolve(table)
        elif tag in {"tr", "td", "th"}:
            table.caption.append(self._take_line())
            if tag == "tr" or not table.rows:
                table.rows.append([])
            table.size = (_size(node, "colspan"), _size(node, "rowspan"))

    def _end_in_table(self, table: _Table, tag: str) -> None:
        if tag == "table":
            table.caption.append(self._take_line())
            self._end_table(table)
        elif tag in {"td", "th"} and table.rows:
            table.rows[-1].append(SpanningCell(self._take_line(), *table.size))
        elif tag in _LINES or tag in _PARAGRAPHS:
            self.say("\n")

    def _end_table(self, grid: _Table) -> None:
        rows = [row for row in grid.rows if any(cell.text for cell in row)]
        longest = max((len(cell.text) for row in rows for cell in row), default=0)
        if len(rows) < 2 or max(map(len, rows)) < 2 or longest > _LONGEST_CELL:  # noqa: PLR2004 - a grid has two of both
            grid.rows = rows
            self._dissolve(grid)
            self.gap = 2
            return
        if any(cell.columns > 1 or cell.rows > 1 for row in rows for cell in row):
            self.lost["tables with merged cells, which were set apart"] += 1
        self.table = None
        self._write_paragraphs(grid.caption)
        for line in table(lay_out_cells(rows)).splitlines():
            self._write(line)
        self.gap = 2

    def _dissolve(self, table: _Table) -> None:
        """Give a table up: the texts of its cells become paragraphs."""
        begun = self._take_line()
        self.table = None
        self._write_paragraphs([*table.caption, *(cell.text for row in table.rows for cell in row), begun])

    def _write_paragraphs(self, texts: Iterable[str]) -> None:
        for text in texts:
            if text:
                self.gap = max(self.gap, 2)
                self._write(paragraph(text))
                self.gap = 2

    def _take_line(self) -> str:
        """Return the text since the last line or cell ended, in one line."""
        return join_lines(self.line.take()) if self.line.runs else ""


def _list_of(node: Any) -> _List:
    """Return a list that is numbered; one that counts down begins with the number of its items."""
    down = "reversed" in node.attributes
    first = sum(child.tag == "li" for child in node.iter()) if down else 1
    digits = _NUMBERS.get((node.attributes.get("type") or "").strip(), "")
    return _List(_number(node, "start", first), -1 if down else 1, digits)


def _number(node: Any, name: str, default: int) -> int:
    value = (node.attributes.get(name) or "").strip()
    return int(value) if re.fullmatch(r"-?[0-9]{1,9}", value) else default


def _size(node: Any, name: str) -> int:
    return max(1, min(_number(node, name, 1), _WIDEST))


def _language(node: Any) -> str:
    """Return the language that a block of code names as highlighters do, by a class "language-..."."""
    code = next((child for child in node.iter() if child.tag == "code"), None)
    classes = " ".join((each.attributes.get("class") or "") for each in (node, code) if each is not None)
    language = re.search(r"(?:^|\s)lang(?:uage)?-([\w+#-]{1,20})", classes)
    return language[1] if language else ""
