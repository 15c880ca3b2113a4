"""Cells that span columns and rows are set out on a plain grid."""

from collections.abc import Sequence
from dataclasses import dataclass

from weighbridge.ingest.formats.markdown_writer import table

_REPEATED = 100
"""Characters up to which the text of a cell that spans rows is repeated in each of them."""


@dataclass(frozen=True, slots=True)
class SpanningCell:
    """What a cell says, and over how many columns and rows it reaches."""

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
    for number, row in enumerate(rows):
        line: list[str] = []
        for cell in row:
            _fill(line, reaching, number)
            if cell.rows > 1:
                repeated = cell.text if len(cell.text) <= _REPEATED else ""
                for place in range(cell.columns):
                    reaching[len(line) + place] = (number + cell.rows, "" if place else repeated)
            line.extend([cell.text, *[""] * (cell.columns - 1)])
        _fill(line, reaching, number)
        grid.append(line)
    return grid


def _fill(line: list[str], reaching: dict[int, tuple[int, str]], number: int) -> None:
    """Write what reaches down from above into the places before the next free one."""
    while (above := reaching.get(len(line))) is not None and above[0] > number:
        line.append(above[1])


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table, its first row as the header; none where no cell has text."""
    return table(rows).splitlines()
