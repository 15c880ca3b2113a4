"""Where things stand on a page, and in which order they are read.

Coordinates are points from the lower left corner of the page, before it is turned for showing. A page is given as its
letters, in the order they are written in the file, and as runs of them: stretches of one line without a wide gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

_RUNS = 5_000
"""A page with more is taken in the order in which it is written."""
_FEWEST = 3
"""Rows that must agree before they are taken for columns or for a table."""
_SENTENCES = 18
"""Characters; columns of text have longer lines on average, cells of a table seldom."""
_SPLITS = 6


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class Run:
    """Letters [start, end) of a page, side by side, and the right edge of their first word."""

    start: int
    end: int
    box: Box
    first_word: float


@dataclass(frozen=True, slots=True)
class Line:
    """What is read as one line, and how high its letters are."""

    runs: tuple[Run, ...]
    box: Box
    height: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of a table; a cell is None where it is empty."""

    rows: tuple[tuple[Run | None, ...], ...]


Row = Sequence[Run]
"""Runs on one height, from left to right."""


def around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds all of at least one."""
    if len(boxes) == 1:
        return boxes[0]
    return Box(
        min(box.left for box in boxes),
        min(box.bottom for box in boxes),
        max(box.right for box in boxes),
        max(box.top for box in boxes),
    )


def line_of(row: Row) -> Line:
    """Return a row as one line, as high as its longest run."""
    longest = max(row, key=lambda run: run.end - run.start)
    return Line(tuple(row), around([run.box for run in row]), longest.box.height)


def beside(one: Box, other: Box) -> bool:
    """Tell whether two boxes stand on one height: they share more than half of the lower one's."""
    shared = min(one.top, other.top) - max(one.bottom, other.bottom)
    return shared > 0.5 * min(one.height, other.height)


def arranged(rows: Sequence[Row], splits: int = _SPLITS) -> Iterator[Line | Grid]:
    """Yield what a page says in reading order: columns one after the other, tables as grids.

    Only what is certain is rearranged: at least three rows that leave the same gap, with sentences on both of its
    sides (columns) or with short cells that all stand under each other (a table).
    """
    place = 0
    bearable = sum(map(len, rows)) <= _RUNS
    while place < len(rows):
        end = place + 1
        if len(rows[place]) > 1 and bearable:
            if splits and (columns := _columns(rows, place)) is not None:
                yield from arranged(columns.left, splits - 1)
                yield from arranged(columns.right, splits - 1)
                place = columns.end
                continue
            end = _last_of_grid(rows, place)
            if (grid := _grid(rows[place:end])) is not None:
                yield grid
                place = end
                continue
        yield from map(line_of, rows[place:end])
        place = end


@dataclass(frozen=True, slots=True)
class _Columns:
    left: Sequence[Row]
    right: Sequence[Row]
    end: int


def _columns(rows: Sequence[Row], start: int) -> _Columns | None:
    """Return the two sides of the first gap of a row that goes on below it between sentences."""
    for before, after in pairwise(rows[start]):
        found = _sides(rows, start, before.box.right, after.box.left)
        if _are_sentences(found):
            return found
    return None


def _sides(rows: Sequence[Row], start: int, low: float, high: float) -> _Columns:
    """Follow the gap between `low` and `high` downwards, as far as nothing crosses it and no row lies far below."""
    left: list[Row] = []
    right: list[Row] = []
    place = start
    while place < len(rows) and (place == start or not _apart(rows[place - 1], rows[place])):
        here = [run for run in rows[place] if run.box.right <= high]
        there = [run for run in rows[place] if run.box.left >= low and run.box.right > high]
        new_low = max([low, *(run.box.right for run in here)])
        new_high = min([high, *(run.box.left for run in there)])
        if len(here) + len(there) < len(rows[place]) or new_high - new_low < 0.5 * rows[place][0].box.height:
            break
        low, high = new_low, new_high
        left.extend([here] if here else [])
        right.extend([there] if there else [])
        place += 1
    return _Columns(left, right, place)


def _apart(above: Row, below: Row) -> bool:
    return above[0].box.bottom - below[0].box.top > 2 * max(above[0].box.height, below[0].box.height)


def _are_sentences(columns: _Columns) -> bool:
    sides = (columns.left, columns.right)
    if min(map(len, sides)) < _FEWEST:
        return False
    return all(fmean(sum(run.end - run.start for run in row) / len(row) for row in side) > _SENTENCES for side in sides)


def _last_of_grid(rows: Sequence[Row], start: int) -> int:
    end = start + 1
    while end < len(rows) and len(rows[end]) > 1 and not _apart(rows[end - 1], rows[end]):
        end += 1
    return end


def _grid(rows: Sequence[Row]) -> Grid | None:
    """Return a table, where every run of the rows stands in one column with none beside it, and few are empty."""
    width = max(map(len, rows))
    columns: list[tuple[float, float]] = []
    for run in sorted((run for row in rows for run in row), key=lambda run: run.box.left):
        if columns and run.box.left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], run.box.right))
        else:
            columns.append((run.box.left, run.box.right))
    if len(rows) < _FEWEST or len(columns) != width:
        return None
    return Grid(tuple(tuple(_in_column(row, column) for column in columns) for row in rows))


def _in_column(row: Row, column: tuple[float, float]) -> Run | None:
    return next((run for run in row if column[0] <= run.box.left < column[1]), None)
