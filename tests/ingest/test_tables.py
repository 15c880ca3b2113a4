"""A table is shown by rows under its header whatever it was read from, however it was cut."""

import csv
import re
from collections.abc import Sequence

import docx
import openpyxl
import pytest
from reportlab.platypus import SimpleDocTemplate, Table, TableStyle

from weighbridge.ingest.chunk import chunk_documents
from weighbridge.ingest.read import read_documents
from weighbridge.passage_tables import Grid, passage_blocks
from weighbridge.types import Document

HEADER = ["Item", "Length | mm", "Level", "Price in euro"]
ROWS = [[f"Bolt M{n}", str(n * 7 + 40), f"L{n % 4} a\\b|c", f"{n * 3.15:.2f}"] for n in range(30)]


def words(text: str) -> Sequence[tuple[int, int]]:
    return [found.span() for found in re.finditer(r"\w{1,9}|[^\w\s]", text)]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Document]:
    folder = tmp_path_factory.mktemp("tables")
    for name, delimiter in (("comma.csv", ","), ("tab.tsv", "\t")):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows([HEADER, *ROWS])
    lines = ["".join(f"<th>{name}</th>" for name in HEADER), *("".join(f"<td>{cell}</td>" for cell in r) for r in ROWS)]
    table = "".join(f"<tr>{line}</tr>" for line in lines)
    (folder / "page.html").write_text(f"<h1>Prices</h1><p>Of 2026.</p><table>{table}</table><p>Until May.</p>")
    workbook = openpyxl.Workbook()
    for row in (HEADER, *ROWS):
        workbook.active.append(row)
    workbook.save(folder / "book.xlsx")
    word = docx.Document()
    written = word.add_table(0, len(HEADER))
    for row in (HEADER, *ROWS):
        for cell, text in zip(written.add_row().cells, row, strict=True):
            cell.text = text
    word.save(str(folder / "word.docx"))
    ruled = TableStyle([("GRID", (0, 0), (-1, -1), 1, (0, 0, 0))])
    SimpleDocTemplate(str(folder / "print.pdf")).build([Table([HEADER, *ROWS], style=ruled)])
    return read_documents(folder).documents


@pytest.mark.parametrize("tokens", [30, 40, 64, 200])
def test_rows_are_whole_and_under_their_header(documents: Sequence[Document], tokens: int) -> None:
    assert len(documents) == 6
    for document in documents:
        rows: list[tuple[str, ...]] = []
        for chunk in chunk_documents([document], tokens=tokens, tokenizer=words):
            for block in passage_blocks(chunk):
                assert isinstance(block, Grid) or "Bolt" not in block, (document.source, chunk)
                if isinstance(block, Grid):
                    assert block.header == tuple(HEADER), (document.source, chunk)
                    rows += block.rows
        assert rows == [tuple(row) for row in ROWS], document.source


@pytest.mark.parametrize("tokens", [6, 12, 18])
def test_the_cells_of_a_row_that_is_too_long_are_under_their_names(documents: Sequence[Document], tokens: int) -> None:
    for document in documents:
        for chunk in chunk_documents([document], tokens=tokens, tokenizer=words):
            for block in passage_blocks(chunk):
                assert isinstance(block, Grid) or "Bolt" not in block, (document.source, chunk)
                for row in block.rows if isinstance(block, Grid) else ():
                    price = next((place for place, cell in enumerate(row) if re.fullmatch(r"\d+\.\d\d", cell)), None)
                    assert price is None or block.header[price] == "Price in euro", (document.source, chunk)
