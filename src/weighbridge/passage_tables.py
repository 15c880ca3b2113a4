"""Tables in the Markdown of passages: their rows and cells, and the header that a cut table is shown under.

Every reader writes tables as GitHub Flavored Markdown does: a header row, a line of dashes, and a line for each row.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from weighbridge.types import Chunk

CELL_BORDER = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*(?::?-+:?[ \t]*)?)*")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_EMPTY_CELLS = re.compile(r"(?<!\\)\|(?:[ \t]*\|)+")
_AMOUNT = re.compile(
    r"(?=.*[$\u20ac\u00a3\u00a5%().,\u2013\u2014-])[($\u20ac\u00a3\u00a5\s\u2013\u2014-]*[\d.,]*[\s%)$]*"
)
"""A sum, a share, a dash or a currency alone, as in rows. A bare whole number may be the name of a column."""
_LONGEST_HEADER = 300
"""Most characters of a header row; the names in a longer one are cut. As long as a chunk is by default."""
_SHORTEST_NAME = 8


@dataclass(frozen=True, slots=True)
class Grid:
    """A table or a stretch of one: its header, and its rows of as many cells; columns without any text are left out."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def split_row(line: str) -> tuple[str, ...]:
    """Return the cells of a row, the borders at its ends left out."""
    cells = [" ".join(cell.split()).replace(r"\|", "|") for cell in CELL_BORDER.split(line.strip())]
    if len(cells) > 1 and not cells[0]:
        del cells[0]
    if len(cells) > 1 and not cells[-1]:
        del cells[-1]
    return tuple(cells)


def join_row(cells: Iterable[str]) -> str:
    """Write a row of cells; it begins and ends with a border."""
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def header_row(cells: Sequence[str]) -> str:
    """Write a header row, its names cut where they are long together, so that no passage is mostly header."""
    if sum(map(len, cells)) > _LONGEST_HEADER:
        most = max(_LONGEST_HEADER // len(cells), _SHORTEST_NAME)
        cells = [cell if len(cell) <= most else f"{cell[: most - 1]}\N{HORIZONTAL ELLIPSIS}" for cell in cells]
    return join_row(cells)


def names_columns(cells: Sequence[str]) -> bool:
    """Tell whether a first row names columns: in print a table may begin with a row of sums instead."""
    others = [cell for cell in cells[1:] if cell]
    return not others or 2 * sum(_AMOUNT.fullmatch(cell) is not None for cell in others) <= len(others)


def is_rule(line: str) -> bool:
    """Tell whether a line is the dashes between a header and its rows."""
    return "|" in line and _RULE.fullmatch(line) is not None


def continued_header(chunk: Chunk) -> str:
    """Return the header row of the table that a chunk goes on with; empty where it does not begin inside a table."""
    last = chunk.context[-1] if chunk.context else ""
    return last if last.startswith("|") else ""


def blocks_of(text: str, header: str = "") -> Iterator[str | Grid]:
    """Yield the tables of a text and the text between them; with a header, the text begins with rows under it."""
    lines = text.split("\n")
    at, fenced, between = 0, False, list[str]()
    while at < len(lines):
        if header or (not fenced and _begins_table(lines, at)):
            if paragraphs := "\n".join(between).strip("\n"):
                yield paragraphs
            between = []
            first = at if header else at + 1
            at = first + bool(header)  # a part of a cell has no border
            while at < len(lines) and "|" in lines[at]:
                at += 1
            rows = (line for line in lines[first:at] if not is_rule(line))
            yield _grid(split_row(header or lines[first - 1]), [split_row(row) for row in rows])
            header = ""
            continue
        fenced ^= _FENCE.match(lines[at]) is not None
        between.append(lines[at])
        at += 1
    if paragraphs := "\n".join(between).strip("\n"):
        yield paragraphs


def passage_blocks(chunk: Chunk) -> Iterator[str | Grid]:
    """Yield the tables of a chunk, each under its header, and the text between them."""
    return blocks_of(chunk.text, continued_header(chunk))


def header_at(chunk: Chunk, place: int) -> str:
    """Return the header row of the table around a line of a chunk; empty where it is in no table.

    `place` is where the line begins.
    """
    header, lines = continued_header(chunk), chunk.text[:place].split("\n")[:-1]
    for at, line in enumerate(lines):
        if _begins_table(lines, at):
            header = line
        elif at and "|" not in line:
            header = ""
    return header if "|" in chunk.text[place:].partition("\n")[0] or place == 0 else ""


def row_at(chunk: Chunk, place: int) -> Grid | None:
    """Return the row of a table that a place in a chunk's text is in, under its header; None where it is in none."""
    line = chunk.text[chunk.text.rfind("\n", 0, place) + 1 :].partition("\n")[0]
    cells = [cell for cell in split_row(line) if cell]
    for block in passage_blocks(chunk):
        if isinstance(block, Grid):
            rows = (row for row in block.rows if cells and [cell for cell in row if cell] == cells)
            if (row := next(rows, None)) is not None:
                return Grid(block.header, (row,))
    return None


def passage_text(chunk: Chunk) -> str:
    """Return a chunk for a model to read: text on one line, each table under its header with a line for each row."""
    lines: list[str] = []
    for block in passage_blocks(chunk):
        if isinstance(block, Grid):
            lines += map(join_row, (block.header, *block.rows) if any(block.header) else block.rows)
        elif words := " ".join(block.split()):
            lines.append(words)
    return "\n".join(lines)


def without_scaffold(text: str) -> str:
    """Return a text without the drawing of its tables: lines of dashes, and empty cells."""
    if "|" not in text:
        return text
    return _EMPTY_CELLS.sub("|", "\n".join(line for line in text.split("\n") if not is_rule(line)))


def _begins_table(lines: Sequence[str], at: int) -> bool:
    return "|" in lines[at] and at + 1 < len(lines) and is_rule(lines[at + 1])


def _grid(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Grid:
    if not names_columns(header):
        rows, header = (header, *rows), ("",)
    width = max(map(len, (header, *rows)))
    padded = [(*cells, *[""] * (width - len(cells))) for cells in (header, *rows)]
    used = [place for place in range(width) if any(cells[place] for cells in padded)]
    first, *others = [tuple(cells[place] for place in used) for cells in padded]
    return Grid(first, tuple(others))
