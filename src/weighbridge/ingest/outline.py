"""The headings, tables and fenced code of a Markdown text, each with its place.

One pass over the lines that matter, linear in the text whatever it holds. It follows CommonMark 0.31 with the tables of
GitHub Flavored Markdown, and leaves out the parts that a cut does not need: headings in quotes and lists, empty
headings, and underlined headings of more than one line or with fewer than three marks.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

_ABBREVIATED = (
    r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\b[A-Z]\.)(?<!\b[DMS][rst]\.)(?<!\bMrs\.)(?<!\b[Ff]ig\.)(?<!\bvs\.)(?<!\bcf\.)"
)
SENTENCE_ENDS = re.compile(rf"(?<=[.!?]){_ABBREVIATED}[\"'\u201d\u2019)\]]*+(?=\s)|(?<=[\u3002\uff01\uff1f])")
"""Matches at the end of a sentence, behind its closing quotes; not behind initials and some English abbreviations."""

# Characters: every chunk below a heading repeats it.
_LONGEST_TITLE = 200
_LONGEST_HEADER = 20_000
"""Characters of a header row. A header that is cut no longer names the columns behind the cut."""
_LINES = re.compile(
    r"""^(?:
        [ ]{0,3}(?:
            (?P<marks>\#{1,6})(?:[ \t][^\n]*+)?+$
            | (?P<fence>`{3,}+|~{3,}+)(?P<info>[^\n]*+)
            | (?P<line>={3,}+|-{3,}+)[ \t]*+$
        )
        | (?P<rule>[ \t]*+(?:\|[ \t]*+)?+:?-++:?[ \t]*+(?:\|[ \t]*+(?::?-++:?[ \t]*+)?+)++)$
    )""",
    re.MULTILINE | re.VERBOSE,
)
_ROWS = re.compile(r"(?:\n(?! {0,3}(?:#{1,6}[ \t]|```|~~~))[^\n|]*+\|[^\n]*+)*+")
_NO_PARAGRAPH = re.compile(r" {4}|\t|\s*(?:[>|]|[-*+][ \t]|\d{1,9}[.)][ \t])")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6. It ends with its last line, the underlining included; long titles are cut."""

    level: int
    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its header row, as one line. Its rows begin at `body`, where there are any."""

    header: str
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Fence:
    """Fenced code, fences included; the code begins at `body`. One that is not closed goes on to the text's end."""

    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class DocumentOutline:
    """The blocks that `find_outline` finds, each kind in the order of the text and without overlap."""

    headings: Sequence[Heading]
    parents: Sequence[int]
    """For each heading the place in `headings` of the one it stands under, or -1."""
    tables: Sequence[Table]
    fences: Sequence[Fence]

    def blocks(self) -> Sequence[Heading | Table | Fence]:
        """Return headings, tables and fenced code together."""
        return (*self.headings, *self.tables, *self.fences)

    def above(self, place: int) -> tuple[str, ...]:
        """Return the titles that a place stands under, outermost first; a heading does not stand under itself."""
        at = bisect_left(self.headings, place, key=_start_of)
        begins_one = at < len(self.headings) and self.headings[at].start == place
        at = self.parents[at] if begins_one else at - 1
        titles = []
        while at >= 0:
            titles.append(self.headings[at].title)
            at = self.parents[at]
        return tuple(reversed(titles))

    def block(self, place: int) -> Table | Fence | None:
        """Return the table or fenced code that a place is inside of: after its start and before its end."""
        found: Table | Fence
        for blocks in (self.tables, self.fences):
            at = bisect_left(blocks, place, key=_start_of) - 1
            if at >= 0 and place < (found := blocks[at]).end:
                return found
        return None

    def hangs(self, place: int) -> bool:
        """Tell whether a chunk that ends here would end with a heading, a table's header or an opening fence."""
        at = bisect_left(self.headings, place, key=_start_of) - 1
        if at >= 0 and place <= self.headings[at].end:
            return True
        block = self.block(place)
        return block is not None and place <= block.body


def find_outline(text: str) -> DocumentOutline:
    """Find the headings, tables and fenced code of a text."""
    found: list[Heading | Table | Fence] = []
    opened: re.Match[str] | None = None
    for line in _LINES.finditer(text):
        if opened is not None:
            if _closes(line, opened):
                found.append(_fence(text, opened, line.end()))
                opened = None
        elif line["fence"]:
            opened = line if line["fence"][0] == "~" or "`" not in line["info"] else None
        elif block := _block(text, line, found[-1].end if found else 0):
            found.append(block)
    if opened is not None:
        found.append(_fence(text, opened, len(text)))
    headings = [block for block in found if isinstance(block, Heading)]
    tables = [block for block in found if isinstance(block, Table)]
    return DocumentOutline(headings, _parents(headings), tables, [block for block in found if isinstance(block, Fence)])


def _block(text: str, line: re.Match[str], reached: int) -> Heading | Table | None:
    if line.start() < reached:
        return None
    return _table(text, line, reached) if line["rule"] else _heading(text, line, reached)


def _start_of(found: Heading | Table | Fence) -> int:
    return found.start


def _closes(line: re.Match[str], opened: re.Match[str]) -> bool:
    return bool(line["fence"]) and line["fence"].startswith(opened["fence"]) and not line["info"].strip()


def _fence(text: str, opened: re.Match[str], end: int) -> Fence:
    return Fence(opened.start("fence"), min(opened.end() + 1, len(text)), end)


def _table(text: str, rule: re.Match[str], reached: int) -> Table | None:
    """Return the table with its header above the line of dashes; None where no header stands there."""
    start = _line_before(text, rule.start())
    header = text[start : rule.start()].strip()
    if start < reached or "|" not in header:
        return None
    rows = _ROWS.match(text, rule.end())
    end = rows.end() if rows else rule.end()
    return Table(_shorten(header, _LONGEST_HEADER), _skip_space(text, start), min(rule.end() + 1, len(text)), end)


def _heading(text: str, line: re.Match[str], reached: int) -> Heading | None:
    """Return the heading that a line of marks is, or that a line of dashes makes of the line above; maybe none."""
    if line["marks"]:
        title = re.sub(r"(?:^|(?<=[ \t]))#+$", "", line.group().strip()[len(line["marks"]) :].strip()).strip()
        return Heading(len(line["marks"]), _shorten(title), line.start("marks"), line.end()) if title else None
    start = _line_before(text, line.start())
    above = text[start : line.start()]
    if not above.strip() or start < reached or _NO_PARAGRAPH.match(above):
        return None
    if start not in {0, reached + 1 if reached else 0} and text[_line_before(text, start) : start].strip():
        return None
    return Heading(1 if line["line"][0] == "=" else 2, _shorten(above.strip()), _skip_space(text, start), line.end())


def _line_before(text: str, start: int) -> int:
    """Return where the line before the one that begins at `start` begins."""
    return text.rfind("\n", 0, max(start - 1, 0)) + 1


def _skip_space(text: str, start: int) -> int:
    return start + len(text[start : start + 4]) - len(text[start : start + 4].lstrip())


def _shorten(title: str, longest: int = _LONGEST_TITLE) -> str:
    return title if len(title) <= longest else title[:longest].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _parents(headings: Sequence[Heading]) -> Sequence[int]:
    parents, open_ones = [], list[int]()
    for at, heading in enumerate(headings):
        while open_ones and headings[open_ones[-1]].level >= heading.level:
            open_ones.pop()
        parents.append(open_ones[-1] if open_ones else -1)
        open_ones.append(at)
    return parents
