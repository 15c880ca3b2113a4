"""A passage's tables, whatever its cells hold: read as rows, shown under their header, written for a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.passage_tables import (
    Grid,
    blocks_of,
    header_row,
    is_rule,
    join_row,
    passage_text,
    row_at,
    split_row,
    without_scaffold,
)
from weighbridge.types import Chunk

CELLS = st.text(st.sampled_from("ab1 |.-:"), max_size=8).map(lambda text: " ".join(text.split()))
HEADER, RULE = "| Item | Price |", "|---|---|"


def chunk(text: str, *context: str, start: int = 0) -> Chunk:
    return Chunk(id="d#1", document_id="d", text=text, start=start, end=start + len(text), context=context)


@given(cells=st.lists(CELLS, min_size=2, max_size=5).filter(any))
def test_a_row_is_read_as_it_was_written(cells: list[str]) -> None:
    assert split_row(join_row(cells)) == tuple(cells)


@pytest.mark.parametrize("line", ["a | b", "| a | b", "a | b |", "  |a|  b|  "])
def test_borders_at_the_ends_may_be_left_out(line: str) -> None:
    assert split_row(line) == ("a", "b")


@pytest.mark.parametrize("line", [RULE, "--- | :-:", "| - |", "|:--|--:|"])
def test_dashes_between_borders_are_a_rule(line: str) -> None:
    assert is_rule(line)


@pytest.mark.parametrize("line", ["---", "| a |", "|  |", "| - a |"])
def test_other_lines_are_none(line: str) -> None:
    assert not is_rule(line)


def test_a_table_stands_between_its_texts() -> None:
    text = f"# Prices\n\nNow:\n{HEADER}\n{RULE}\n| Nut | 2 |\n| Bolt | 3 | new |\n\nThat is all."
    grid = Grid(("Item", "Price", ""), (("Nut", "2", ""), ("Bolt", "3", "new")))
    assert list(blocks_of(text)) == ["# Prices\n\nNow:", grid, "That is all."]


def test_what_goes_on_with_a_table_is_shown_under_its_header() -> None:
    rows = "| Nut | 2 |\n| Bolt | 3 |"
    grid = Grid(("Item", "Price"), (("Nut", "2"), ("Bolt", "3")))
    assert list(blocks_of(rows, HEADER)) == [grid]
    assert list(blocks_of(f"{RULE}\n{rows}\n\nThat | is\nall.", HEADER)) == [grid, "That | is\nall."]
    assert list(blocks_of("rest of a cell | 3 |", HEADER)) == [Grid(("Item", "Price"), (("rest of a cell", "3"),))]
    assert list(blocks_of("half of a cell", "| Item |")) == [Grid(("Item",), (("half of a cell",),))]


def test_code_is_no_table() -> None:
    code = f"```\n{HEADER}\n{RULE}\n```"
    assert list(blocks_of(code)) == [code]


@pytest.mark.parametrize(
    "row", ["| Revenue | $ | 2,763 | 31.1 % |", "| Total | (36)% | \u2014 |", "| Sold | 1,200 | 13.5 | old |"]
)
def test_a_row_of_sums_names_no_columns(row: str) -> None:
    cells = split_row(row)
    (grid,) = blocks_of(f"{row}\n|---|---|\n| Cost | 5 |")
    assert isinstance(grid, Grid)
    assert not any(grid.header)
    assert grid.rows[0] == cells
    assert passage_text(chunk("| Cost | 5 |", "|  |  |")) == "| Cost | 5 |"


@pytest.mark.parametrize(
    "row", ["|  | 2023 | 2022 |", "| Item | Price |", "| Year | 1 | 2 |", "| One |", "| (in millions) |  |  |"]
)
def test_years_and_words_name_columns(row: str) -> None:
    (grid,) = blocks_of(f"{row}\n|---|---|\n| Cost | 5 | 6 |")
    assert isinstance(grid, Grid)
    assert any(grid.header)


def test_columns_without_any_text_are_left_out() -> None:
    assert list(blocks_of("| a |  | b |\n|---|---|---|\n| 1 |  | 2 |")) == [Grid(("a", "b"), (("1", "2"),))]


def test_a_model_reads_rows_under_their_header_and_text_on_one_line() -> None:
    assert (
        passage_text(chunk("| Nut | 2 |\n\nThat\nis all.", "Prices", HEADER)) == f"{HEADER}\n| Nut | 2 |\nThat is all."
    )
    assert passage_text(chunk("Two\n\nlines.", "| no header", "Prices")) == "Two lines."


def test_a_place_in_a_row_is_shown_with_its_header() -> None:
    found = chunk("Now:\n\n| Item | Price |\n|---|---|\n| Nut | 2 |\n| Bolt | 3 |", start=50)
    assert row_at(found, found.text.index("3")) == Grid(("Item", "Price"), (("Bolt", "3"),))
    assert row_at(found, 1) is None
    assert row_at(chunk("| Nut | 2 |", HEADER), 3) == Grid(("Item", "Price"), (("Nut", "2"),))


def test_long_names_of_columns_are_cut_and_none_is_left_out() -> None:
    cells = split_row(header_row(["name " * 40] * 9))
    assert len(cells) == 9
    assert set(map(len, cells)) == {33}
    assert header_row(["a" * 80, "b"]) == f"| {'a' * 80} | b |"


def test_a_search_reads_no_lines_and_no_empty_cells() -> None:
    text = f"a || b in text stays near\n{HEADER}\n{RULE}\n| Nut |  |  | 2 |"
    assert without_scaffold(text) == "a | b in text stays near\n| Item | Price |\n| Nut | 2 |"
    assert without_scaffold("no table --- here") == "no table --- here"
