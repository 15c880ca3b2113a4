"""Workbooks as a whole: what lies on a sheet besides its cells, and what a broken part costs."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import Font

from weighbridge.ingest.content import Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.excel.document import read_xlsx

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWING = (
    '<d:wsDr xmlns:d="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">{}</d:wsDr>'
)
_BOX = "<d:sp><d:txBody><a:p>{}</a:p></d:txBody></d:sp>"
_RUN = "<a:r>{}<a:t>{}</a:t></a:r>"
Change = Callable[[bytes], bytes]


def _book() -> Workbook:
    book = Workbook()
    for row in (["Site", "Grade"], ["Holm", 3], ["Varde", 5]):
        book.active.append(row)
    return book


def _save(
    book: Workbook, folder: Path, changes: Mapping[str, Change] | None = None, added: Mapping[str, str] | None = None
) -> Path:
    """Save a workbook, change members of it, and add others."""
    saved = BytesIO()
    book.save(saved)
    path = folder / "book.xlsx"
    with ZipFile(saved) as package, ZipFile(path, "w", ZIP_DEFLATED) as written:
        for member in package.infolist():
            content = package.read(member)
            change = (changes or {}).get(member.filename)
            written.writestr(member.filename, change(content) if change else content)
        for name, content in (added or {}).items():
            written.writestr(name, content)
    return path


def _replace(old: str, new: str) -> Change:
    return lambda content: content.replace(old.encode(), new.encode())


def _relate(kind: str, target: str) -> str:
    relation = f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{relation}</Relationships>'


def _with_drawing(folder: Path, *anchors: tuple[int, str], book: Workbook | None = None) -> Parsed:
    """Read a workbook with shapes, each in a row of its own."""
    place = "<d:from><d:col>4</d:col><d:row>{}</d:row></d:from>"
    held = [f"<d:twoCellAnchor>{place.format(row)}{shape}</d:twoCellAnchor>" for row, shape in anchors]
    added = {
        "xl/worksheets/_rels/sheet1.xml.rels": _relate("drawing", "../drawings/drawing1.xml"),
        "xl/drawings/drawing1.xml": _DRAWING.format("".join(held)),
    }
    return read_xlsx(_save(book or _book(), folder, added=added))


def test_text_boxes_and_shapes_follow_the_table_by_their_places(tmp_path: Path) -> None:
    raised, struck = '<a:rPr baseline="30000"/>', '<a:rPr strike="sngStrike"/>'
    group = f"<d:grpSp>{_BOX.format(_RUN.format('', 'in a group'))}</d:grpSp>"
    choice = f"<mc:Choice>{_BOX.format(_RUN.format('', 'new'))}</mc:Choice>"
    either = f"<mc:AlternateContent>{choice}<mc:Fallback>{_BOX.format('')}</mc:Fallback></mc:AlternateContent>"
    parsed = _with_drawing(
        tmp_path,
        (9, group),
        (2, _BOX.format(_RUN.format("", "tank of 10") + _RUN.format(raised, "6") + _RUN.format("", " litres"))),
        (3, _BOX.format(_RUN.format(struck, "900") + _RUN.format("", " 800 euro"))),
        (12, either),
    )
    table = "| Site | Grade |\n| --- | --- |\n| Holm | 3 |\n| Varde | 5 |"
    boxes = ["tank of 10⁶ litres", "~~900~~ 800 euro", "in a group", "new"]
    assert parsed.contents[0].text == "\n\n".join(["## Sheet", table, *boxes])
    assert parsed.losses == ()


def test_a_sheet_of_text_boxes_only_has_text(tmp_path: Path) -> None:
    parsed = _with_drawing(tmp_path, (0, _BOX.format(_RUN.format("", "The audit is on 14 October."))), book=Workbook())
    assert parsed.contents[0].text == "## Sheet\n\nThe audit is on 14 October."


def test_labels_of_buttons_and_check_boxes_are_read_once(tmp_path: Path) -> None:
    shape = "<v:shape><v:textbox><div>{}</div></v:textbox><x:ClientData ObjectType='{}'/></v:shape>"
    shapes = shape.format("Send<br>now", "Button") + shape.format("a note", "Note") + shape.format("Paid", "Checkbox")
    spaces = 'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:x="urn:schemas-microsoft-com:office:excel"'
    drawing = f"<xml {spaces}>{shapes}</xml>"
    added = {
        "xl/worksheets/_rels/sheet1.xml.rels": _relate("vmlDrawing", "../drawings/vmlDrawing1.vml"),
        "xl/drawings/vmlDrawing1.vml": drawing,
    }
    text = read_xlsx(_save(_book(), tmp_path, added=added)).contents[0].text
    assert text.endswith("| Varde | 5 |\n\nSend now\n\nPaid")


def test_comments_name_their_cell_and_their_author(tmp_path: Path) -> None:
    book = _book()
    book.active["B2"].comment = Comment("Jo:\nmeasured in May", "Jo")
    assert read_xlsx(_save(book, tmp_path)).contents[0].text.endswith("\n\nComment on B2 (Jo): measured in May")


def test_threads_of_comments_replace_their_notes(tmp_path: Path) -> None:
    book = _book()
    book.active["B2"].comment = Comment("[Threaded comment]\n\nYour version of Excel is old. Comment: why?", "tc=1")
    thread = '<T><threadedComment ref="B2" personId="p"><text>why?</text></threadedComment></T>'
    relation = f'<Relationship Id="t" Type="{_OFFICE}/threadedComment" Target="/xl/threads/t1.xml"/></Relationships>'
    rels = {"xl/worksheets/_rels/sheet1.xml.rels": _replace("</Relationships>", relation)}
    people = '<P><person id="p" displayName="Ana"/></P>'
    path = _save(book, tmp_path, rels, {"xl/threads/t1.xml": thread, "xl/persons/person.xml": people})
    assert read_xlsx(path).contents[0].text.endswith("| Varde | 5 |\n\nComment on B2 (Ana): why?")


def test_charts_are_tables_of_their_values(tmp_path: Path) -> None:
    book = _book()
    chart = BarChart()
    chart.title = "Grades"
    chart.add_data(Reference(book.active, min_col=2, min_row=1, max_row=3), titles_from_data=True)
    book.active.add_chart(chart, "D2")
    cache = "<c:numCache><c:pt idx='0'><c:v>3</c:v></c:pt><c:pt idx='1'><c:v>5</c:v></c:pt></c:numCache></numRef>"
    stored = _replace("</numRef>", cache.replace("c:", ""))
    parsed = read_xlsx(_save(book, tmp_path, {"xl/charts/chart1.xml": stored}))
    assert "\n\nGrades\n\n" in parsed.contents[0].text
    assert parsed.contents[0].text.count("| 5 |") == 2
    lost = read_xlsx(_save(book, tmp_path)).losses
    assert lost == (Loss("sheet Sheet", "1 chart(s) without stored values"),)


def test_what_is_printed_on_each_page_and_hidden_things(tmp_path: Path) -> None:
    book = _book()
    sheet = book.active
    sheet.oddHeader.left.text = "Draft of &D"
    sheet.oddHeader.center.text = "&P"
    sheet.oddFooter.right.text = "Harbour & Sons"
    sheet.row_dimensions[2].hidden = True
    sheet.column_dimensions["B"].hidden = True
    parsed = read_xlsx(_save(book, tmp_path))
    blocks = parsed.contents[0].text.split("\n\n")
    assert blocks[1].startswith("Header: Draft of")
    assert blocks[-1].startswith("Footer: Harbour")
    assert {loss.what for loss in parsed.losses} == {
        "1 row(s) hidden in the sheet; read all the same",
        "1 column(s) hidden in the sheet; read all the same",
    }


def test_rich_text_in_cells_and_struck_out_cells(tmp_path: Path) -> None:
    book = _book()
    raised, struck = InlineFont(vertAlign="superscript"), InlineFont(strike=True)
    book.active["A4"] = CellRichText("10", TextBlock(raised, "6"), " litres")
    book.active["B4"] = CellRichText(TextBlock(struck, "14"), " 19")
    book.active["A5"] = CellRichText("5,200", TextBlock(raised, "3"))
    book.active["B5"] = 24.9
    book.active["B5"].font = Font(strike=True)
    book.active["B5"].number_format = "0.00"
    text = read_xlsx(_save(book, tmp_path)).contents[0].text
    assert text.endswith("| 10⁶ litres | ~~14~~ 19 |\n| 5,200 ³ | ~~24.90~~ |")


def test_values_that_their_format_hides_are_told(tmp_path: Path) -> None:
    book = _book()
    book.active["B2"].number_format = ";;;"
    book.active["A3"].number_format = "0;0;0;"
    parsed = read_xlsx(_save(book, tmp_path))
    assert parsed.contents[0].text.endswith("| Holm |\n|  | 5 |")
    assert parsed.losses == (Loss("sheet Sheet", "2 value(s) hidden by their number format left out"),)


def test_merged_cells_stand_in_each_of_their_rows(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["Quay", None, "Depth"], ["North", "a", 1], [None, "b", 2], [], [None, "c", 3], ["South", "d", 4]):
        book.active.append(row)
    book.active.merge_cells("A2:A5")
    book.active.merge_cells("A1:B1")
    text = read_xlsx(_save(book, tmp_path)).contents[0].text
    rows = ["| Quay |  | Depth |", "| --- | --- | --- |", "| North | a | 1 |", "| North | b | 2 |", "| North | c | 3 |"]
    assert text.splitlines()[2:] == [*rows, "| South | d | 4 |"]


def test_a_table_has_no_columns_of_the_lines_above_it(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["A title"], [None, None, "Site", "Grade"], [None, None, "Holm", 3]):
        book.active.append(row)
    text = read_xlsx(_save(book, tmp_path)).contents[0].text
    assert text == "## Sheet\n\nA title\n\n| Site | Grade |\n| --- | --- |\n| Holm | 3 |"


_STYLES, _SHEET, _MAIN = "xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_NOWHERE = "left out: the workbook does not say where it is"
_NUMBER_IS_TEXT = "number cell(s) that hold another text; read as that text"


@pytest.mark.parametrize(
    ("member", "old", "new", "cell", "lost"),
    [
        (_STYLES, "<fill><patternFill/></fill>", "<fill/>", "3", ()),
        (_STYLES, 'rgb="00000000"', 'rgb="FF00"', "3", ()),
        (_STYLES, "</cellXfs>", "", "3", ("styles are broken: numbers and dates come without their formats",)),
        (_SHEET, "<v>3</v>", "<v>NaN</v>", "NaN", (f"1 {_NUMBER_IS_TEXT}",)),
        (_SHEET, "<v>3</v>", "<v>n/a</v>", "n/a", (f"1 {_NUMBER_IS_TEXT}",)),
        (_SHEET, '<c r="B2"', '<c s="99" r="B2"', "3", ("1 cell(s) of an unknown style: without their format",)),
        (_RELATIONS, "</Relationships>", '<Relationship Id="n" Target="NULL"/></Relationships>', "3", ()),
        (_MAIN, "</sheets>", '<sheet name="Gone"/></sheets>', "3", (_NOWHERE,)),
    ],
)  # fmt: skip
def test_a_broken_part_costs_that_part(
    tmp_path: Path, member: str, old: str, new: str, cell: str, lost: tuple[str, ...]
) -> None:
    parsed = read_xlsx(_save(_book(), tmp_path, {member: _replace(old, new)}))
    assert f"| Holm | {cell} |\n| Varde | 5 |" in parsed.contents[0].text
    assert tuple(loss.what for loss in parsed.losses) == lost


@pytest.mark.parametrize("member", [_MAIN, _RELATIONS, "xl/theme/theme1.xml", "_rels/.rels", "docProps/core.xml"])
@pytest.mark.parametrize("content", [b"", b"<a", b"<!DOCTYPE a><a/>", b"\x00\xff"])
def test_broken_parts_beside_the_sheets(tmp_path: Path, member: str, content: bytes) -> None:
    book = _book()
    book.active.title = "Sheet1"
    parsed = read_xlsx(_save(book, tmp_path, {member: lambda _: content}))
    assert parsed.contents[0].text.casefold().startswith("## sheet1\n\n| site | grade |")
    assert bool(parsed.losses) == (member in {_MAIN, _RELATIONS})


def test_an_embedded_file_is_read_as_one_of_its_own(tmp_path: Path) -> None:
    parsed = read_xlsx(_save(_book(), tmp_path, added={"xl/embeddings/Notes1.docx": "PK", "xl/embeddings/o.bin": "x"}))
    assert [(file.name, file.content) for file in parsed.enclosed] == [("notes1.docx", b"PK")]
    assert parsed.losses == (Loss("workbook", "1 embedded object(s) left out"),)


def test_a_sheet_that_breaks_off_keeps_its_first_rows_and_the_other_sheets(tmp_path: Path) -> None:
    book = _book()
    book.create_sheet("Next")["A1"] = "whole"
    parsed = read_xlsx(_save(book, tmp_path, {_SHEET: lambda content: content[: content.index(b"<v>5")]}))
    assert "| Holm | 3 |" in parsed.contents[0].text
    assert parsed.contents[0].text.endswith("## Next\n\n| whole |\n| --- |")
    assert [loss.what.split(",")[0] for loss in parsed.losses] == ["damaged"]


@pytest.mark.parametrize("broken", ["<v>3 & 4</v>", "<v>3", "<v \x00>3</v>", "<w <v>3</v>"])
def test_a_broken_cell_leaves_the_others(tmp_path: Path, broken: str) -> None:
    parsed = read_xlsx(_save(_book(), tmp_path, {_SHEET: _replace("<v>3</v>", broken)}))
    assert "| Site | Grade |\n| --- | --- |\n| Holm" in parsed.contents[0].text
    assert parsed.contents[0].text.endswith("\n| Varde | 5 |")
    assert any(loss.what.startswith("damaged, ") for loss in parsed.losses)


def test_a_workbook_without_a_sheet_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="damaged"):
        read_xlsx(_save(_book(), tmp_path, {_SHEET: lambda _: b"<worksheet"}))


@pytest.mark.parametrize("slash", ["\\", "/"])
@pytest.mark.parametrize("strict", [True, False])
def test_other_names_of_parts_and_namespaces(tmp_path: Path, slash: str, strict: bool) -> None:  # noqa: FBT001
    path = _save(_book(), tmp_path)
    schemas, others = b"schemas.openxmlformats.org", b"purl.oclc.org/ooxml"
    with ZipFile(path) as package, ZipFile(tmp_path / "other.xlsx", "w") as written:
        for member in package.infolist():
            content = package.read(member)
            for name in (b"/spreadsheetml", b"/officeDocument") if strict else ():
                content = content.replace(schemas + name + b"/2006", others + name)
            member.filename = member.filename.replace("/", slash)
            written.writestr(member, content)
    assert read_xlsx(tmp_path / "other.xlsx") == read_xlsx(path)


def test_dates_of_strict_workbooks_and_of_the_other_date_system(tmp_path: Path) -> None:
    book = _book()
    for row in (2, 3):
        book.active.cell(row, 2).number_format = "d.m.yyyy"
    dated = _replace('<c r="B2" s="1" t="n"><v>3</v>', '<c r="B2" s="1" t="d"><v>2024-03-01</v>')
    parsed = read_xlsx(
        _save(book, tmp_path, {_SHEET: dated, _MAIN: _replace("<workbookPr/>", '<workbookPr date1904="1"/>')})
    )
    assert "| Holm | 1.3.2024 |\n| Varde | 6.1.1904 |" in parsed.contents[0].text


@pytest.mark.parametrize("day", ["1900-01-01", "1900-02-28", "1900-03-01", "1899-12-31"])
def test_stored_days_before_the_leap_day_that_never_was(tmp_path: Path, day: str) -> None:
    book = _book()
    book.active.cell(2, 2).number_format = "yyyy-mm-dd"
    dated = _replace('<c r="B2" s="1" t="n"><v>3</v>', f'<c r="B2" s="1" t="d"><v>{day}</v>')
    shown = "1900-01-00" if day < "1900" else day
    assert f"| Holm | {shown} |" in read_xlsx(_save(book, tmp_path, {_SHEET: dated})).contents[0].text


def _as_shown(value: Decimal, decimals: int, *, comma: bool = False) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded:,}" if comma else f"{rounded}"


_SHOWN: dict[str, Callable[[Decimal], str]] = {
    "General": lambda value: f"{value.normalize():f}",
    "0.00": lambda value: _as_shown(value, 2),
    "#,##0.0": lambda value: _as_shown(value, 1, comma=True),
    "0.0%": lambda value: f"{_as_shown(value * 100, 1)}%",
    '0"%"': lambda value: f"{_as_shown(value, 0)}%",
    "0000000": lambda value: _as_shown(value, 0).zfill(7),
    '"$"#,##0.00': lambda value: f"${_as_shown(value, 2, comma=True)}",
    "#,##0.00 [$€-407]": lambda value: f"{_as_shown(value, 2, comma=True)} €",
    '0.0,"k"': lambda value: f"{_as_shown(value / 1000, 1)}k",
    "0.00_);(0.00)": lambda value: _as_shown(value, 2),
    "[h]:mm:ss": lambda value: str(int(value * 24)) + str(timedelta(seconds=round(value * 86_400) % 3_600))[1:],
}  # fmt: skip


@settings(max_examples=15)
@given(
    numbers=st.lists(
        st.tuples(st.integers(0, 10**6 - 1).map(lambda cents: Decimal(cents) / 4), st.sampled_from(sorted(_SHOWN))),
        min_size=1,
        max_size=60,
    )
)
def test_numbers_come_as_they_show(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[tuple[Decimal, str]]
) -> None:
    book = Workbook()
    for row, (value, code) in enumerate([(Decimal(0), "General"), *numbers], start=1):
        cell = book.active.cell(row, 1, float(value))
        cell.number_format = code
    text = read_xlsx(_save(book, tmp_path_factory.mktemp("numbers"))).contents[0].text
    rows = text.splitlines()[4:]
    assert rows == [f"| {_SHOWN[code](value)} |" for value, code in numbers]
