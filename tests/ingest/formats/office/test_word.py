from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from docx import Document
from docx.document import Document as Docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.table import Table, _Cell
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.chart.data import CategoryChartData
from pptx.chart.xmlwriter import ChartXmlWriter
from pptx.enum.chart import XL_CHART_TYPE

from weighbridge.ingest.content import Enclosed, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.office.numbering import numbering_of
from weighbridge.ingest.formats.office.word import read_docx
from weighbridge.ingest.formats.scripts import Run, Script, write_runs


def _slim_template() -> bytes:
    """Return the default template without styles of tables and what belongs to them, which take most of its time."""
    document = Document()
    styles = document.styles.element
    for node in styles.xpath("w:latentStyles | w:style[@w:type='table'][not(@w:default)]"):
        styles.remove(node)
    for key, relation in list(document.part.rels.items()):
        if relation.reltype.endswith(("/stylesWithEffects", "/theme", "/customXml")):
            del document.part.rels[key]
    file = BytesIO()
    document.save(file)
    return file.getvalue()


TEMPLATE = _slim_template()


def new_document() -> Docx:
    return Document(BytesIO(TEMPLATE))


BLANK = new_document()
_WORDS = st.text(st.characters(categories=("Lu", "Ll", "Nd"), include_characters="|#` *-"), min_size=1, max_size=12)


def _read(document: Docx, folder: Path) -> Parsed:
    document.save(str(folder / "a.docx"))
    return read_docx(folder / "a.docx")


def _cells(table: Table) -> list[_Cell]:
    return [cell for row in table.rows for cell in row.cells]


def _add(document: Docx, inner: str) -> None:
    """Put raw markup at the end of the body, before its section properties."""
    spaces = nsdecls("w", "m", "wp", "a", "pic", "r")
    other = {"mc": "http://schemas.openxmlformats.org/markup-compatibility/2006", "v": "urn:schemas-microsoft-com:vml"}
    extra = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in other.items())
    body = document.element.body
    body.insert(len(body) - 1, parse_xml(f"<w:p {spaces} {extra}>{inner}</w:p>"))


def test_a_document_in_its_order(tmp_path: Path) -> None:
    document = new_document()
    document.core_properties.title = ""
    document.add_heading("Tide  tables", 0)
    document.add_heading("Ports", 2)
    document.add_paragraph("High water\nat noon.\t# not a heading")
    document.add_paragraph("# nor this")
    for text in ("one", "two"):
        document.add_paragraph(text, style="List Bullet")
    for text in ("first", "second"):
        document.add_paragraph(text, style="List Number")
    table = document.add_table(2, 2)
    for cell, text in zip(_cells(table), ("Port", "Time", "A|B", "1\n2"), strict=True):
        cell.text = text
    document.add_paragraph("End.")
    parsed = _read(document, tmp_path)
    assert parsed.contents[0].text == (
        "# Tide tables\n\n## Ports\n\nHigh water\nat noon. # not a heading\n\n\\# nor this\n\n"
        "- one\n- two\n1. first\n2. second\n\n| Port | Time |\n| --- | --- |\n| A\\|B | 1 2 |\n\nEnd."
    )
    assert (parsed.contents[0].title, parsed.losses) == ("Tide tables", ())


def test_the_title_is_the_property_else_the_first_heading(tmp_path: Path) -> None:
    document = new_document()
    document.add_heading("Ports", 1)
    assert _read(document, tmp_path).contents[0].title == "Ports"
    for title in ("Tides", "Not this"):
        document.add_heading(title, 0)
    assert _read(document, tmp_path).contents[0].title == "Tides"
    document.core_properties.title = " By  property "
    assert _read(document, tmp_path).contents[0].title == "By property"


def test_merged_cells_are_flattened_and_reported(tmp_path: Path) -> None:
    document = new_document()
    document.add_table(1, 1).cell(0, 0).text = "plain"
    table = document.add_table(3, 2)
    for number, cell in enumerate(_cells(table)):
        cell.text = f"c{number}"
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(0, 0).merge(table.cell(0, 1))
    table.cell(2, 1).add_table(1, 1).cell(0, 0).text = "inner"
    parsed = _read(document, tmp_path)
    assert parsed.contents[0].text.endswith("| c0 c1 |  |\n| --- | --- |\n| c2 c4 | c3 |\n| c2 c4 | c5 inner |")
    assert parsed.losses == (
        Loss("table 2", "merged cells flattened"),
        Loss("table 2", "tables inside its cells flattened"),
    )


def test_a_cell_that_goes_on_from_no_row_is_its_own(tmp_path: Path) -> None:
    document = new_document()
    table = document.add_table(2, 2)
    for number, cell in enumerate(_cells(table)):
        cell.text = f"c{number}"
    for row in table.rows:
        row.cells[1]._tc.get_or_add_tcPr().append(parse_xml(f"<w:vMerge {nsdecls('w')}/>"))  # noqa: SLF001 - as damaged
    table._tbl.tr_lst[0].remove(table._tbl.tr_lst[0].tc_lst[1])  # noqa: SLF001 - so is a row that ends early
    assert _read(document, tmp_path).contents[0].text == "| c0 |  |\n| --- | --- |\n| c2 | c3 |"


def test_what_is_tracked_hidden_or_drawn(tmp_path: Path) -> None:
    document = new_document()
    _add(document, '<w:r><w:t>kept </w:t></w:r><w:ins w:id="1"><w:r><w:t>added</w:t></w:r></w:ins>'
         '<w:del w:id="2"><w:r><w:delText>gone</w:delText></w:r></w:del>')  # fmt: skip
    _add(document, "<w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r><w:r><w:t>seen</w:t></w:r>")
    _add(document, "<m:oMath><m:r><m:t>x=1</m:t></m:r></m:oMath>")
    box = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
    drawing = f"<w:drawing>{box}<pic:pic/></w:drawing>"
    _add(document, f"<w:r><mc:AlternateContent><mc:Choice Requires='wps'>{drawing}</mc:Choice>"
         f"<mc:Fallback><w:pict>{box}<v:imagedata/></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
         "<w:r><w:t>beside</w:t></w:r>")  # fmt: skip
    parsed = _read(document, tmp_path)
    assert parsed.contents[0].text == "kept added\n\nseen\n\nx=1\n\nbeside\n\nboxed"
    assert [loss.what for loss in parsed.losses] == [
        "1 tracked deletion(s) left out",
        "1 hidden passage(s) left out",
        "1 picture(s) left out",
    ]


def test_comments_follow_their_paragraph_and_headers_are_reported(tmp_path: Path) -> None:
    document = new_document()
    document.add_comment(document.add_paragraph("text").runs, "secret", "me")
    document.sections[0].header.paragraphs[0].text = "Draft 7"
    lone = document.add_comment(document.add_paragraph("").add_run(), "nowhere", "me")
    document.element.body.remove(document.paragraphs[-1]._p)  # noqa: SLF001 - python-docx cannot remove a paragraph
    assert lone.text == "nowhere"
    parsed = _read(document, tmp_path)
    assert parsed.contents[0].text == "text\n\nComment (me): secret"
    assert parsed.losses == (
        Loss("document", "1 comment(s) outside of the text left out"),
        Loss("header", 'left out: "Draft 7"'),
    )


def _changed(document: Docx, path: Path, changes: dict[str, str], relations: str = "") -> None:
    """Save a document with some members added or replaced, and more relations of its body."""
    saved = BytesIO()
    document.save(saved)
    with ZipFile(saved) as source, ZipFile(path, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/_rels/document.xml.rels":
                content = content.replace(b"</Relationships>", relations.encode() + b"</Relationships>")
            if name not in changes:
                target.writestr(name, content)
        for name, text in changes.items():
            target.writestr(name, text)


def test_footnotes_follow_the_text(tmp_path: Path) -> None:
    document = new_document()
    _add(document, '<w:r><w:t>Said</w:t><w:footnoteReference w:id="2"/></w:r>')
    note = '<w:footnote w:id="2"><w:p><w:r><w:footnoteRef/><w:t> by whom</w:t></w:r></w:p></w:footnote>'
    notes = f"<w:footnotes {nsdecls('w')}>{note}</w:footnotes>"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    relation = f'<Relationship Id="rId99" Type="{kind}" Target="footnotes.xml"/>'
    _changed(document, tmp_path / "a.docx", {"word/footnotes.xml": notes}, relation)
    assert read_docx(tmp_path / "a.docx").contents[0].text == "Said[^1]\n\n[^1]: by whom"


def test_other_parts_follow_the_paragraph_that_refers_to_them(tmp_path: Path) -> None:
    data = CategoryChartData()
    data.categories = ["Holm"]
    data.add_series("tons", (417,))
    chart = ChartXmlWriter(XL_CHART_TYPE.PIE, data).xml
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    point = '<d:pt modelId="1"><d:t><a:p><a:r><a:t>weigh</a:t></a:r></a:p></d:t></d:pt>'
    diagram = (
        f'<d:dataModel xmlns:d="{drawing}/diagram" xmlns:a="{drawing}/main"><d:ptLst>{point}</d:ptLst></d:dataModel>'
    )
    document = new_document()
    refer = (f'<w:r><w:t>before</w:t><w:drawing><c:chart xmlns:c="{drawing}/chart" r:id="rId91"/></w:drawing>'
             f'<w:drawing><d:relIds xmlns:d="{drawing}/diagram" r:dm="rId92"/></w:drawing></w:r>')  # fmt: skip
    _add(document, refer)
    body = document.element.body
    document.add_table(1, 1).cell(0, 0).paragraphs[0]._p.extend(parse_xml(f"<w:p {nsdecls('w', 'r')}>{refer}</w:p>"))  # noqa: SLF001
    body.insert(len(body) - 1, parse_xml(f'<w:altChunk {nsdecls("w", "r")} r:id="rId93"/>'))
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}/{name}" Target="{target}"/>'
        for number, name, target in ((91, "chart", "c.xml"), (92, "diagramData", "d.xml"), (93, "aFChunk", "e.html"))
    )
    path = tmp_path / "a.docx"
    _changed(document, path, {"word/c.xml": chart, "word/d.xml": diagram, "word/e.html": "<p>inner</p>"}, relations)
    parsed = read_docx(path)
    shown = "|  | tons |\n| --- | --- |\n| Holm | 417 |\n\n- weigh"
    assert parsed.contents[0].text == f"before\n\n{shown}\n\n| before |\n| --- |\n\n{shown}"
    assert parsed.losses == ()
    assert parsed.enclosed == (Enclosed("e.html", b"<p>inner</p>"),)
    _changed(document, path, {"word/c.xml": "<c", "word/d.xml": diagram}, relations)
    assert [loss.what for loss in read_docx(path).losses] == [
        "read as far as it can be; damaged: it is no sound XML (line 1)",
        "aFChunk left out: the package has no 'e.html'",
        "2 chart(s) without stored values",
        "1 part(s) of the package that are referred to and missing",
    ]


@pytest.mark.parametrize(("name", "told"), [("o.xlsx", ()), ("o.bin", ("1 embedded object(s) left out",))])
def test_files_of_other_programs_are_enclosed(tmp_path: Path, name: str, told: tuple[str, ...]) -> None:
    document = new_document()
    office = "urn:schemas-microsoft-com:office:office"
    _add(document, f'<w:r><w:object><o:OLEObject xmlns:o="{office}" r:id="rId91"/></w:object><w:t>text</w:t></w:r>')
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/package"
    relation = f'<Relationship Id="rId91" Type="{kind}" Target="{name}"/>'
    _changed(document, tmp_path / "a.docx", {f"word/{name}": "inside"}, relation)
    parsed = read_docx(tmp_path / "a.docx")
    assert parsed.contents[0].text == "text"
    assert [(file.name, file.content) for file in parsed.enclosed] == ([] if told else [(name, b"inside")])
    assert tuple(loss.what for loss in parsed.losses) == told


def test_headings_keep_their_computed_numbers(tmp_path: Path) -> None:
    document = new_document()
    numbering = document.part.numbering_part.element
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{digits}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for level, (digits, text) in enumerate([("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)")])
    )
    numbering.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{levels}</w:abstractNum>'))
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))
    for style, level, text in (("Heading 1", 0, "Scope"), ("Heading 2", 1, "Terms"), ("Normal", 2, "tide"),
                               ("Normal", 2, "ebb"), ("Heading 2", 1, "Ports"), ("Normal", 2, "flood"),
                               ("Heading 1", 0, "End"), ("Heading 2", 1, "Index")):  # fmt: skip
        properties = document.add_paragraph(text, style=style).paragraph_format.element.get_or_add_pPr()
        numbered = f'<w:ilvl w:val="{level}"/><w:numId w:val="77"/>'
        properties.append(parse_xml(f"<w:numPr {nsdecls('w')}>{numbered}</w:numPr>"))
    assert _read(document, tmp_path).contents[0].text == (
        "# 1. Scope\n\n## 1.1 Terms\n\n- (a) tide\n- (b) ebb\n\n## 1.2 Ports\n\n- (a) flood\n\n# 2. End\n\n## 2.1 Index"
    )


def test_a_file_with_macros_is_read(tmp_path: Path) -> None:
    document = new_document()
    document.add_paragraph("text")
    document.save(str(tmp_path / "a.docx"))
    with ZipFile(tmp_path / "a.docx") as package:
        declared = package.read("[Content_Types].xml").decode()
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    assert main in declared
    macros = declared.replace(main, "application/vnd.ms-word.document.macroEnabled.main+xml")
    _changed(document, tmp_path / "b.docm", {"[Content_Types].xml": macros})
    assert read_docx(tmp_path / "b.docm").contents[0].text == "text"


@settings(max_examples=25)
@given(cells=st.lists(st.lists(_WORDS, min_size=2, max_size=2), min_size=1, max_size=3), said=_WORDS)
def test_every_word_survives(tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]], said: str) -> None:
    document = new_document()
    document.add_paragraph(said)
    table = document.add_table(len(cells), 2)
    for cell, text in zip(_cells(table), (text for row in cells for text in row), strict=True):
        cell.text = text
    read = _read(document, tmp_path_factory.mktemp("words")).contents[0].text.replace("\\", "")
    for text in (said, *(text for row in cells for text in row)):
        assert all(word in read for word in text.split())


_NUMBERS = st.integers(0, 99_999_999).flatmap(lambda n: st.sampled_from([f"{n}", f"{n:,}", f"{n / 100:.2f}", f"{n} %"]))
_FORMS = st.sampled_from(["plain", "superscript", "subscript", "strike", "double_strike"])


@settings(max_examples=12)
@given(items=st.lists(st.tuples(_NUMBERS, _FORMS, st.integers(0, 99)), min_size=1, max_size=20))
def test_numbers_come_back_as_displayed(
    tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str, str, int]]
) -> None:
    document = new_document()
    table = document.add_table(len(items), 2)
    expected = []
    for place, (number, form, other) in enumerate(items):
        for paragraph in (document.add_paragraph(f"n{place} is "), table.cell(place, 1).paragraphs[0]):
            base = paragraph.add_run(number)
            if form.endswith("strike"):
                setattr(base.font, form, True)
                paragraph.add_run(f" {other}")
            elif form != "plain":
                setattr(paragraph.add_run(str(other)).font, form, True)
        table.cell(place, 0).text = f"row {place}"
        script: Script = "superscript" if form == "superscript" else "subscript"
        runs = {"plain": [Run(number)], "strike": [Run(number, struck=True), Run(f" {other}")]}
        shown = runs.get(form.removeprefix("double_"), [Run(number), Run(str(other), script)])
        expected.append(write_runs(shown))
    text = _read(document, tmp_path_factory.mktemp("numbers")).contents[0].text
    lines = text.splitlines()
    assert [line.partition(" is ")[2] for line in lines if line.startswith("n")] == expected
    assert [line.split(" | ")[1].removesuffix(" |") for line in lines if line.startswith("| row")] == expected


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 garbage", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600])
def test_what_is_no_package(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.docx").write_bytes(content)
    with pytest.raises(UnreadableError, match=r"damaged|encrypted"):
        read_docx(tmp_path / "a.docx")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_truncated_package(tmp_path: Path, share: float) -> None:
    BLANK.save(str(tmp_path / "a.docx"))
    content = (tmp_path / "a.docx").read_bytes()
    (tmp_path / "a.docx").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UnreadableError):
        read_docx(tmp_path / "a.docx")


@pytest.mark.parametrize("before", ["", "<!-- <a> -->" + " " * 200, "<?note <b>?>"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(tmp_path: Path, before: str, encoding: str) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(9))
    bomb = f'<?xml version="1.0" encoding="{encoding}"?>{before}<!DOCTYPE w [{laughs}]><w:document>&l8;</w:document>'
    BLANK.save(str(tmp_path / "b.docx"))
    with ZipFile(tmp_path / "b.docx") as source, ZipFile(tmp_path / "a.docx", "w") as target:
        for name in source.namelist():
            content = bomb.encode(encoding) if name == "word/document.xml" else source.read(name)
            target.writestr(name, content)
    with pytest.raises(UnreadableError, match="declares a document type, or is no plain XML"):
        read_docx(tmp_path / "a.docx")


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.docx", "w", ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b" " * 80_000_000)
    with pytest.raises(UnreadableError, match="unpacks to 80,000,000 bytes"):
        read_docx(tmp_path / "a.docx")


def test_styles_in_a_ring_and_deep_nesting(tmp_path: Path) -> None:
    document = new_document()
    document.styles["Heading 1"].base_style = document.styles["Heading 2"]
    document.styles["Heading 2"].base_style = document.styles["Heading 1"]
    document.add_paragraph("x", style="Heading 1")
    assert _read(document, tmp_path).contents[0].text == "# x"
    deep = "<w:sdt>" * 5_000 + "</w:sdt>" * 5_000
    _changed(document, tmp_path / "b.docx", {
        "word/document.xml": f"<w:document {nsdecls('w')}><w:body>{deep}</w:body></w:document>"
    })  # fmt: skip
    with pytest.raises(UnreadableError):
        read_docx(tmp_path / "b.docx")


@pytest.mark.parametrize(
    ("override", "labels"),
    [
        ("", ["0.", "1.", "2."]),
        ('<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride>', ["5.", "6.", "7."]),
        ('<w:lvlOverride w:ilvl="0"><w:startOverride w:val="0"/></w:lvlOverride>', ["0.", "1.", "2."]),
        (
            '<w:lvlOverride w:ilvl="0"><w:lvl w:ilvl="0"><w:start w:val="3"/>'  # noqa: ISC004 - one element
            '<w:numFmt w:val="upperRoman"/><w:lvlText w:val="%1)"/></w:lvl></w:lvlOverride>',
            ["III)", "IV)", "V)"],
        ),
    ],
)
def test_lists_begin_with_the_number_that_they_say(override: str, labels: list[str]) -> None:
    level = '<w:lvl w:ilvl="0"><w:start w:val="0"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    root = parse_xml(
        f'<w:numbering {nsdecls("w")}><w:abstractNum w:abstractNumId="1">{level}</w:abstractNum>'
        f'<w:num w:numId="2"><w:abstractNumId w:val="1"/>{override}</w:num></w:numbering>'
    )
    numbering = numbering_of(root)
    assert [numbering.label("2", 0) for _ in labels] == labels


def test_an_empty_cell_stays_empty_below_one_with_text(tmp_path: Path) -> None:
    document = new_document()
    table = document.add_table(rows=3, cols=2)
    for (row, column), text in {(0, 0): "Berth", (0, 1): "Fee", (1, 0): "North", (1, 1): "40"}.items():
        table.cell(row, column).text = text
    table.cell(2, 0).text = "South"
    assert _read(document, tmp_path).contents[0].text.endswith("| North | 40 |\n| South |")
