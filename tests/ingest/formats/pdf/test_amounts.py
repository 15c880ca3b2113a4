"""Tables of amounts as financial reports print them: each cell is read whole, in its column, under its head."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from weighbridge.ingest.formats.pdf.document import read_pdf

LABELS = ["Revenue", "Cost of sales", "Gross profit", "Interest expense", "Net income", "Tax"]
EDGES = [300, 390, 480]
Cell = tuple[str, str, str]
"""A sign before the amount in a column of its own, the amount, and what closes it."""


def draw(path: Path, rows: list[tuple[str, list[Cell]]], heads: list[list[str]], gap: float) -> list[str]:
    """Draw a table whose amounts end at the same place in each column, and return the lines that are read."""
    canvas = Canvas(str(path), invariant=True)
    canvas.setFont("Helvetica", 9)
    for level, head in enumerate(heads):
        for edge, text in zip(EDGES, head, strict=False):
            canvas.drawRightString(edge, 730 - 12 * level, text)
    for number, (label, cells) in enumerate(rows, start=len(heads)):
        canvas.drawString(60, 730 - 12 * number, label)
        for edge, (sign, amount, closing) in zip(EDGES, cells, strict=False):
            if sign:
                canvas.drawString(edge - 70, 730 - 12 * number, sign)
            canvas.drawRightString(edge, 730 - 12 * number, amount)
            if closing:
                canvas.drawString(edge + gap, 730 - 12 * number, closing)
    canvas.save()
    return read_pdf(path).contents[0].text.splitlines()


amounts = st.integers(0, 99_999_999).map(lambda number: f"{number:,}")
cells = st.one_of(
    amounts.map(lambda amount: ("", amount, "")),
    amounts.map(lambda amount: ("$", amount, "")),
    amounts.map(lambda amount: ("$", f"({amount}", ")")),
    st.integers(0, 99).map(lambda share: ("", str(share), "%")),
    st.integers(0, 99).map(lambda share: ("", f"({share}", ")%")),
    st.just(("", "-", "")),
)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=3, max_size=6), gap=st.sampled_from([0.0, 3.0, 8.0])
)
def test_amounts_are_read_whole(tmp_path_factory: pytest.TempPathFactory, rows: list[list[Cell]], gap: float) -> None:
    table = list(zip(LABELS, rows, strict=False))
    lines = draw(tmp_path_factory.mktemp("table") / "a.pdf", table, [["2023", "2022", "2021"]], gap)
    assert lines[0].split(" | ")[-3:] == ["2023", "2022", "2021 |"]
    for line, (label, row) in zip(lines[2:], table, strict=True):
        assert line.replace(" %", "%") == " | ".join([f"| {label}", *(_shown(cell) for cell in row)]) + " |"


def _shown(cell: Cell) -> str:
    sign, amount, closing = cell
    return f"{sign} {amount}{closing}".strip()


def test_the_rows_of_a_head_become_one(tmp_path: Path) -> None:
    rows = [(label, [("$", "1,250", ""), ("", "(310", ")"), ("", "17", "%")]) for label in LABELS]
    lines = draw(
        tmp_path / "a.pdf", rows, [["Three months", "Three months", "Change"], ["June 2023", "June 2022", "in %"]], 0
    )
    assert lines[0] == "|  | Three months June 2023 | Three months June 2022 | Change in % |"
    assert lines[2] == "| Revenue | $ 1,250 | (310) | 17 % |"


def test_a_heading_within_the_first_column_does_not_part_a_table(tmp_path: Path) -> None:
    rows: list[tuple[str, list[Cell]]] = [(label, [("", "12", ""), ("", "7", ""), ("", "5", "")]) for label in LABELS]
    rows.insert(3, ("Other income:", []))
    lines = draw(tmp_path / "a.pdf", rows, [["2023", "2022", "2021"]], 0)
    assert lines[5] == "| Other income: |  |  |  |"
    assert len(lines) == 9


def test_a_heading_below_the_head_is_no_part_of_it(tmp_path: Path) -> None:
    rows: list[tuple[str, list[Cell]]] = [(label, [("", "12", ""), ("", "7", ""), ("", "5", "")]) for label in LABELS]
    lines = draw(tmp_path / "a.pdf", [("Assets:", []), *rows], [["2023", "2022", "2021"]], 0)
    assert lines[0] == "|  | 2023 | 2022 | 2021 |"
    assert lines[2] == "| Assets: |  |  |  |"


def test_a_label_of_two_lines_is_one(tmp_path: Path) -> None:
    rows: list[tuple[str, list[Cell]]] = [(label, [("", "12", ""), ("", "7", ""), ("", "5", "")]) for label in LABELS]
    rows[2:3] = [("Awards issued and", []), ("assumed, net of tax", [("", "1", ""), ("", "2", ""), ("", "3", "")])]
    lines = draw(tmp_path / "a.pdf", rows, [["2023", "2022", "2021"]], 0)
    assert lines[4] == "| Awards issued and assumed, net of tax | 1 | 2 | 3 |"


def test_signs_may_follow_their_amounts(tmp_path: Path) -> None:
    rows = [(label, [("", "12,50", "\u20ac"), ("", "7", "\u20ac"), ("", "5", "\u20ac")]) for label in LABELS]
    lines = draw(tmp_path / "a.pdf", rows, [["2023", "2022", "2021"]], 3)
    assert lines[2] == "| Revenue | 12,50 \u20ac | 7 \u20ac | 5 \u20ac |"


def test_rows_stand_for_themselves_where_there_is_no_table(tmp_path: Path) -> None:
    rows = [(label, [("$", "1,250", ""), ("$", "310", ""), ("", "17", "")]) for label in LABELS[:2]]
    assert draw(tmp_path / "a.pdf", rows, [], 0) == ["Revenue $ 1,250 $ 310 17", "Cost of sales $ 1,250 $ 310 17"]
