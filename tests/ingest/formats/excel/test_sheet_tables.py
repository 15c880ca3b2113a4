"""Several tables on one sheet: each is one of its own, and a table with blank rows or columns stays whole."""

from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from weighbridge.ingest.content import Loss
from weighbridge.ingest.formats.excel.document import read_xlsx
from weighbridge.ingest.formats.excel.sheet_tables import Block, split_tables

Grid = list[list[object]]
_COSTS: Grid = [["Item", "Cost"], ["Pump", 12], ["Valve", 7], ["Hose", 3]]
_HOMES: Grid = [["City", "Homes"], ["Holm", 340], ["Varde", 90], ["Ribe", 55]]
_PARTS: Grid = [["Part no.", "Name", "Price"], ["A1", "Pump", 12.5], ["A2", "Valve", 7]]
_SUPPLIERS: Grid = [["Supplier", "City", "Lead time (days)"], ["Ames", "Holm", 4], ["Birk", "Ribe", 9]]
_PEOPLE: Grid = [["Name", "City", "Role"], ["Ann", "Holm", "Clerk"], ["Bo", "Ribe", "Guard"]]
_LINES: Grid = [["Assets", "Note", "Plan", "Actual"], ["Cash", "a", 5, 6], ["Stock", "b", 7, 8]]


def _beside(left: Grid, right: Grid, blank: int = 1) -> Grid:
    """Put two grids side by side with blank columns between."""
    width = max(map(len, left)) + blank
    height = max(len(left), len(right))
    rows = [[*cells, *[None] * (width - len(cells))] for cells in [*left, *[[]] * (height - len(left))]]
    return [cells + beside for cells, beside in zip(rows, [*right, *[[]] * (height - len(right))], strict=True)]


def _read(grid: Grid, folder: Path) -> tuple[list[str], tuple[Loss, ...]]:
    """Return the blocks of a sheet below its name, and what is told."""
    book = Workbook()
    for number, row in enumerate(grid, start=1):
        for column, value in enumerate(row, start=1):
            book.active.cell(number, column, value)
    book.save(folder / "book.xlsx")
    parsed = read_xlsx(folder / "book.xlsx")
    return parsed.contents[0].text.split("\n\n")[1:], parsed.losses


def _table(grid: Grid) -> str:
    header, *rows = [f"| {' | '.join('' if cell is None else str(cell) for cell in row)} |" for row in grid]
    return "\n".join([header, f"|{' --- |' * len(grid[0])}", *rows])


@pytest.mark.parametrize(
    ("left", "right", "blank"),
    [
        (_COSTS, _HOMES[:3], 1), (_COSTS[:3], _HOMES, 1), (_COSTS, _HOMES[:2], 3), (_COSTS, _HOMES, 2),
        (_PARTS, _HOMES, 1), (_COSTS, _PEOPLE, 1), (_COSTS, [_COSTS[0], ["Bolt", 1], ["Nut", 2], ["Rope", 9]], 1),
        ([["Day", "Rain"], ["Mon", 3]], [["Year", "Snow"], [2021, 4], [2022, 5]], 1),
    ],
)  # fmt: skip
def test_tables_side_by_side(tmp_path: Path, left: Grid, right: Grid, blank: int) -> None:
    assert _read(_beside(left, right, blank), tmp_path) == ([_table(left), _table(right)], ())


def test_tables_at_different_heights_with_titles(tmp_path: Path) -> None:
    right: Grid = [[], ["Homes of 2024"], *_HOMES]
    blocks, _ = _read([["Survey"], [], *_beside(_COSTS, right)], tmp_path)
    assert blocks == ["Survey", _table(_COSTS), "Homes of 2024", _table(_HOMES)]


@pytest.mark.parametrize("blank_rows", [1, 3])
@pytest.mark.parametrize(("upper", "lower"), [
    (_PARTS, _SUPPLIERS), (_SUPPLIERS, _PARTS), (_COSTS, _HOMES), (_PEOPLE, _PARTS), (_PARTS, _PEOPLE),
    (_COSTS, _PEOPLE), (_PEOPLE, _COSTS), (_PEOPLE, [_PEOPLE[0], ["Eva", "Ribe", "Cook"]]),
    ([["By", "Ann"], ["For", "Bo"]], _LINES), ([["Of", "3 May"]], _COSTS),
])  # fmt: skip
def test_tables_one_below_the_other(tmp_path: Path, upper: Grid, lower: Grid, blank_rows: int) -> None:
    grid = [*upper, *[[]] * blank_rows, *lower]
    assert _read(grid, tmp_path) == ([_table(upper), _table(lower)], ())
    titled = [*upper, *[[]] * blank_rows, ["A title"], [], *lower]
    assert _read(titled, tmp_path) == ([_table(upper), "A title", _table(lower)], ())


def test_tables_in_a_square(tmp_path: Path) -> None:
    grid = [*_beside(_COSTS, _HOMES[:3]), [], *_beside(_PARTS, [])]
    assert _read(grid, tmp_path)[0] == [_table(_COSTS), _table(_HOMES[:3]), _table(_PARTS)]
    left: Grid = [*_COSTS, [], *_PARTS]
    long: Grid = [["City", "Homes"], *([f"City {letter}", 5] for letter in "ABCDEFGHIJ")]
    assert _read(_beside(left, long), tmp_path)[0] == [_table(_COSTS), _table(_PARTS), _table(long)]


@pytest.mark.parametrize(
    "below",
    [
        [["Debts"], ["Loans", "c", 9, 10]],
        [["Loans", "c", 9, 10], ["Bills", "see note", "none", "none"]],
        [["Loans", "a", "none", "open"], ["Bills", "c", 1, 2]],
        [["Loans", "see note", "due", "due"], ["Bills", "c", 1, 2]],
        [["Loans", "see the report"], ["Bills", "c", 1, 2]],
        [["Loans", "open", "due", "lent"]],
        [["Debts", "Note", 2023, 2022], ["Loans", "c", 9, 10]],
        [["Debts", "Note", date(2023, 5, 1), date(2022, 5, 1)], ["Loans", "c", 9, 10]],
        [["A note that is alone"]],
    ],
)  # fmt: skip
def test_a_blank_row_inside_a_table_does_not_cut_it(tmp_path: Path, below: Grid) -> None:
    blocks, _ = _read([*_LINES, [], *below], tmp_path)
    assert len(blocks) == 1
    assert blocks[0].startswith(_table(_LINES))


@pytest.mark.parametrize(
    "grid",
    [
        [_LINES[0], [], *_LINES[1:]],
        [["Item", "Material", "Cost"], [], ["Pump", "Brass", "on request"], ["Valve", "Steel", 12]],
        [*_PEOPLE, [], ["Eva", "Lund", "Cook"], ["Ib", "Ribe", "Clerk"]],
        [*_PEOPLE, [], ["Eva", "Lund"], ["Ib", "Ribe"]],
        [row for line in _LINES for row in (line, [])],
    ],
)
def test_rows_after_a_blank_one_keep_their_header(tmp_path: Path, grid: Grid) -> None:
    assert _read(grid, tmp_path) == ([_table([row for row in grid if row])], ())


_FIGURES: Grid = [["Plan", "Actual"], [5, 6], [7, 8]]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([row[:2] for row in _LINES], _FIGURES),
        ([row[:1] for row in _LINES], _FIGURES),
        ([row[:2] for row in _LINES], [[2023, 2022], [5, 6]]),
        ([*(row[:2] for row in _LINES), ["A note that is alone"]], _FIGURES),
        ([*(row[:2] for row in _LINES), ["Tools", "c"]], _FIGURES),
        ([row[:2] for row in _LINES], [*_FIGURES, ["Total", 14]]),
        (_COSTS, [["Supplier", "Price"], ["Ames", 3], ["Birk", 4], ["Coe", 5], ["Total", 12]]),
        (_COSTS, [["Net", "Tax"], [1, 2], [3, 4], [5, 6], ["Gross", 21], ["Due", 20]]),
        (_COSTS, [["Remark"], ["rusty"]]),
        ([row[:2] for row in _LINES], [["Plan", None, "Actual"], [5, None, 6], [7, None, 8]]),
    ],
)
def test_a_blank_column_inside_a_table_does_not_cut_it(tmp_path: Path, left: Grid, right: Grid) -> None:
    blocks, losses = _read(_beside(left, right), tmp_path)
    assert len(blocks) == 1
    assert blocks[0].startswith(f"| {left[0][0]} ")
    assert losses == () or right[-1][0] == "Total"


def test_what_may_be_two_tables_is_told(tmp_path: Path) -> None:
    blocks, losses = _read(_beside(_COSTS, _HOMES), tmp_path)
    assert blocks[0].startswith("| Item | Cost | City | Homes |")
    assert [loss.what.split(":")[0] for loss in losses] == ["1 blank column(s) between what may be two tables"]


@settings(max_examples=60)
@given(
    grid=st.lists(
        st.lists(st.sampled_from(["", "", "", "Item", "Cost", "City", "Ann", "1", "25"]), max_size=9), max_size=14
    )
)
def test_no_cell_is_lost_or_moved(grid: list[list[str]]) -> None:
    held = [(cells, number) for number, cells in enumerate(grid) if any(cells)]
    tables, _ = split_tables(Block([cells for cells, _ in held], [number for _, number in held]))
    found = [
        (number, place, text)
        for table in tables
        for cells, number in zip(table.rows, table.numbers, strict=True)
        for place, text in enumerate(cells)
        if text
    ]
    places = product(range(len(grid)), range(9))
    assert sorted(found) == [
        (row, place, grid[row][place]) for row, place in places if place < len(grid[row]) and grid[row][place]
    ]
