"""Words, cells and source are put together into Markdown that means just that: no text is taken for structure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from weighbridge.types import Part

_BAR = r"\|"
_MISREAD = re.compile(r"^(?=#{1,6}(?:\s|$)|```|~~~|=+\s*$|-+\s*$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AssembledText:
    """A text, and the parts that it was put together from."""

    text: str
    parts: tuple[Part, ...]


def assemble(blocks: Iterable[tuple[str, str]]) -> AssembledText:
    """Join (part's name, text) pairs by blank lines; a text without a name is in no part, blank ones are dropped."""
    said: list[str] = []
    parts: list[Part] = []
    length = 0
    for name, text in blocks:
        if not text.strip():
            continue
        start = length + 2 if said else 0
        length = start + len(text)
        said.append(text)
        if name:
            parts.append(Part(name, start, length))
    return AssembledText("\n\n".join(said), tuple(parts))


def one_line(text: str) -> str:
    """Return a text without line ends or runs of blanks."""
    return " ".join(text.split())


def paragraph(text: str) -> str:
    """Return a paragraph, its lines kept; a line that Markdown would take for a heading or a fence gets a backslash."""
    lines = (one_line(line) for line in text.splitlines())
    return _MISREAD.sub(r"\\", "\n".join(line for line in lines if line))


def heading(text: str, level: int) -> str:
    """Return a heading of level 1 to 6; deeper levels become 6. Empty where the text is."""
    said = one_line(text)
    return f"{'#' * min(max(level, 1), 6)} {said}" if said else ""


def deeper(levels: list[int], level: int) -> int:
    """Return how deep in its list an item of a level stands, 0 for the outermost, and note it in `levels`.

    `levels` are those of the items that it stands under, empty where a list begins. Levels that a document leaves out
    are not depths: Markdown would take an item that is too far in for code.
    """
    while levels and levels[-1] >= level:
        levels.pop()
    levels.append(level)
    return len(levels) - 1


def row(cells: Iterable[str]) -> str:
    """Return one line of a table, with the bars that cells hold escaped."""
    return f"| {' | '.join([one_line(cell).replace('|', _BAR) for cell in cells])} |"


def ruler(columns: int) -> str:
    """Return the line between a table's header and its rows."""
    return f"|{' --- |' * columns}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first row is its header, as wide as the widest; other rows end with their last text.

    Rows are not filled up, which Markdown does not ask for: a million short ones under a wide header would take
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


def fence(text: str, language: str = "") -> str:
    """Return a text in a fence that is longer than any run of backticks in it. It begins one line below the fence."""
    end = "" if text.endswith("\n") or not text else "\n"
    fence = fence_of(text)
    return f"{fence}{language}\n{text}{end}{fence}"


def fence_of(text: str) -> str:
    """Return the fence that `fence` puts around a text."""
    return "`" * (max((len(run) for run in re.findall(r"`{3,}", text)), default=2) + 1)
