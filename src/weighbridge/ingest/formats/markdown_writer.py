"""Writes words, cells and source as Markdown, so that no text is taken for structure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from weighbridge.types import Part

_BAR = r"\|"
_REPEATED = 100
"""A cell that spans rows is repeated in each of them up to so many characters: a label, and no paragraph."""
_MISREAD = re.compile(r"^(?=#{1,6}(?:\s|$)|```|~~~|=+\s*$|-+\s*$)", re.MULTILINE)


@dataclass(slots=True)
class Assembly:
    """A text that grows block by block, with a blank line between two, and the parts that the blocks are."""

    blocks: list[str] = field(default_factory=list)
    length: int = 0
    _parts: list[Part] = field(default_factory=list)

    def add(self, name: str, text: str) -> None:
        """Add a block. One without a name is in no part; a blank one is dropped."""
        if text.strip():
            start = self.length + 2 if self.blocks else 0
            self.length = start + len(text)
            self.blocks.append(text)
            if name:
                self._parts.append(Part(name, start, self.length))

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n\n".join(self.blocks)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts in the order of the text."""
        return tuple(self._parts)


def assemble(blocks: Iterable[tuple[str, str]]) -> Assembly:
    """Put a text together from (name of the part, text) pairs."""
    assembly = Assembly()
    for name, text in blocks:
        assembly.add(name, text)
    return assembly


def join_lines(text: str) -> str:
    """Return a text without line ends or runs of blanks."""
    return " ".join(text.split())


def paragraph(text: str) -> str:
    """Return a paragraph, its lines kept; a line that Markdown would take for a heading or a fence gets a backslash."""
    lines = (join_lines(line) for line in text.splitlines())
    return _MISREAD.sub(r"\\", "\n".join(line for line in lines if line))


def heading(text: str, level: int) -> str:
    """Return a heading of level 1 to 6; deeper levels become 6. Empty where the text is."""
    line = join_lines(text)
    return f"{'#' * min(max(level, 1), 6)} {line}" if line else ""


def comment(text: str, author: str = "", place: str = "") -> str:
    """Return somebody's comment as a paragraph. Empty where the text is."""
    on, by = f" on {place}" if place else "", f" ({author})" if author else ""
    return paragraph(f"Comment{on}{by}: {text}") if text else ""


def deepen(levels: list[int], level: int) -> int:
    """Return how deep in its list an item of a level stands, 0 for the outermost, and note it in `levels`.

    `levels` are those of the items that it stands under, empty where a list begins. Levels that a document leaves out
    are not depths: Markdown would take an item that is too far in for code.
    """
    while levels and levels[-1] >= level:
        levels.pop()
    levels.append(level)
    return len(levels) - 1


def list_item(label: str, text: str, depth: int, *, indent: int = 4) -> str:
    """Return an item of a list. A label such as "3." or "3)" is the mark; any other follows a hyphen.

    `indent` is how many blanks a level of items with a hyphen takes; numbered items always need four.
    """
    if re.fullmatch(r"\d{1,9}[.)]", label):
        return f"{'    ' * depth}{label} {join_lines(text)}"
    return f"{' ' * indent * depth}- {join_lines(f'{label} {text}')}"


def row(cells: Iterable[str]) -> str:
    """Return one line of a table, with the bars that cells hold escaped."""
    return f"| {' | '.join([join_lines(cell).replace('|', _BAR) for cell in cells])} |"


def ruler(columns: int) -> str:
    """Return the line between a table's header and its rows."""
    return f"|{' --- |' * columns}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table with the first row as its header, as wide as the widest; other rows end with their last text.

    Rows are not filled up, and Markdown does not need it: a million short ones under a wide header would take
    gigabytes. Empty where no cell has text.
    """
    if not any(cell.strip() for cells in rows for cell in cells):
        return ""
    width = max(map(len, rows))
    header = [*rows[0], *[""] * (width - len(rows[0]))]
    return "\n".join([row(header), ruler(width), *(row(trim_cells(cells)) for cells in rows[1:])])


def trim_cells(cells: Sequence[str]) -> Sequence[str]:
    """Return the cells up to the last that has text."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


@dataclass(frozen=True, slots=True)
class SpanningCell:
    """A cell of a table that may reach over several columns and rows."""

    text: str
    columns: int = 1
    rows: int = 1


def lay_out_cells(rows: Sequence[Sequence[SpanningCell]]) -> list[list[str]]:
    """Return a text for every place of a grid, as HTML fills it.

    A cell over several columns is followed by empty places. One over several rows stands in each of them where it
    is short, and else in the first alone.
    """
    reaching: dict[int, tuple[int, str]] = {}
    grid: list[list[str]] = []
    for number, cells in enumerate(rows):
        line: list[str] = []
        for cell in cells:
            _fill_from_above(line, reaching, number)
            if cell.rows > 1:
                repeated = cell.text if len(cell.text) <= _REPEATED else ""
                for place in range(cell.columns):
                    reaching[len(line) + place] = (number + cell.rows, "" if place else repeated)
            line.extend([cell.text, *[""] * (cell.columns - 1)])
        _fill_from_above(line, reaching, number)
        grid.append(line)
    return grid


def _fill_from_above(line: list[str], reaching: dict[int, tuple[int, str]], number: int) -> None:
    """Write the cells that reach down from above into the places before the next free one."""
    while (above := reaching.get(len(line))) is not None and above[0] > number:
        line.append(above[1])


def fence(text: str, language: str = "") -> str:
    """Return a text in a fence that is longer than any run of backticks in it. It begins one line below the fence."""
    end = "" if text.endswith("\n") or not text else "\n"
    marks = fence_marks(text)
    return f"{marks}{language}\n{text}{end}{marks}"


def fence_marks(text: str) -> str:
    """Return the backticks that `fence` puts around a text."""
    return "`" * (max((len(run) for run in re.findall(r"`{3,}", text)), default=2) + 1)
