from datetime import date, datetime, time, timedelta
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from weighbridge.ingest.content import Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.excel.document import read_xlsx

_CELLS = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.text("ab|`\n#9é ", max_size=8))


def _read(book: Workbook, folder: Path) -> Parsed:
    book.save(folder / "a.xlsx")
    return read_xlsx(folder / "a.xlsx")


def test_sheets_are_parts(tmp_path: Path) -> None:
    book = Workbook()
    prices = book.active
    prices.title = "Prices"
    prices["C3"] = "List of prices"
    prices.append([])
    prices.append([None, None, "item", None, "price", "since"])
    prices.append([None, None, "tea", None, 0.1 + 0.2, datetime(2024, 3, 1)])  # noqa: DTZ001 - Excel has no zones
    book.create_sheet("Empty")
    book.create_sheet("Notes")["A1"] = "alone"
    content = _read(book, tmp_path).contents[0]
    assert [(part.name, content.text[part.start : part.end]) for part in content.parts] == [
        (
            "sheet Prices",
            (
                "## Prices\n\nList of prices\n\n| item | price | since |\n| --- | --- | --- |\n"
                "| tea | 0.3 | 2024-03-01 0:00:00 |"
            ),
        ),
        ("sheet Notes", "## Notes\n\n| alone |\n| --- |"),
    ]


@pytest.mark.parametrize(
    ("value", "style", "shown"),
    [
        (1.0, "General", "1"), (1234567.5, "#,##0.00", "1,234,567.50"), (0.155, "0.0%", "15.5%"),
        (15, '0"%"', "15%"), (15, r"0\%", "15%"), (42, "00000", "00042"), (-350, "#,##0;(#,##0)", "(350)"),
        (1e20, "General", "1E+20"), (4006381333931, "General", "4006381333931"),
        (1e-7, "General", "0.0000001"), (1e300, "General", "1E+300"), (-2, "General", "-2"), (True, "General", "TRUE"),
        (date(2024, 2, 29), "yyyy-mm-dd", "2024-02-29"), (time(7, 30), "hh:mm", "07:30"),
        (datetime(2024, 1, 2, 3, 4, 5), "yyyy", "2024"),  # noqa: DTZ001 - Excel has no zones
        (date(2024, 2, 29), "mm-dd-yy", "2024-02-29"), (timedelta(hours=30, minutes=15), "[h]:mm", "30:15"),
        ("  a\nb ", "General", "a b"), ("tea", '"Item "@', "Item tea"), ("tea", "0.00", "tea"),
    ],
)  # fmt: skip
def test_values_are_written_as_they_show(tmp_path: Path, value: object, style: str, shown: str) -> None:
    book = Workbook()
    book.active["A1"] = "name"
    book.active["A2"] = value
    book.active["A2"].number_format = style
    assert _read(book, tmp_path).contents[0].text.endswith(f"\n| {shown} |")


def test_what_is_lost_is_reported(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["a", "=1+2", "=3+4"])
    book.active.merge_cells("A2:B3")
    hidden = book.create_sheet("Old")
    hidden["A1"] = "5"
    hidden.sheet_state = "hidden"
    assert _read(book, tmp_path).losses == (
        Loss("sheet Sheet", "2 formula(s) without a value: Excel never computed and saved the file"),
        Loss("sheet Sheet", "1 merged range(s): the value stands in the first column only"),
        Loss("sheet Old", "hidden in the workbook; read all the same"),
    )


@settings(max_examples=40)
@given(rows=st.lists(st.lists(_CELLS, max_size=4), max_size=5))
def test_every_word_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[list[object]]) -> None:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    read = _read(book, tmp_path_factory.mktemp("cells")).contents[0].text.replace("\\", "")
    for cell in (cell for row in rows for cell in row if cell is not None):
        assert all(word in read for word in str(cell).split())


def _package(path: Path, sheets: list[str], strings: str = "") -> None:
    """Write a workbook by hand: one raw sheet each."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    numbers = range(1, len(sheets) + 1)
    sheet = f'<Relationship Id="r{{n}}" Type="{office}/worksheet" Target="worksheets/sheet{{n}}.xml"/>'
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>' for n in numbers
    )
    with ZipFile(path, "w", ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>{overrides}'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/></Types>')  # fmt: skip
        package.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            + "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
            + "</sheets></workbook>")  # fmt: skip
        package.writestr("xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            + "".join(sheet.format(n=n) for n in numbers)
            + "</Relationships>")  # fmt: skip
        package.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}">{strings}</sst>')
        package.writestr("xl/styles.xml", f'<styleSheet xmlns="{main}"/>')
        for n, raw in zip(numbers, sheets, strict=True):
            package.writestr(f"xl/worksheets/sheet{n}.xml", f'<worksheet xmlns="{main}">{raw}</worksheet>')


def test_many_sheets(tmp_path: Path) -> None:
    _package(tmp_path / "a.xlsx", ["<sheetData><row r='1'><c r='A1'><v>7</v></c></row></sheetData>"] * 1_200)
    parsed = read_xlsx(tmp_path / "a.xlsx")
    assert (len(parsed.contents[0].parts), parsed.losses) == (
        1_000,
        (Loss("workbook", "200 sheets from 'S1001' on left out"),),
    )


def test_a_size_that_is_a_lie_and_cells_far_out(tmp_path: Path) -> None:
    far = "<c r='XFD{n}'><v>9</v></c>"
    rows = "".join(f"<row r='{n}'>{far.format(n=n)}</row>" for n in (1, 1_000_000))
    _package(tmp_path / "a.xlsx", [f"<dimension ref='A1:XFD1048576'/><sheetData>{rows}</sheetData>"])
    parsed = read_xlsx(tmp_path / "a.xlsx")
    assert parsed.contents[0].text == "## S1\n\n| 9 |\n| --- |\n| 9 |"


def test_a_shared_text_repeated_without_end(tmp_path: Path) -> None:
    cells = "<c t='s'><v>0</v></c>" * 10
    rows = f"<row>{cells}</row>" * 300
    _package(tmp_path / "a.xlsx", [f"<sheetData>{rows}</sheetData>"] * 3, f"<si><t>{'long ' * 6_000}</t></si>")
    parsed = read_xlsx(tmp_path / "a.xlsx")
    assert len(parsed.contents[0].text) < 51_000_000
    assert [loss.place for loss in parsed.losses] == ["workbook", "sheet S1"]


@pytest.mark.parametrize("raw", ["<sheetData><row><c t='s'><v>5</v></c></row></sheetData>", "<sheetData><row>"])
def test_broken_sheets(tmp_path: Path, raw: str) -> None:
    _package(tmp_path / "a.xlsx", [raw])
    with pytest.raises(UnreadableError, match="damaged"):
        read_xlsx(tmp_path / "a.xlsx")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04garbage", b"a,b\n1,2\n"])
def test_what_is_no_workbook(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(UnreadableError, match="damaged"):
        read_xlsx(tmp_path / "a.xlsx")
