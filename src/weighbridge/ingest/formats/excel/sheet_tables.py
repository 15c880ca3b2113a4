"""Parts several tables on one sheet, but only where the cells leave little doubt.

A table cut at the wrong place loses its header or the names of its rows, so a blank row or column alone never cuts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from weighbridge.ingest.formats.markdown_writer import trim_cells

_FIGURE = re.compile(r"\b\d|^(?:TRUE|FALSE|#[A-Z].*)$")
"""A number, a date, a logical value or an error; names like Q1 or CO2 are none."""
_LETTER = re.compile(r"[^\W\d_]")
_TOTAL = re.compile(r"(?:grand |sub-?)?(?:total|sum|summe|gesamt|somme|suma|totaal|итого)", re.IGNORECASE)
"""Begins a row that sums up the columns above it, and often stands without the name of an item."""
_ROWS_COMPARED = 50
"""Rows of each table that are compared: enough to decide, and sheets of a million short tables stay fast."""
_MOST_SIDE_BY_SIDE = 20
"""Blocks beside each other that are compared. A sheet with more has blank columns for its looks."""
_FEWEST_COLUMNS = 2
"""A header of one cell is a title or a note."""
_LONGEST_NAME = 120
"""Characters of a header's cell or of a figure; a longer text is prose."""


@dataclass(slots=True)
class Block:
    """Rows of a sheet, each with its number there; none of them is blank."""

    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def lone_lines(self) -> int:
        """Return how many rows of a single cell stand above the first other one."""
        for place, cells in enumerate(self.rows):
            if _count_filled(cells) > 1:
                return place
        return len(self.rows)


def split_tables(block: Block) -> tuple[list[Block], int]:
    """Return the tables of a sheet in reading order, and how often two may stand side by side that stay one."""
    doubtful = 0
    tables: list[Block] = []
    for lower in _divide_rows(block):
        beside, doubts = _divide_columns(lower)
        doubtful += doubts
        tables += beside if len(beside) == 1 else [part for side in beside for part in _divide_rows(side)]
    return tables, doubtful


def _divide_rows(block: Block) -> Iterator[Block]:
    """Yield the tables that stand one below the other."""
    table, waiting = Block(), Block()
    top = 0
    columns: set[int] = set()
    for segment in _split_at_blank_rows(block):
        lone = segment.lone_lines()
        if lone == len(segment.rows):
            _extend(waiting, segment)  # a note to the table above, or the title of the one below
            continue
        if not columns:
            top = len(waiting.rows) + lone
        elif _begins_table(segment.rows[lone:], table.rows, top, columns):
            yield table
            top = len(waiting.rows) + lone
            table, columns = Block(), set()
        _extend(table, waiting)
        _extend(table, segment)
        columns.update(place for cells in segment.rows[lone:] for place, text in enumerate(cells) if text)
        waiting = Block()
    _extend(table, waiting)
    yield table


def _split_at_blank_rows(block: Block) -> Iterator[Block]:
    """Yield the rows between blank ones."""
    start = 0
    for place in range(1, len(block.rows) + 1):
        if place == len(block.rows) or block.numbers[place] > block.numbers[place - 1] + 1:
            yield Block(block.rows[start:place], block.numbers[start:place])
            start = place


def _extend(block: Block, other: Block) -> None:
    block.rows += other.rows
    block.numbers += other.numbers


def _begins_table(rows: list[list[str]], above: list[list[str]], top: int, columns: set[int]) -> bool:
    """Tell whether rows begin with a header of their own; `top` is the place of the header of the table above.

    A header names all columns of its rows, and no row nearby repeats one of its names. Besides, the table above is
    empty in one of these columns, or one has figures, so that names stand over figures.
    """
    if not _has_header(rows):
        return False
    header, body = rows[0], rows[1 : _ROWS_COMPARED + 1]
    others = above[max(top + 1, len(above) - _ROWS_COMPARED) :]
    names = [place for place, text in enumerate(header) if text]
    if _names(header) == _names(above[top]):
        return True
    if any(header[place] == _cell(cells, place) for place in names for cells in [*others, *body]):
        return False
    if any(place not in columns for place in names):
        return True
    if not others and not any(map(_is_figure, above[top])):
        return False  # a header with a blank row below it: these are its rows
    return any(_are_figures(body, place) or _are_figures(others, place) for place in names)


def _has_header(rows: list[list[str]]) -> bool:
    """Tell whether the first row names the columns of others: with texts that differ, each above some cells."""
    header, body = rows[0], rows[1 : _ROWS_COMPARED + 1]
    names = _names(header)
    if not body or len(names) < _FEWEST_COLUMNS or len(set(names)) < len(names):
        return False
    if any(len(name) > _LONGEST_NAME or _is_figure(name) or not _LETTER.search(name) for name in names):
        return False
    if any(text and not _cell(header, place) for cells in body for place, text in enumerate(cells)):
        return False
    needed = len(body) / 2
    return all(sum(1 for cells in body if _cell(cells, place)) >= needed for place, text in enumerate(header) if text)


def _divide_columns(block: Block) -> tuple[list[Block], int]:
    """Return the tables that stand side by side, and how many stay joined to another for want of a sign."""
    lone = block.lone_lines()
    runs = _runs({place for cells in block.rows[lone:] for place, text in enumerate(cells) if text})
    if not 1 < len(runs) <= _MOST_SIDE_BY_SIDE:
        return [block], 0
    tables: list[Block] = []
    doubtful = 0
    start = runs[0].start
    rest = Block(block.rows[lone:], block.numbers[lone:])
    for run in runs[1:]:
        left, right = _part(rest, range(start, run.start)), _part(rest, run)
        upper_left, upper_right = next(_divide_rows(left)), next(_divide_rows(right))
        if not (_heads(upper_left) and _heads(upper_right)):
            continue
        if _stand_apart(upper_left, upper_right) or _go_on_apart(left, right):
            tables.append(left)
            start = run.start
        elif _are_keys(upper_right):
            doubtful += 1
    if not tables:
        return [block], doubtful
    tables.append(_part(rest, range(start, runs[-1].stop)))
    first = tables[0]
    tables[0] = Block(block.rows[:lone] + first.rows, block.numbers[:lone] + first.numbers)
    return tables, doubtful


def _runs(columns: set[int]) -> list[range]:
    """Return the columns between blank ones."""
    runs: list[range] = []
    for place in sorted(columns):
        if runs and runs[-1].stop == place:
            runs[-1] = range(runs[-1].start, place + 1)
        else:
            runs.append(range(place, place + 1))
    return runs


def _part(block: Block, columns: range) -> Block:
    """Return the cells of some columns, at their places."""
    part = Block()
    before = [""] * columns.start
    for cells, number in zip(block.rows, block.numbers, strict=True):
        held = trim_cells(cells[columns.start : columns.stop])
        if held:
            part.rows.append([*before, *held])
            part.numbers.append(number)
    return part


def _heads(block: Block) -> bool:
    """Tell whether a block has a header of its own."""
    lone = block.lone_lines()
    return lone < len(block.rows) and _has_header(block.rows[lone:])


def _stand_apart(left: Block, right: Block) -> bool:
    """Tell whether two blocks, each with a header, are two tables by their beginnings.

    They are if both have the same header, if they begin at different heights, or if several blank columns stand
    between rows that both name.
    """
    left_lone, right_lone = left.lone_lines(), right.lone_lines()
    if _names(left.rows[left_lone]) == _names(right.rows[right_lone]):
        return True
    if abs(left.numbers[left_lone] - right.numbers[right_lone]) > 1:
        return True
    columns_between = min(map(_first_filled, right.rows)) - max(map(len, left.rows))
    return columns_between > 1 and _are_keys(left) and _are_keys(right)


def _go_on_apart(left: Block, right: Block) -> bool:
    """Tell whether one of two blocks goes on below the other's end with rows like those above, not with a total."""
    upper = next(_divide_rows(right))
    if _goes_on(right, left.numbers[-1]):
        return _are_keys(upper) or _are_figures(_body(upper), _first_column(upper))
    numbers = upper.numbers[upper.lone_lines() :]
    has_holes = numbers[-1] - numbers[0] >= len(numbers)
    return _goes_on(left, right.numbers[-1]) and not has_holes and _are_keys(upper)


def _goes_on(block: Block, end: int) -> bool:
    """Tell whether rows of several cells follow below the end of another block."""
    below = [cells for cells, number in zip(block.rows, block.numbers, strict=True) if number > end]
    return any(_count_filled(cells) > 1 and not _TOTAL.match(_names(cells)[0]) for cells in below)


def _are_keys(block: Block) -> bool:
    """Tell whether the first column of a block names its rows: with texts that differ."""
    place = _first_column(block)
    keys = [_cell(cells, place) for cells in _body(block)]
    return len(set(keys)) == len(keys) and all(_LETTER.search(key) and not _is_figure(key) for key in keys)


def _body(block: Block) -> list[list[str]]:
    return block.rows[block.lone_lines() + 1 :]


def _first_column(block: Block) -> int:
    return _first_filled(block.rows[block.lone_lines()])


def _first_filled(cells: Sequence[str]) -> int:
    return next(place for place, text in enumerate(cells) if text)


def _are_figures(rows: list[list[str]], place: int) -> bool:
    """Tell whether a column has figures alone."""
    texts = [text for cells in rows if (text := _cell(cells, place))]
    return bool(texts) and all(map(_is_figure, texts))


def _is_figure(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and bool(_FIGURE.search(text))


def _names(cells: Sequence[str]) -> list[str]:
    return [text for text in cells if text]


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _count_filled(cells: Sequence[str]) -> int:
    return sum(map(bool, cells))
