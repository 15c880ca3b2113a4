"""The layout of a page: boxes, columns, tables, and the reading order.

Coordinates are points from the lower left corner of the page, before it is turned for showing. A page is given as its
letters, in the order they are written in the file, and as runs of them: stretches of one line without a wide gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

_RUNS = 5_000
"""A page with more is taken in the order of the file."""
_FEWEST = 3
"""Rows that must agree before they are taken for columns or for a table."""
_SENTENCES = 18
"""Characters; columns of text have longer lines on average, cells of a table seldom."""
_SPLITS = 6
"""Columns within columns that are looked for."""
_LABELS = 3
"""Lines within the first column that may follow each other in a table."""
_CUTS = 6
"""Rows that may stand at either end of a block of rows without being of its table."""


@dataclass(frozen=True, slots=True)
class PageBox:
    """A rectangle on a page, in points."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class LetterRun:
    """Letters [start, end) of a page, side by side, and the right edge of their first word."""

    start: int
    end: int
    box: PageBox
    first_word: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """Runs that are read as one line, and the height of its letters."""

    runs: tuple[LetterRun, ...]
    box: PageBox
    height: float


@dataclass(frozen=True, slots=True)
class PageTable:
    """Rows of a table; a cell holds the runs that stand in it, and none where it is empty."""

    rows: tuple[tuple[tuple[LetterRun, ...], ...], ...]


Row = Sequence[LetterRun]
"""Runs on one height, from left to right."""


def enclosing_box(boxes: Sequence[PageBox]) -> PageBox:
    """Return the smallest box that holds all of at least one."""
    if len(boxes) == 1:
        return boxes[0]
    return PageBox(
        min(box.left for box in boxes),
        min(box.bottom for box in boxes),
        max(box.right for box in boxes),
        max(box.top for box in boxes),
    )


def line_of(row: Row) -> TextLine:
    """Return a row as one line, as high as its longest run."""
    longest = max(row, key=lambda run: run.end - run.start)
    return TextLine(tuple(row), enclosing_box([run.box for run in row]), longest.box.height)


def share_height(one: PageBox, other: PageBox) -> bool:
    """Tell whether two boxes stand on one height: they share more than half of the lower one's."""
    shared = min(one.top, other.top) - max(one.bottom, other.bottom)
    return shared > 0.5 * min(one.height, other.height)


def arrange(rows: Sequence[Row], splits: int = _SPLITS) -> Iterator[TextLine | PageTable]:
    """Yield the lines and tables of a page in reading order, columns one after the other.

    Rows are rearranged only with certainty: at least three rows that leave the same gap, with sentences on both of its
    sides (columns) or with short cells that all stand under each other (a table).
    """
    place = 0
    bearable = sum(map(len, rows)) <= _RUNS
    while place < len(rows):
        end = place + 1
        if len(rows[place]) > 1 and bearable:
            if splits and (columns := _columns(rows, place)) is not None:
                yield from arrange(columns.left, splits - 1)
                yield from arrange(columns.right, splits - 1)
                place = columns.end
                continue
            end = _last_of_grid(rows, place)
            if (found := _first_grid(rows[place:end])) is not None:
                yield from map(line_of, rows[place : place + found.skipped])
                yield found.grid
                place += found.skipped + len(found.grid.rows)
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
        columns = _sides(rows, start, before.box.right, after.box.left)
        sides = (columns.left, columns.right)
        if min(map(len, sides)) >= _FEWEST and min(map(_mean_length, sides)) > _SENTENCES:
            return columns
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


def _mean_length(side: Sequence[Row]) -> float:
    """Return the mean over rows of the mean length of a run, in letters."""
    return fmean(sum(run.end - run.start for run in row) / len(row) for row in side)


def _last_of_grid(rows: Sequence[Row], start: int) -> int:
    """Return the end of rows of several cells. A line within the first column, such as a heading, does not end them."""
    end = start + 1
    while end < len(rows) and not _apart(rows[end - 1], rows[end]):
        if len(rows[end]) == 1 and not _is_label(rows, end):
            break
        end += 1
    while len(rows[end - 1]) == 1:
        end -= 1
    return end


def _is_label(rows: Sequence[Row], place: int) -> bool:
    """Tell whether a line stands above and below rows of cells, left of their second ones."""
    near = [row for row in rows[max(place - _LABELS, 0) : place + _LABELS + 1] if len(row) > 1]
    return bool(near) and rows[place][0].box.right < min(row[1].box.left for row in near)


@dataclass(frozen=True, slots=True)
class _Found:
    skipped: int
    grid: PageTable


def _first_grid(rows: Sequence[Row]) -> _Found | None:
    """Return the largest of the tables that a block of rows begins with, after few that are none of its rows."""
    ends = sorted(
        {len(rows) - cut for cut in range(_CUTS)} | {len(rows) * part // 4 for part in (1, 2, 3)}, reverse=True
    )
    for end in ends:
        for skipped in range(min(_CUTS, end - _FEWEST + 1)):
            if len(rows[skipped]) > 1 and len(rows[end - 1]) > 1 and (grid := _grid(rows[skipped:end])) is not None:
                return _Found(skipped, grid)
    return None


def _grid(rows: Sequence[Row]) -> PageTable | None:
    """Return a table, where its longest rows stand in columns and each run of the others stands in one of them.

    Above the first of the longest rows, a run may stand above several columns: it is in the first of them.
    """
    width = max(map(len, rows))
    columns: list[tuple[float, float]] = []
    for run in sorted((run for row in rows if len(row) == width for run in row), key=lambda run: run.box.left):
        if columns and run.box.left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], run.box.right))
        else:
            columns.append((run.box.left, run.box.right))
    several = sum(len(row) > 1 for row in rows)
    if several < _FEWEST or len(columns) != width:
        return None
    cells: list[tuple[tuple[LetterRun, ...], ...]] = []
    is_head = True
    for row in rows:
        is_head = is_head and len(row) < width
        placed = _in_columns(row, columns, is_head=is_head)
        if placed is None:
            return None
        cells.append(placed)
    return PageTable(tuple(cells))


def _in_columns(
    row: Row, columns: Sequence[tuple[float, float]], *, is_head: bool
) -> tuple[tuple[LetterRun, ...], ...] | None:
    """Return the cells of a row, or None where one stands in several columns or two stand in one."""
    cells: list[tuple[LetterRun, ...]] = [()] * len(columns)
    for run in row:
        over = [place for place, (left, right) in enumerate(columns) if run.box.left < right and left < run.box.right]
        if not over:
            gaps = [max(left - run.box.right, run.box.left - right) for left, right in columns]
            over = [gaps.index(min(gaps))]
        if cells[over[0]] or (len(over) > 1 and not is_head):
            return None
        cells[over[0]] = (run,)
    return tuple(cells)
